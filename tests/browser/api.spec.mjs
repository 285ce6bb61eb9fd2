/**
 * The JavaScript API as it is in the repository, without a bundler, in a page and its module workers.
 *
 * What does not depend on the engine is tested under Node; here is what browsers add: isolation, fetching
 * the module, a main thread that must not wait, module workers, WebGL.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { watchErrors } from './pages.mjs';
import { serve } from '../../scripts/serve-folder.mjs';

/** @typedef {typeof import('./fixtures/api-page.js')} Api */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = 'tests/browser/fixtures/api.html';

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {string[]} */
let errors;

test.beforeAll(async () => {
  server = await serve(ROOT, { isolated: true });
});
test.afterAll(() => server.close());

/** @param {import('@playwright/test').Page} page @param {string} [url] */
async function open(page, url = server.url) {
  errors = watchErrors(page);
  await page.goto(`${url}${PAGE}`);
  await page.waitForFunction(() => 'api' in globalThis);
}

test.beforeEach(async ({ page }) => {
  await open(page);
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
});

test.afterEach(() => expect(errors).toEqual([]));

test('blocks go between the page and workers, uncopied', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { Walloc, Helper } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
    const helpers = await Promise.all([1, 2, 3].map(() => Helper.attached(walloc.handle)));
    const refs = await Promise.all(
      helpers.map((helper, i) =>
        helper.call('fill', { tier: 'scene', length: 1000, value: i + 1 }),
      ),
    );
    const views = refs.map((ref) => walloc.view(ref));
    const read = views.map((view) => [view.get(0), view.get(999), view.length]);
    views[0].set(0, 101);
    const sums = await Promise.all(refs.map((ref, i) => helpers[(i + 1) % 3].call('sum', ref)));
    const apart = views.every((view, i) =>
      views.every((other, j) => i === j || Math.abs(view.address - other.address) >= 4000),
    );
    await Promise.all(helpers.map((helper) => helper.end()));
    return { read, sums, apart, shared: views[0].array.buffer instanceof SharedArrayBuffer };
  });
  expect(seen).toEqual({
    read: [
      [1, 1, 1000],
      [2, 2, 1000],
      [3, 3, 1000],
    ],
    sums: [1100, 2000, 3000],
    apart: true,
    shared: true,
  });
});

test('what another thread throws away is noticed, on both sides', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { Walloc, Helper, thrown } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const walloc = await Walloc.create({
      maximum: 64 << 20,
      tiers: { scene: { lane: false } },
    });
    const helper = await Helper.attached(walloc.handle);
    const ref = await helper.call('fill', { tier: 'scene', length: 16, value: 7 });
    const kept = walloc.view(ref);
    const behind = walloc.scene.alloc(Uint32Array, 4);
    walloc.scene.compact(64);
    const afterCompact = [kept.valid, behind.valid, kept.get(15), await helper.call('sum', ref)];
    await helper.call('reset', 'scene');
    const { code, type } = await helper.call('sum', ref).catch((error) => error);
    const afterReset = [kept.valid, await thrown(() => kept.get(0)), type, code];
    const view = await thrown(() => walloc.view(ref));
    const outside = await thrown(() => walloc.scene.alloc(Uint8Array, 4).get(4));
    await helper.end();
    return { afterCompact, afterReset, view, outside };
  });
  expect(seen).toEqual({
    afterCompact: [true, false, 7, 112],
    afterReset: [false, 'WallocStaleView STALE', 'WallocError [STALE]', 'STALE'],
    view: 'WallocStaleView STALE',
    outside: 'WallocRangeError INDEX',
  });
});

test('the callback of the thread that allocates is asked', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { Walloc, Helper, thrown } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    /** @type {string[]} */
    const here = [];
    const walloc = await Walloc.create({
      maximum: 64 << 20,
      reserve: 1 << 20,
      tiers: {
        entity: {
          softBudget: 1 << 20,
          hardBudget: 2 << 20,
          onPressure: (arena, needed, level) => void here.push(`${arena.name} ${level}`),
        },
      },
    });
    const helper = await Helper.attached(walloc.handle);
    const argument = { tier: 'entity', bytes: 300_000, times: 12 };
    const inWorker = await helper.call('pressure', argument);
    const before = here.length;
    const refused = await thrown(() => walloc.entity.allocBytes(3 << 20));
    const { failures, pressure } = walloc.entity.stats();
    await helper.end();
    return { inWorker, before, here, refused, failures, pressure };
  });
  expect(seen.inWorker[0]).toBe('soft');
  expect(seen.inWorker.slice(1)).toEqual(Array(seen.inWorker.length - 1).fill('hard'));
  expect(seen.inWorker.length).toBeGreaterThan(1);
  expect(seen.before).toBe(0);
  expect(seen.here).toEqual(['entity hard']);
  expect(seen.refused).toBe('WallocOutOfMemory BUDGET');
  expect(seen.failures).toBe(1);
  expect(seen.pressure).toBe(seen.inWorker.length + 1);
});

test('the page never waits, while workers allocate and it throws away', async ({ page }) => {
  const seed = Number(process.env.WALLOC_SEED ?? Date.now() % 2 ** 32);
  console.log(`WALLOC_SEED=${seed}`);
  const seen = await page.evaluate(async (first) => {
    const { Walloc, WallocError, Helper } = /** @type {Api} */ (
      /** @type {any} */ (globalThis).api
    );
    // What the API tells the module about this thread.
    const { instantiate } = WebAssembly;
    let canWait = -1;
    WebAssembly.instantiate = /** @type {any} */ (
      async (/** @type {WebAssembly.Module} */ module, /** @type {any} */ imports) => {
        const { exports } = await instantiate(module, imports);
        const start = /** @type {(wait: number, block: number) => number} */ (exports.thread_start);
        const thread_start = (/** @type {number} */ wait, /** @type {number} */ block) => {
          canWait = wait;
          return start(wait, block);
        };
        return { exports: { ...exports, thread_start } };
      }
    );
    const walloc = await Walloc.create({ maximum: 256 << 20, reserve: 1 << 20 });
    const helpers = await Promise.all([1, 2, 3, 4].map(() => Helper.attached(walloc.handle)));
    const racing = Promise.all(
      helpers.map((helper, i) =>
        helper.call('race', { tier: 'render', count: 50_000, seed: first + i }),
      ),
    );
    let running = true;
    const ended = racing.finally(() => (running = false));
    const counts = { turns: 0, busy: 0 };
    /** @type {unknown[]} */
    const other = [];
    const throwAway = (/** @type {number} */ turn) => {
      if (turn % 3 === 0) walloc.render.reset();
      else walloc.render.rewind(walloc.render.mark());
      if (turn % 8 === 0) walloc.render.trim();
    };
    const { port1, port2 } = new MessageChannel();
    for (let turn = 0; running; turn++) {
      try {
        throwAway(turn);
        counts.turns++;
      } catch (error) {
        if (error instanceof WallocError && error.code === 'BUSY') counts.busy++;
        else other.push(String(error));
      }
      if (turn % 20) continue;
      // Lets messages in. A timer would take longer than the workers do.
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(0);
      });
    }
    port1.close();
    const blocks = await ended;
    await Promise.all(helpers.map((helper) => helper.end()));
    const joined = blocks.flatMap((words) =>
      Array.from({ length: words.length / 3 }, (_block, i) => [
        ...words.subarray(3 * i, 3 * i + 3),
      ]),
    );
    // By generation, then by address.
    joined.sort(([a, x], [b, y]) => (a >>> 8) - (b >>> 8) || x - y);
    const overlapping = joined.filter(([high, address], i) => {
      const [before, start, length] = joined[i - 1] ?? [];
      return high >>> 8 === before >>> 8 && start + length > address;
    });
    const generations = new Set(joined.map(([high]) => high >>> 8)).size;
    return { canWait, ...counts, other, overlapping, generations, blocks: joined.length };
  }, seed);
  console.log(`${seen.turns} turns, ${seen.generations} generations met, ${seen.busy} times busy`);
  expect(seen).toMatchObject({ canWait: 0, other: [], overlapping: [], blocks: 200_000 });
  expect(seen.turns).toBeGreaterThan(0);
  expect(seen.generations).toBeGreaterThan(0); // how many is the machine's affair
});

test('WebGL takes a view of the shared memory, and reads back into one', async ({
  page,
  browserName,
}) => {
  test.skip(browserName === 'firefox', 'without a window it has no WebGL2 here');
  const seen = await page.evaluate(async () => {
    const { Walloc } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const walloc = await Walloc.create({ maximum: 64 << 20 });
    const source = walloc.render.alloc(Float32Array, 300);
    for (let i = 0; i < 300; i++) source.set(i, i / 4);
    const target = walloc.scene.alloc(Float32Array, 300);
    target.array.fill(-1);
    const gl = document.createElement('canvas').getContext('webgl2');
    if (!gl) throw new Error('no WebGL2');
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, source.array, gl.STATIC_DRAW);
    gl.getBufferSubData(gl.ARRAY_BUFFER, 0, target.array);
    return { error: gl.getError(), same: target.array.every((value, i) => value === i / 4) };
  });
  expect(seen).toEqual({ error: 0, same: true });
});

test('without isolation walloc runs on the page alone, and says which headers to send', async ({
  page,
}) => {
  const bare = await serve(ROOT, { isolated: false });
  try {
    await open(page, bare.url);
    const seen = await page.evaluate(async () => {
      const { Walloc, WallocUnsupported } = /** @type {Api} */ (
        /** @type {any} */ (globalThis).api
      );
      const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
      const view = walloc.render.alloc(Float32Array, 100);
      view.set(99, 1.5);
      let blocks = 0;
      /** @type {string | undefined} */
      let full;
      try {
        for (; ; blocks++) walloc.scene.allocBytes(1 << 20);
      } catch (/** @type {any} */ error) {
        full = error.code;
      }
      let told = '';
      try {
        void walloc.handle;
      } catch (error) {
        if (error instanceof WallocUnsupported) told = `${error.code} ${error.message}`;
      }
      const isolated = globalThis.crossOriginIsolated;
      return { isolated, mode: walloc.mode, many: blocks > 50, full, last: view.get(99), told };
    });
    const { told, ...others } = seen;
    expect(others).toEqual({
      isolated: false,
      mode: 'single',
      many: true,
      full: 'OUT_OF_MEMORY',
      last: 1.5,
    });
    expect(told).toContain('UNSUPPORTED');
    expect(told).toContain('Cross-Origin-Opener-Policy: same-origin');
    expect(told).toContain('Cross-Origin-Embedder-Policy: require-corp');
  } finally {
    await bare.close();
  }
});

test('what browsers refuse of shared memory is done with copies', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { Walloc, copies } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const walloc = await Walloc.create({ maximum: 64 << 20 });
    const text = copies.encodeText(walloc.scene, 'grüße');
    const random = walloc.scene.alloc(Uint32Array, 30_000);
    random.array.fill(0);
    copies.fillRandom(random);
    const pixels = walloc.scene.allocBytes(16);
    pixels.array.fill(200);
    const image = copies.imageData(pixels, 2, 2);
    const blob = await copies.blob(text).text();
    return {
      shared: text.array.buffer instanceof SharedArrayBuffer,
      text: copies.decodeText(text),
      blob,
      image: [image.width, image.height, image.data[15]],
      zeros: random.array.filter((word) => word === 0).length < 10,
    };
  });
  expect(seen).toEqual({
    shared: true,
    text: 'grüße',
    blob: 'grüße',
    image: [2, 2, 200],
    zeros: true,
  });
});

test('a module that is not there is an error that says where it was looked for', async ({
  page,
}) => {
  const said = await page.evaluate(async () => {
    const { Walloc } = /** @type {Api} */ (/** @type {any} */ (globalThis).api);
    const error = await Walloc.create({ wasm: 'nowhere.wasm' }).catch(
      (/** @type {any} */ thrown) => thrown,
    );
    return [error.code, error.message];
  });
  expect(said[0]).toBe('LOAD');
  expect(said[1]).toMatch(/nowhere\.wasm.*404.*option wasm/);
  errors.splice(0); // the browser notes the 404
});
