/**
 * Fetching into memory, and the table of assets that threads share.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { AssetTable, fetchInto } from '../../workers/assets.js';
import {
  WallocError,
  WallocOutOfMemory,
  WallocRangeError,
  WallocStaleView,
} from '../../workers/walloc.js';
import { Helper, createFor, rejectsWith } from './support.mjs';

/** Of a body that is not all the same byte. */
const BODY = Uint8Array.from({ length: 300_000 }, (_zero, i) => (i * 7) % 251);

/** Requests for each path. @type {Record<string, number>} */
const asked = {};

/** Called when the client has gone from what has no end. */
let closed = () => {};

/** What the server does for each path; all others are the body. @type {Record<string, any>} */
const answers = {
  '/missing': (/** @type {any} */ response) => response.writeHead(404).end('not here'),
  '/empty': (/** @type {any} */ response) => response.writeHead(200).end(),
  '/unknown': (/** @type {any} */ response) => {
    response.writeHead(200); // chunked: no length
    response.write(BODY.subarray(0, 1000));
    response.end(BODY.subarray(1000));
  },
  '/short': (/** @type {any} */ response) => {
    response.writeHead(200, { 'Content-Length': BODY.length });
    response.write(BODY.subarray(0, 1000), () => response.destroy());
  },
  '/endless': (/** @type {any} */ response) => {
    response.once('close', () => closed());
    response.writeHead(200, { 'Content-Length': BODY.length });
    response.write(BODY.subarray(0, 1000)); // and no more
  },
  '/flaky': (/** @type {any} */ response) => {
    if (asked['/flaky'] === 1) response.writeHead(503).end();
    else response.end('at last');
  },
};

const server = createServer((request, response) => {
  const path = request.url ?? '';
  asked[path] = (asked[path] ?? 0) + 1;
  if (answers[path]) answers[path](response);
  else response.writeHead(200, { 'Content-Length': BODY.length }).end(BODY);
});
/** @type {string} */
let base;

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  base = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test('a response lies in an arena or in the heap, and progress is told', async (t) => {
  const walloc = await createFor(t);
  for (const into of [walloc.scene, walloc.heap]) {
    for (const path of ['/mesh', '/unknown']) {
      /** @type {[number, number | undefined][]} */
      const told = [];
      const view = await fetchInto(into, base + path, {
        onProgress: (...step) => void told.push(step),
      });
      assert.deepEqual(view.array, BODY.slice());
      assert.equal(view.array.buffer, walloc.memory.buffer);
      const total = path === '/mesh' ? BODY.length : undefined;
      assert.deepEqual(told.at(-1), [BODY.length, total]);
      assert.ok(told.every(([bytes], i) => bytes > (told[i - 1]?.[0] ?? 0)));
    }
  }
});

test('whatever fails has its error, and leaves nothing allocated', async (t) => {
  const walloc = await createFor(t, { tiers: { entity: { hardBudget: 65536 } } });
  const live = () =>
    walloc.memoryMap().filter(({ owner }) => owner === 'huge' || owner === 'arena');
  await fetchInto(walloc.heap, `${base}/mesh`).then((view) => walloc.heap.free(view));
  const before_ = [walloc.scene.used, walloc.entity.used, live()];
  for (const into of [walloc.scene, walloc.heap]) {
    const failing = (/** @type {string} */ path, options = {}) =>
      fetchInto(into, base + path, options);
    await rejectsWith(failing('/missing'), WallocError, 'HTTP', /missing: HTTP status 404/);
    await rejectsWith(failing('/empty'), WallocError, 'LENGTH', /0 came/);
    await rejectsWith(failing('/short'), WallocError, 'FETCH', /short/);
    const nowhere = fetchInto(into, 'http://127.0.0.1:1/');
    await rejectsWith(nowhere, WallocError, 'FETCH', /server/);

    const abort = new AbortController();
    const stop = failing('/endless', {
      signal: abort.signal,
      onProgress: () => abort.abort('enough'),
    });
    assert.equal(await stop.catch((reason) => reason), 'enough');
    const onProgress = () => {
      throw new Error('mine');
    };
    await assert.rejects(failing('/mesh', { onProgress }), /mine/);
  }
  const budget = fetchInto(walloc.entity, `${base}/mesh`);
  await rejectsWith(budget, WallocOutOfMemory, 'BUDGET');
  assert.deepEqual([walloc.scene.used, walloc.entity.used, live()], before_);
});

test('the block is there before the first byte, where the length is known', async (t) => {
  const walloc = await createFor(t);
  for (const [path, isThere] of /** @type {[string, boolean][]} */ ([
    ['/mesh', true],
    ['/unknown', false],
  ])) {
    const before_ = walloc.scene.used;
    /** @type {boolean[]} */
    const there = [];
    const onProgress = () => void there.push(walloc.scene.used >= before_ + BODY.length);
    await fetchInto(walloc.scene, base + path, { onProgress });
    assert.equal(there[0], isThere);
    assert.ok(walloc.scene.used >= before_ + BODY.length);
  }
});

test('a body of another length than announced', async (t) => {
  const walloc = await createFor(t);
  let announced = 0;
  // No server can send such a response.
  t.mock.method(globalThis, 'fetch', async () => {
    return new Response(BODY, { headers: { 'content-length': String(announced) } });
  });
  for (const into of [walloc.scene, walloc.heap]) {
    const before_ = [walloc.scene.used, walloc.heap.stats().held];
    announced = BODY.length - 1;
    await rejectsWith(fetchInto(into, 'a'), WallocError, 'LENGTH', /announced, and more came/);
    announced = BODY.length + 1;
    await rejectsWith(fetchInto(into, 'a'), WallocError, 'LENGTH', /300001 bytes.*300000 came/);
    assert.deepEqual([walloc.scene.used, walloc.heap.stats().held], before_);
    assert.equal(walloc.scene.stats().failures, 0);
  }
});

test('an arena that others have allocated from meanwhile keeps the block', async (t) => {
  const { scene } = await createFor(t);
  const before_ = scene.used;
  /** @type {import('../../workers/assets.js').Bytes[]} */
  const others = [];
  const onProgress = () => {
    others.push(scene.alloc(Uint8Array, 100_000));
    throw new Error('enough');
  };
  await assert.rejects(fetchInto(scene, `${base}/mesh`, { onProgress }), /enough/);
  assert.equal(others[0].valid, true);
  assert.ok(scene.used >= before_ + BODY.length + 100_000);
});

test('an arena that is reset during the stream ends it', async (t) => {
  const { scene } = await createFor(t);
  const gone = new Promise((resolve) => (closed = () => resolve(undefined)));
  const options = { onProgress: () => scene.reset() };
  await rejectsWith(fetchInto(scene, `${base}/mesh`, options), WallocStaleView, 'STALE');
  assert.equal(scene.used, 0);
  // The next part does not come, but the abort does.
  const abort = new AbortController();
  const onProgress = () => {
    scene.reset();
    abort.abort('late');
  };
  const stop = fetchInto(scene, `${base}/endless`, { signal: abort.signal, onProgress });
  assert.equal(await stop.catch((reason) => reason), 'late');
  await gone;
  assert.equal(scene.used, 0);
});

test('who has no room for a body lets the server go', async (t) => {
  const walloc = await createFor(t, { tiers: { entity: { hardBudget: 65536 } } });
  const gone = new Promise((resolve) => (closed = () => resolve(undefined)));
  const budget = fetchInto(walloc.entity, `${base}/endless`);
  await rejectsWith(budget, WallocOutOfMemory, 'BUDGET');
  await gone;
});

test('threads share a table: each key is fetched once', async (t) => {
  const walloc = await createFor(t);
  const table = AssetTable.create(walloc, { capacity: 3 });
  const helpers = [new Helper(walloc.handle), new Helper(walloc.handle)];
  const url = `${base}/once`;
  const load = (/** @type {Helper} */ helper) =>
    helper.call('loadAsset', { handle: table.handle, key: 'a', url });
  const [here, ...there] = await Promise.all([table.load('a', { url }), ...helpers.map(load)]);
  assert.deepEqual(here.array, BODY.slice());
  assert.deepEqual(there, [here.address, here.address]);
  assert.equal(asked['/once'], 1);
  assert.equal(table.get('a')?.address, here.address);
  assert.equal(table.get('b'), undefined);

  assert.deepEqual([table.evict('a'), table.evict('a'), table.evict('b')], [true, false, false]);
  assert.deepEqual([here.valid, table.get('a')], [false, undefined]);
  await load(helpers[0]);
  assert.equal(asked['/once'], 2);
  assert.equal(AssetTable.open(walloc, table.handle).get('a')?.length, BODY.length);
  await Promise.all(helpers.map((helper) => helper.end()));
});

test('a failed load is an error of who loaded, and the next one tries', async (t) => {
  const walloc = await createFor(t);
  const table = AssetTable.create(walloc, { capacity: 2 });
  const url = `${base}/flaky`;
  const first = table.load('flaky', { url });
  const second = table.load('flaky', { url });
  await rejectsWith(first, WallocError, 'HTTP', /503/);
  assert.equal((await second).length, 'at last'.length);
  await table.load('b', { url: `${base}/b` });
  await rejectsWith(table.load('c'), WallocError, 'LIMIT', /rows for 2 keys.*'c'/);
});

test('evicting what is being loaded lets who waits load it anew', async (t) => {
  const walloc = await createFor(t);
  const table = AssetTable.create(walloc, { capacity: 2 });
  const abort = new AbortController();
  /** @type {(value: unknown) => void} */
  let hangs = () => {};
  const hanging = new Promise((resolve) => (hangs = resolve));
  const options = { url: `${base}/endless`, signal: abort.signal, onProgress: hangs };
  const dead = table.load('key', options);
  await hanging;
  const waiting = table.load('key', { url: `${base}/mesh` });
  assert.equal(table.evict('key'), true);
  const view = await waiting;
  assert.equal(view.length, BODY.length);
  abort.abort('late');
  assert.equal(await dead.catch((reason) => reason), 'late');
  assert.equal(table.get('key')?.address, view.address);
  await rejectsWith(
    (async () => AssetTable.create(walloc, { capacity: 0.5 }))(),
    WallocRangeError,
    'SIZE',
  );
});
