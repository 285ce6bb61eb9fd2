/**
 * The program of tests/malloc whose malloc is walloc: C++ with exceptions, threads and embind, compiled by
 * Emscripten with -pthread, on an isolated page. CTest runs the same under Node.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { serve } from '../../scripts/serve-folder.mjs';

const FOLDER = fileURLToPath(new URL('../../build/emscripten/tests/malloc/', import.meta.url));

test('a C++ program runs with walloc as its malloc', async ({ page }) => {
  const server = await serve(FOLDER, { isolated: true });
  try {
    await page.goto(`${server.url}runtime.html`);
    const ended = await page.waitForFunction(() => /** @type {any} */ (globalThis).runtimeResult);
    const { status, isolated, lines } = await ended.jsonValue();
    const output = lines.join('\n');
    expect(isolated).toBe(true);
    expect(output).toContain('runtime: all as expected');
    for (let thread = 0; thread < 8; thread++)
      expect(output).toMatch(new RegExp(`^thread ${thread}: [0-9a-f]{16}$`, 'm'));
    expect(status, output).toBe(0);
  } finally {
    await server.close();
  }
});
