/**
 * The page that replays a trace: the same checksum as everywhere, and what it says of a file that is none.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { run } from '../../scripts/run.mjs';
import { serve } from '../../scripts/serve-folder.mjs';
import { watchErrors } from './pages.mjs';

const path = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url));
const FOLDER = path('build/emscripten/trace/');
const TRACE = path('bench/heap/traces/sqlite3.trace.gz');

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
test.beforeAll(async () => {
  server = await serve(FOLDER, { isolated: true });
});
test.afterAll(() => server.close());

test('replays a trace to the checksum that it has under Node', async ({ page }) => {
  const errors = watchErrors(page);
  const { output } = await run('node', [`${FOLDER}walloc-replay.js`, TRACE, '2', '2']);
  const [operations, checksum] = output.split(' ');
  await page.goto(server.url);
  await page.getByLabel('Trace').setInputFiles(TRACE);
  await page.getByLabel('Times').fill('2');
  await page.getByLabel('Threads').selectOption('2');
  await page.getByRole('button', { name: 'Replay' }).click();
  const expected = `${operations} operations, checksum ${checksum}, `;
  await expect(page.getByRole('status')).toContainText(expected, { timeout: 60_000 });
  await expect(page.getByRole('alert')).toBeEmpty();
  expect(errors).toEqual([]);
});

test('says that a file is not a trace', async ({ page }) => {
  await page.goto(server.url);
  await page.getByLabel('Trace').setInputFiles(path('package.json'));
  await page.getByRole('button', { name: 'Replay' }).click();
  await expect(page.getByRole('alert')).toContainText('not a trace', { timeout: 60_000 });
});
