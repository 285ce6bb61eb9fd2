/**
 * Queues between a page and its workers: the page awaits, and is never blocked; workers sleep; a worker that is
 * terminated stops nobody. What does not depend on the engine is tested under Node.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { watchErrors } from './pages.mjs';
import { serve } from '../../scripts/serve-folder.mjs';

/** @typedef {typeof import('./fixtures/api-page.js')} Api */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {string[]} */
let errors;

test.beforeAll(async () => {
  server = await serve(ROOT, { isolated: true });
});
test.afterAll(() => server.close());
test.afterEach(() => expect(errors).toEqual([]));

/** @param {import('@playwright/test').Page} page */
async function open(page) {
  errors = watchErrors(page);
  await page.goto(`${server.url}tests/browser/fixtures/api.html`);
  await page.waitForFunction(() => 'api' in globalThis);
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
}

/**
 * A worker publishes 50 numbers, each when a timer of the page tells it to, which is set when the page has taken the
 * one before: a page that were blocked while it awaits would await for ever. Then the worker closes the queue.
 *
 * @param {import('@playwright/test').Page} page
 */
const awaitNumbers = (page) =>
  page.evaluate(async () => {
    const { Walloc, Helper } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
    const queue = walloc.createQueue();
    const helper = await Helper.attached(walloc.handle);
    /** @type {number[]} */
    const taken = [];
    const { handle } = queue;
    let told = Promise.resolve();
    const goOn = async () => {
      const value = taken.length;
      await told; // a helper does one task at a time
      told =
        value < 50
          ? helper.call('publishNumber', { handle, value })
          : helper.call('closeQueue', handle);
    };
    setTimeout(goOn);
    for await (const view of queue) {
      taken.push(view.get(0));
      setTimeout(goOn);
    }
    await told;
    await helper.end();
    return { taken, waitAsync: 'waitAsync' in Atomics };
  });

test('a worker publishes, the page awaits and goes on meanwhile', async ({ page }) => {
  await open(page);
  const { taken, waitAsync } = await awaitNumbers(page);
  expect(waitAsync).toBe(true);
  expect(taken).toEqual(Array.from({ length: 50 }, (_, value) => value));
});

test('without Atomics.waitAsync the page awaits by a timer', async ({ page }) => {
  await page.addInitScript(() => void Reflect.deleteProperty(Atomics, 'waitAsync'));
  await open(page);
  const { taken, waitAsync } = await awaitNumbers(page);
  expect(waitAsync).toBe(false);
  expect(taken).toEqual(Array.from({ length: 50 }, (_, value) => value));
});

test('the page may not sleep, and is told so; it awaits until a timeout or a signal', async ({
  page,
}) => {
  await open(page);
  const seen = await page.evaluate(async () => {
    const { Walloc, thrown } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
    const queue = walloc.createQueue({ latest: true });
    const begin = performance.now();
    const nothing = await queue.next({ timeout: 60 });
    const passed = performance.now() - begin;
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = queue.next({ signal }).catch((error) => error.name);
    controller.abort();
    const aborted = await waiting;
    const refused = await thrown(() => queue.wait(1000));
    for (let i = 0; i < 5; i++) {
      const view = walloc.scene.alloc(Int16Array, 3);
      view.set(2, i);
      queue.publish(view);
    }
    const latest = queue.wait(1000)?.get(2); // does not have to sleep
    return { nothing, passed, aborted, refused, latest, left: queue.count };
  });
  expect(seen).toMatchObject({ aborted: 'AbortError', latest: 4, left: 0 });
  expect(seen.refused).toBe('WallocError BUSY');
  expect(seen.nothing).toBe(undefined);
  expect(seen.passed).toBeGreaterThanOrEqual(59);
});

test('workers sleep until the page publishes, and end when it closes', async ({ page }) => {
  await open(page);
  const sum = await page.evaluate(async () => {
    const { Walloc, Helper } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
    const queue = walloc.createQueue({ capacity: 4 });
    const helpers = await Promise.all([1, 2, 3].map(() => Helper.attached(walloc.handle)));
    const summing = helpers.map((helper) => helper.call('sumAll', queue.handle));
    for (let value = 1; value <= 300; value++) {
      const view = walloc.scene.alloc(Uint32Array, 1);
      view.set(0, value);
      while (!queue.publish(view)) await new Promise((resolve) => setTimeout(resolve));
    }
    queue.close();
    const sums = await Promise.all(summing);
    await Promise.all(helpers.map((helper) => helper.end()));
    return sums.reduce((a, b) => a + b, 0);
  });
  expect(sum).toBe((300 * 301) / 2);
});

test('workers that are terminated while they publish, take and sleep stop nobody', async ({
  page,
}) => {
  await open(page);
  const seen = await page.evaluate(async () => {
    const { Walloc, Helper } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
    const queue = walloc.createQueue({ capacity: 2 });
    for (let round = 0; round < 3; round++) {
      const helpers = await Promise.all([1, 2].map(() => Helper.attached(walloc.handle)));
      for (const helper of helpers) helper.call('churn', queue.handle);
      for (let i = 0; i < 30; i++) await queue.next();
      await Promise.all(helpers.map((helper) => helper.terminate()));
    }
    const other = await Helper.attached(walloc.handle);
    const values = [];
    while (queue.count) await queue.next({ timeout: 100 });
    const { handle } = queue;
    const publishAll = async () => {
      for (let value = 0; value < 10; value++) await other.call('publishNumber', { handle, value });
      await other.call('closeQueue', handle);
    };
    const publishing = publishAll();
    for await (const view of queue) values.push(view.get(0));
    await publishing;
    await other.end();
    return values;
  });
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
