/**
 * The JavaScript API in WebKitGTK: a page and its module workers, smaller than tests/browser/api.spec.mjs, whose page
 * it opens. There growing commits memory and a page has few memories: each test makes one small one.
 *
 * Needs WebKitWebDriver and Xvfb, which `npm run prove -- webkit` brings; without them it says that it has not run.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ROOT } from '../../scripts/run.mjs';
import { serve } from '../../scripts/serve-folder.mjs';
import { WEBKIT, setUpSystem } from '../../scripts/setup/system.mjs';
import { missing, startWebKit } from './driver.mjs';

/** @typedef {typeof import('../browser/fixtures/api-page.js')} Api */

if (process.env.WALLOC_PROVE) await setUpSystem(WEBKIT);
const absent = missing();
const skip = absent.length ? `not run: ${absent.join(' and ')} not installed` : false;
if (skip) console.log(`WebKitGTK: ${skip}. npm run prove -- webkit installs them.`);

describe('the API in WebKitGTK', { skip }, () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof startWebKit>>} */
  let browser;

  before(async () => {
    server = await serve(ROOT, { isolated: true });
    browser = await startWebKit();
    await browser.open(`${server.url}tests/browser/fixtures/api.html`);
    await browser.evaluate(async () => {
      while (!('api' in globalThis)) await new Promise((resolve) => setTimeout(resolve));
    });
  });
  after(async () => {
    await browser?.end();
    await server?.close();
  });

  test('the page is isolated, and memory is shared', async () => {
    const seen = await browser.evaluate(async () => {
      const { Walloc } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
      const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
      return [globalThis.crossOriginIsolated, walloc.mode];
    });
    assert.deepEqual(seen, [true, 'shared']);
  });

  test('blocks go between the page and workers, uncopied', async () => {
    const seen = await browser.evaluate(async () => {
      const { Walloc, Helper } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
      const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
      const helpers = await Promise.all([1, 2].map(() => Helper.attached(walloc.handle)));
      const refs = await Promise.all(
        helpers.map((helper, i) =>
          helper.call('fill', { tier: 'scene', length: 1000, value: i + 1 }),
        ),
      );
      const views = refs.map((ref) => walloc.view(ref));
      const read = views.map((view) => [view.get(0), view.get(999), view.length]);
      views[0].set(0, 101);
      const sums = await Promise.all(refs.map((ref, i) => helpers[(i + 1) % 2].call('sum', ref)));
      await Promise.all(helpers.map((helper) => helper.end()));
      return { read, sums };
    });
    const read = [
      [1, 1, 1000],
      [2, 2, 1000],
    ];
    assert.deepEqual(seen, { read, sums: [1100, 2000] });
  });

  test('what another thread throws away is noticed', async () => {
    const seen = await browser.evaluate(async () => {
      const { Walloc, Helper, thrown } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
      const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
      const helper = await Helper.attached(walloc.handle);
      const ref = await helper.call('fill', { tier: 'scene', length: 16, value: 7 });
      const kept = walloc.view(ref);
      const fresh = [kept.valid, kept.get(15)];
      await helper.call('reset', 'scene');
      const gone = [kept.valid, await thrown(() => kept.get(0))];
      await helper.end();
      return { fresh, gone };
    });
    assert.deepEqual(seen, { fresh: [true, 7], gone: [false, 'WallocStaleView STALE'] });
  });

  test('a worker sleeps until the page publishes', async () => {
    const sum = await browser.evaluate(async () => {
      const { Walloc, Helper } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
      const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
      const queue = walloc.createQueue({ capacity: 16 });
      const helper = await Helper.attached(walloc.handle);
      const summed = helper.call('sumAll', queue.handle);
      for (let value = 1; value <= 10; value++) {
        const view = walloc.scene.alloc(Uint32Array, 1);
        view.set(0, value);
        queue.publish(view);
      }
      queue.close();
      const result = await summed;
      await helper.end();
      return result;
    });
    assert.equal(sum, 55);
  });

  test('a worker that is terminated is recovered from', async () => {
    const seen = await browser.evaluate(async () => {
      const { Walloc, Helper } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
      const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
      const helper = new Helper();
      await helper.call('attach', walloc.handleFor(helper));
      const wasAttached = await walloc.terminate(helper);
      const other = await Helper.attached(walloc.handle);
      const ref = await other.call('fill', { tier: 'scene', length: 4, value: 2 });
      const value = walloc.view(ref).get(3);
      await other.end();
      return { wasAttached, value };
    });
    assert.deepEqual(seen, { wasAttached: true, value: 2 });
  });

  test('what the engine would copy wrongly goes by copies', async () => {
    const seen = await browser.evaluate(async () => {
      const { Walloc, copies } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
      const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
      const text = copies.encodeText(walloc.scene, 'grüße');
      return [copies.decodeText(text), await copies.blob(text).text()];
    });
    assert.deepEqual(seen, ['grüße', 'grüße']);
  });
});
