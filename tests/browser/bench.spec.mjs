/**
 * The page of the heap's benchmark: short runs of it, and what it says without isolation.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { serve } from '../../scripts/serve-folder.mjs';
import { PHONE, overflowOf, watchErrors } from './pages.mjs';

/** @typedef {import('../../bench/heap/page/page.js').BenchResult} BenchResult */

const FOLDER = fileURLToPath(new URL('../../build/emscripten/bench/heap/', import.meta.url));
const ALLOCATORS = ['walloc', 'mimalloc', 'dlmalloc', 'emmalloc'];

/**
 * @param {import('@playwright/test').Page} page
 * @returns {Promise<BenchResult>}
 */
async function resultOf(page) {
  const result = await page.waitForFunction(() => /** @type {any} */ (globalThis).benchResult);
  return result.jsonValue();
}

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
test.beforeAll(async () => {
  server = await serve(FOLDER, { isolated: true });
});
test.afterAll(() => server.close());

test('runs all four mallocs, and shows a row for each workload', async ({ page }) => {
  const errors = watchErrors(page);
  await page.goto(`${server.url}?only=pair,replay:sqlite3&threads=2&rounds=1&autostart=1`);
  const { rows, same, stopped, error, summary } = await resultOf(page);
  expect({ same, stopped, error }).toEqual({ same: true, stopped: false, error: '' });
  expect(rows.map(({ bench, allocator }) => `${bench} ${allocator}`)).toEqual(
    ['pair', 'replay:sqlite3'].flatMap((bench) => ALLOCATORS.map((name) => `${bench} ${name}`)),
  );
  for (const row of rows) {
    expect(row.threads).toBe(2);
    expect(row.ops_per_s).toBeGreaterThan(0);
    expect(row.peak_bytes).toBeGreaterThan(0);
    expect(row.wasm_bytes).toBeGreaterThan(0);
  }

  const [pair, replay] = await page.locator('#rows').getByRole('row').all();
  await expect(page.locator('#rows').getByRole('row')).toHaveCount(2);
  await expect(pair.getByRole('rowheader')).toHaveText('pair');
  await expect(replay.getByRole('rowheader')).toHaveText('replay:sqlite3');
  const ratio = await pair.getByRole('cell').nth(1).locator('b').textContent();
  expect(Number(ratio)).toBeCloseTo(rows[0].ops_per_s / rows[1].ops_per_s, 1);
  await expect(pair.getByRole('cell')).toHaveCount(8);
  await expect(page.locator('#mimalloc')).toHaveText(summary.mimalloc.toFixed(2));
  await expect(page.locator('#verdict')).toContainText('Ended: 2 rows');
  expect(errors).toEqual([]);
  await page.setViewportSize(PHONE);
  expect(await overflowOf(page)).toBe(0);
});

test('runs a real program with all four mallocs, which do the same', async ({ page }) => {
  const errors = watchErrors(page);
  await page.goto(`${server.url}?only=expat&threads=2&rounds=1&autostart=1`);
  const { rows, same, error } = await resultOf(page);
  expect({ same, error }).toEqual({ same: true, error: '' });
  expect(rows.map(({ bench, allocator }) => `${bench} ${allocator}`)).toEqual(
    ['expat', 'expat:arena'].flatMap((bench) => ALLOCATORS.map((name) => `${bench} ${name}`)),
  );
  for (const row of rows) expect(row.ops_per_s).toBeGreaterThan(0);
  expect(errors).toEqual([]);
});

test('stops in the middle of a run, and can start again', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(`${server.url}?only=pair&threads=1&rounds=50&autostart=1`);
  await expect(page.locator('#status')).toContainText('round 1 of 50');
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(await resultOf(page)).toMatchObject({ rows: [], stopped: true, error: '' });
  await page.getByLabel('Rounds').fill('1');
  await page.getByRole('button', { name: 'Start' }).click();
  await expect(page.locator('#verdict')).toContainText('Ended: 1 row,');
  expect(new URL(page.url()).search).toBe('?only=pair&threads=1&rounds=1');
  await page.getByRole('button', { name: 'Copy JSON' }).click();
  await expect(page.locator('#copied')).toHaveText('Copied');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(JSON.parse(copied)).toEqual((await resultOf(page)).rows);
  const saved = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download JSON' }).click();
  expect((await saved).suggestedFilename()).toBe('heap-bench.json');
});

for (const [what, response, expected] of /** @type {const} */ ([
  ['a trace is missing', { status: 404 }, 'sqlite3.trace.gz cannot be fetched: 404'],
  ['a program fails', { body: 'not a trace' }, 'bench_heap_walloc has failed'],
])) {
  test(`says what went wrong when ${what}`, async ({ page }) => {
    await page.route('**/*.trace.gz', (route) => route.fulfill(response));
    await page.goto(`${server.url}?only=replay:sqlite3&threads=2&rounds=1&autostart=1`);
    expect((await resultOf(page)).error).toContain(expected);
    await expect(page.locator('#verdict')).toContainText('Failed: ');
    await expect(page.locator('#verdict')).toContainText(expected);
    await page.setViewportSize(PHONE);
    expect(await overflowOf(page)).toBe(0);
  });
}

test('says that the headers are missing', async ({ page }) => {
  const bare = await serve(FOLDER, { isolated: false });
  try {
    await page.goto(`${bare.url}?autostart=1`);
    const alert = page.getByRole('alert');
    await expect(alert).toContainText('not cross-origin isolated');
    await expect(alert).toContainText('Cross-Origin-Opener-Policy: same-origin');
    await expect(alert).toContainText('Cross-Origin-Embedder-Policy: require-corp');
    await expect(page.getByRole('main')).toBeHidden();
  } finally {
    await bare.close();
  }
});
