/**
 * Queues from JavaScript: order, every outcome, promises, iteration, threads, and a worker that is terminated.
 *
 * WALLOC_SEED repeats the choices of a run.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { WallocError, WallocRangeError, WallocStaleView } from '../../workers/walloc.js';
import { Helper, createFor, rejectsWith, throwsError } from './support.mjs';

/** @typedef {import('../../workers/walloc.js').Walloc} Walloc */

/** A block that begins with a number. @param {Walloc} walloc @param {number} value */
function numbered(walloc, value) {
  const view = walloc.scene.alloc(Uint32Array, 2);
  view.set(0, value);
  return view;
}

test('views come out as they went in, in order', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue({ capacity: 16 });
  const types = [
    Uint8Array,
    Int8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];
  /** @type {import('../../workers/api/queue.js').AnyView[]} */
  const sent = types.map((Type, i) => walloc.scene.alloc(Type, i + 1));
  sent.push(walloc.scene.alloc(Float32Array, 100).subview(10, 13));
  for (const view of sent) assert.equal(queue.publish(view), true);
  assert.equal(queue.count, sent.length);
  for (const view of sent) {
    const taken = queue.poll();
    assert.ok(taken && taken !== view);
    assert.equal(taken.array.constructor, view.array.constructor);
    assert.deepEqual(taken.ref, view.ref);
  }
  assert.equal(queue.poll(), undefined);
  assert.equal(queue.count, 0);
});

test('full is false, the latest replaces the oldest', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue({ capacity: 2 });
  assert.deepEqual(
    [1, 2, 3].map((value) => queue.publish(numbered(walloc, value))),
    [true, true, false],
  );
  assert.equal(queue.poll()?.get(0), 1);
  assert.equal(queue.publish(numbered(walloc, 4)), true);
  assert.deepEqual([queue.poll()?.get(0), queue.poll()?.get(0)], [2, 4]);
  const slot = walloc.createQueue({ latest: true });
  for (let value = 0; value < 1000; value++) assert.ok(slot.publish(numbered(walloc, value)));
  assert.equal(slot.poll()?.get(0), 999);
  assert.equal(slot.poll(), undefined);
});

test('closed is drained first, on every way of taking', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue();
  queue.publish(numbered(walloc, 1));
  queue.close();
  queue.close();
  throwsError(() => queue.publish(numbered(walloc, 2)), WallocError, 'CLOSED', /publish/);
  assert.equal((await queue.next())?.get(0), 1);
  throwsError(() => queue.poll(), WallocError, 'CLOSED', /poll/);
  throwsError(() => queue.wait(), WallocError, 'CLOSED');
  await rejectsWith(queue.next(), WallocError, 'CLOSED');
  for await (const view of queue) assert.fail(`${view}`);
});

test('stale is told once, and the queue goes on', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue();
  const gone = walloc.render.allocBytes(8);
  for (const view of [gone, numbered(walloc, 1), gone, gone, numbered(walloc, 2)]) {
    queue.publish(view);
  }
  walloc.render.reset();
  throwsError(() => queue.publish(gone), WallocStaleView, 'STALE', /Allocate again/);
  throwsError(() => queue.poll(), WallocStaleView, 'STALE', /thrown away/);
  assert.equal(queue.poll()?.get(0), 1);
  await rejectsWith(queue.next(), WallocStaleView, 'STALE');
  throwsError(() => queue.wait(), WallocStaleView, 'STALE');
  assert.equal(queue.wait()?.get(0), 2);
  assert.equal(queue.poll(), undefined);
});

test('an iteration passes over what is stale, and counts it', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue();
  const gone = walloc.render.allocBytes(8);
  for (const view of [numbered(walloc, 1), gone, gone, numbered(walloc, 2)]) queue.publish(view);
  walloc.render.reset();
  queue.close();
  const taken = [];
  for await (const view of queue) taken.push(view.get(0));
  assert.deepEqual(taken, [1, 2]);
  assert.equal(queue.stale, 2);
});

test('what a compact left in place is not stale', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue();
  const kept = walloc.render.alloc(Float32Array, 4);
  kept.set(2, 1.5);
  const { used } = walloc.render;
  queue.publish(kept);
  queue.publish(walloc.render.alloc(Float32Array, 100_000)); // from the cursor, behind the lane
  walloc.render.compact(used);
  assert.equal(queue.poll()?.get(2), 1.5);
  throwsError(() => queue.poll(), WallocStaleView, 'STALE');
});

test('wrong arguments are refused', async (t) => {
  const walloc = await createFor(t);
  const other = await createFor(t);
  for (const options of [
    { capacity: 65537 },
    { capacity: -1 },
    { capacity: 1.5 },
    { size: 4 },
    7,
  ]) {
    throwsError(() => walloc.createQueue(/** @type {any} */ (options)), WallocRangeError, 'CONFIG');
  }
  const queue = walloc.createQueue();
  for (const view of [undefined, {}, walloc.scene.alloc(Uint8Array, 1).ref, numbered(other, 1)]) {
    throwsError(() => queue.publish(/** @type {any} */ (view)), WallocError, 'TYPE', /publish/);
  }
  for (const handle of [undefined, 'a', 0, queue.handle + 1, queue.handle + 64, 2 ** 32]) {
    throwsError(() => walloc.queue(/** @type {any} */ (handle)), WallocError, 'HANDLE', /queue\(/);
  }
  assert.equal(walloc.queue(queue.handle), queue);
});

test('there are 64 queues; a destroyed one is none, even when its place is used again', async (t) => {
  const walloc = await createFor(t);
  const queues = Array.from({ length: 64 }, () => walloc.createQueue({ capacity: 1 }));
  throwsError(() => walloc.createQueue(), WallocError, 'LIMIT', /64/);
  const [gone] = queues;
  gone.publish(numbered(walloc, 1));
  gone.destroy();
  const next = walloc.createQueue();
  assert.equal(next.handle % 64, gone.handle % 64);
  for (const call of [
    () => gone.publish(numbered(walloc, 1)),
    () => gone.poll(),
    () => gone.wait(),
    () => gone.close(),
    () => gone.destroy(),
    () => walloc.queue(gone.handle),
  ]) {
    throwsError(call, WallocError, 'HANDLE');
  }
  assert.equal(gone.count, 0);
  assert.equal(next.poll(), undefined);
});

test('a wait ends in time', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue();
  for (const timeout of [0, 30, 300]) {
    const begin = performance.now();
    assert.equal(queue.wait(timeout), undefined);
    assert.equal(await queue.next({ timeout }), undefined);
    const passed = performance.now() - begin;
    assert.ok(passed >= 2 * timeout, `${passed} ms`);
  }
});

test('a signal ends a wait, and loses nothing', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue();
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = queue.next({ signal });
  const other = queue.next();
  controller.abort(new Error('no longer wanted'));
  await assert.rejects(waiting, /no longer wanted/);
  queue.publish(numbered(walloc, 1));
  assert.equal((await other)?.get(0), 1);
  queue.publish(numbered(walloc, 2));
  await assert.rejects(queue.next({ signal }), /no longer wanted/);
  assert.equal(queue.poll()?.get(0), 2);
});

test('many promises of one thread are all served', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue();
  const waiting = Array.from({ length: 20 }, () => queue.next());
  for (let value = 0; value < 20; value++) queue.publish(numbered(walloc, value));
  const taken = await Promise.all(waiting);
  assert.deepEqual(
    taken.map((view) => view?.get(0)).sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, value) => value),
  );
});

test('detach, close and destroy end promises', async (t) => {
  const walloc = await createFor(t);
  const closed = walloc.createQueue();
  const destroyed = walloc.createQueue();
  const detached = walloc.createQueue();
  const ends = [
    rejectsWith(closed.next(), WallocError, 'CLOSED'),
    rejectsWith(destroyed.next(), WallocError, 'HANDLE'),
    rejectsWith(detached.next(), WallocError, 'DETACHED'),
  ];
  closed.close();
  destroyed.destroy();
  await Promise.all(ends.slice(0, 2));
  walloc.detach();
  await ends[2];
});

test('without Atomics.waitAsync promises are served too', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue();
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    delete Atomics.waitAsync;
    import(workerData.api).then(async ({ Walloc }) => {
      const queue = (await Walloc.attach(workerData.handle)).queue(workerData.queue);
      const waiting = queue.next();
      parentPort.postMessage('waits');
      parentPort.postMessage((await waiting).get(0));
      parentPort.postMessage((await queue.next({ timeout: 20 })) === undefined);
    });`;
  const workerData = {
    api: new URL('../../workers/walloc.js', import.meta.url).href,
    handle: walloc.handle,
    queue: queue.handle,
  };
  const worker = new Worker(program, { eval: true, workerData });
  /** @type {unknown[]} */
  const said = [];
  worker.on('message', (message) => {
    said.push(message);
    if (message === 'waits') queue.publish(numbered(walloc, 7));
  });
  await once(worker, 'exit');
  assert.deepEqual(said, ['waits', 7, true]);
});

test('a worker publishes, the main thread awaits; then the other way round', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue({ capacity: 4 });
  const back = walloc.createQueue({ capacity: 4 });
  const helper = new Helper(walloc.handle);
  const working = helper.call('double', { from: queue.handle, to: back.handle });
  for (let value = 1; value <= 500; value++) {
    assert.ok(queue.publish(numbered(walloc, value)));
    assert.equal((await back.next())?.get(0), 2 * value);
  }
  queue.close();
  assert.equal(await working, 500);
  await helper.end();
});

test('everything is taken once, by sleeping workers and by promises, with its bytes', async (t) => {
  const seed = Number(process.env.WALLOC_SEED ?? Date.now() % 2 ** 32);
  t.diagnostic(`WALLOC_SEED=${seed}`);
  const walloc = await createFor(t);
  const queue = walloc.createQueue({ capacity: 1 << (seed % 5) });
  const helpers = Array.from({ length: 4 }, () => new Helper(walloc.handle));
  const { handle } = queue;
  const count = 2000;
  const publishing = [0, 1].map((i) =>
    helpers[i].call('publishAll', { handle, first: i * count, count, seed: seed + i }),
  );
  const taking = [
    helpers[2].call('takeAll', { handle, sleeps: true }),
    helpers[3].call('takeAll', { handle, sleeps: false }),
  ];
  /** @type {number[]} */
  const here = [];
  const iterating = (async () => {
    for await (const view of queue) here.push(...view.array);
  })();
  await Promise.all(publishing);
  queue.close();
  const taken = [...here, ...(await Promise.all(taking)).flat()];
  await iterating;
  assert.equal(queue.stale, 0);
  taken.sort((a, b) => a - b);
  assert.deepEqual(
    taken,
    Array.from({ length: 4 * count }, (_, i) => i >> 1), // each block has its number twice
    `seed ${seed}`,
  );
  await Promise.all(helpers.map((helper) => helper.end()));
});

test('workers that are terminated in the midst of it stop nobody', async (t) => {
  const walloc = await createFor(t);
  const queue = walloc.createQueue({ capacity: 2 });
  for (let round = 0; round < 12; round++) {
    const helpers = [0, 1].map(() => new Helper(walloc.handle));
    for (const helper of helpers)
      helper.worker.postMessage({ name: 'churn', argument: queue.handle });
    const exits = helpers.map(({ worker }) => once(worker, 'exit'));
    // Both are at it: what they publish comes through.
    for (let i = 0; i < 50 + round; i++) assert.ok(await queue.next());
    for (const { worker } of helpers) worker.terminate();
    await Promise.all(exits);
    while (queue.poll());
    for (let value = 0; value < 10; value++) {
      assert.ok(queue.publish(numbered(walloc, value)), `round ${round}`);
      assert.equal((await queue.next())?.get(0), value);
    }
  }
});
