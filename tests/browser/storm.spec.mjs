/**
 * The storm of tests/stress, compiled by Emscripten with -pthread, on an isolated page: the same program
 * that CTest runs natively and under Node.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { serve } from '../../scripts/serve-folder.mjs';

const FOLDER = fileURLToPath(new URL('../../build/emscripten/tests/stress/', import.meta.url));

test('threads of a -pthread program allocate while another throws away', async ({ page }) => {
  const server = await serve(FOLDER, { isolated: true });
  try {
    await page.goto(`${server.url}storm.html`);
    const ended = await page.waitForFunction(() => /** @type {any} */ (globalThis).stormResult);
    const { status, isolated, lines } = await ended.jsonValue();
    const output = lines.join('\n');
    expect(isolated).toBe(true);
    expect(output).toMatch(/^WALLOC_SEED=\d+$/m);
    for (const threads of [4, 8, 16]) expect(output).toContain(`${threads} threads: 0 violations`);
    expect(status, output).toBe(0);
  } finally {
    await server.close();
  }
});
