/**
 * Workers that die, in Chromium and in Firefox: when a death is certain, and kill storms. Those in Node are in
 * tests/js/storms.test.mjs.
 *
 * WALLOC_SEED repeats the choices of a run, though not its instants; WALLOC_STORM_KILLS says how many in each browser.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { serve } from '../../scripts/serve-folder.mjs';
import { BUNDLE, bundleWorker } from '../storms/bundle.js';
import { growthAllowed } from '../storms/walloc.js';
import { watchErrors } from './pages.mjs';

/** @typedef {typeof import('./fixtures/storms-page.js')} Storms */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Chromium lets a terminated worker run for two seconds more: so many at once. */
const SETTINGS = {
  chromium: { kills: 80, workers: 24, batch: 20 },
  firefox: { kills: 280, workers: 8, batch: 6 },
};

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {string[]} */
let errors;

test.beforeAll(async () => {
  await bundleWorker();
  server = await serve(ROOT, { isolated: true });
});
test.afterAll(() => server.close());
test.afterEach(() => expect(errors).toEqual([]));

/** @param {import('@playwright/test').Page} page */
async function open(page) {
  errors = watchErrors(page);
  await page.goto(`${server.url}tests/browser/fixtures/storms.html`);
  await page.waitForFunction(() => 'storms' in globalThis);
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
}

test('a worker is told of as dead when it has stopped, and not before', async ({ page }) => {
  await open(page);
  const counts = await page.evaluate(async (api) => {
    const { Walloc, said, workerFrom } = /** @type {Storms} */ (
      /** @type {any} */ (globalThis).storms
    );
    const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const worker = workerFrom(`
      import { Walloc } from '${api}';
      onmessage = async ({ data: { handle, counter } }) => {
        const walloc = await Walloc.attach(handle);
        const pin = walloc.scene.pin();
        postMessage('attached');
        for (;;) Atomics.add(counter, 0, 1);
      };`);
    worker.postMessage({ handle: walloc.handleFor(worker), counter });
    await said(worker);
    const wasAttached = await walloc.terminate(worker);
    const then = Atomics.load(counter, 0);
    walloc.scene.reset(); // throws PINNED where it has not been recovered from
    // As long as another takes to count on, in which the dead one would, too.
    const clock = workerFrom(`
      const counter = new Int32Array(new SharedArrayBuffer(4));
      while (Atomics.add(counter, 0, 1) < 20_000_000);
      postMessage('done');`);
    await said(clock);
    clock.terminate();
    return { then, later: Atomics.load(counter, 0), wasAttached };
  }, `${server.url}workers/walloc.js`);
  expect(counts.wasAttached).toBe(true);
  expect(counts.then).toBeGreaterThan(0);
  expect(counts.later).toBe(counts.then);
});

test('a worker that is terminated before it attaches does not attach any more', async ({
  page,
}) => {
  await open(page);
  const seen = await page.evaluate(async (api) => {
    const { Walloc, said, workerFrom } = /** @type {Storms} */ (
      /** @type {any} */ (globalThis).storms
    );
    const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
    const source = `
      import { Walloc } from '${api}';
      onmessage = ({ data }) => Walloc.attach(data).then(
        (walloc) => postMessage('attached'),
        ({ code }) => postMessage(code),
      );`;
    // Any object with terminate will do: this one goes on.
    const survivor = workerFrom(source);
    const handle = walloc.handleFor({ terminate: () => {} });
    const stand = { terminate: () => {} };
    const revoked = walloc.handleFor(stand);
    const wasAttached = await walloc.terminate(stand);
    survivor.postMessage(revoked);
    const refused = await said(survivor);
    survivor.postMessage(handle);
    const first = await said(survivor);
    survivor.postMessage(handle);
    const second = await said(survivor);
    survivor.terminate();
    return { wasAttached, refused, first, second };
  }, `${server.url}workers/walloc.js`);
  expect(seen).toEqual({
    wasAttached: false,
    refused: 'HANDLE',
    first: 'attached',
    second: 'HANDLE',
  });
});

test('workers are killed at random, and all others go on', async ({ page, browserName }) => {
  test.setTimeout(3_600_000);
  const settings = SETTINGS[/** @type {keyof typeof SETTINGS} */ (browserName)];
  const kills = Number(process.env.WALLOC_STORM_KILLS ?? settings.kills);
  const seed = Number(process.env.WALLOC_SEED ?? Date.now() % 2 ** 31);
  console.log(`WALLOC_SEED=${seed}`);
  await open(page);
  const { seen, faults } = await page.evaluate(
    (given) => /** @type {Storms} */ (/** @type {any} */ (globalThis).storms).storm(given),
    { ...settings, kills, seed, worker: `${server.url}${BUNDLE}` },
  );
  console.log(JSON.stringify(seen));
  expect(seen.violations).toEqual([]);
  expect(seen.hangs).toBe(0);
  expect(seen.kills).toBe(kills);
  expect(seen.attached).toBeGreaterThan(kills / 4);
  expect(seen.freed).toBeGreaterThan(kills);
  expect(seen.after - seen.before).toBeLessThanOrEqual(growthAllowed(kills, settings.workers));
  expect(faults).toEqual([]);
});
