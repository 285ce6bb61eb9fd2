/**
 * A thread that attaches to the memory of a test and does tasks for it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { AssetTable } from '../../workers/assets.js';
import { Walloc } from '../../workers/walloc.js';

const walloc = await Walloc.attach(workerData);

/** @param {import('../../workers/walloc.js').Queue} queue @param {number} value */
function publishNumber(queue, value) {
  const view = walloc.scene.alloc(Uint32Array, 2);
  view.set(0, value);
  while (!queue.publish(view));
}

/** @type {Record<string, (argument: any) => unknown>} */
const tasks = {
  /** Fills a new block with a number. */
  fill: ({ tier, length, value }) => {
    const view = walloc.tier(tier).alloc(Uint32Array, length);
    view.array.fill(value);
    return view.ref;
  },
  /** Adds up a block that another thread has made. */
  sum: (ref) =>
    walloc.view(ref).array.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0),
  /** Where an asset of a table lies. */
  loadAsset: async ({ handle, key, url }) =>
    (await AssetTable.open(walloc, handle).load(key, { url })).address,
  freeView: (ref) => walloc.heap.free(walloc.view(ref)),
  reset: (tier) => walloc.tier(tier).reset(),
  rewind: (mark) => walloc.arena(mark.arena).rewind(mark),
  /** Blocks of its own arena, which the test then uses by the handle. */
  createArena: (options) => walloc.createArena(options).handle,
  destroyArena: (handle) => walloc.arena(handle).destroy(),
  /** Takes blocks of many sizes; returns their places, nothing written. */
  race: ({ tier, count, seed }) => {
    const arena = walloc.tier(tier);
    const blocks = [];
    let random = seed;
    for (let i = 0; i < count; i++) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      const view = arena.allocBytes(1 + ((random >>> 8) % 900));
      // Not view.ref, which is refused when a reset has come in between.
      blocks.push([view._high, view.address, view.byteLength]);
    }
    return blocks;
  },
  publish: ({ handle, values }) => {
    for (const value of values) publishNumber(walloc.queue(handle), value);
  },
  /** Takes from one queue until it is closed, and publishes the doubled numbers to another. */
  double: async ({ from, to }) => {
    let count = 0;
    for await (const view of walloc.queue(from)) {
      publishNumber(walloc.queue(to), 2 * view.get(0));
      count++;
    }
    return count;
  },
  /** Publishes as many numbers, each as soon as there is room. */
  publishAll: ({ handle, first, count, seed }) => {
    const queue = walloc.queue(handle);
    let random = seed;
    for (let i = 0; i < count; i++) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      for (let pause = random >>> 24; pause > 0; pause--) queue.count;
      const view = walloc.scene.alloc(Uint32Array, 2);
      view.array.fill(first + i);
      while (!queue.publish(view));
    }
  },
  /** All numbers of the blocks that it takes until the queue is closed. */
  takeAll: async ({ handle, sleeps }) => {
    const queue = walloc.queue(handle);
    const taken = [];
    try {
      for (;;) taken.push(...((sleeps ? queue.wait() : await queue.next())?.array ?? []));
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'CLOSED') throw error;
    }
    return taken;
  },
  /** Publishes and takes until it is terminated. */
  churn: (handle) => {
    const queue = walloc.queue(handle);
    const view = walloc.scene.alloc(Uint32Array, 2);
    for (let i = 0; ; i++) {
      queue.publish(view);
      if (i % 4 === 0) queue.wait(1);
    }
  },
  /** Blocks of the heap that begin with a 7. */
  heapBlocks: ({ count, size }) =>
    Array.from({ length: count }, () => {
      const address = walloc.heap.malloc(size);
      new Uint8Array(walloc.handle.memory.buffer, address, 1)[0] = 7;
      return address;
    }),
  /** Fails for want of memory, with this thread's own callback. */
  pressure: (handle) => {
    const arena = walloc.arena(handle);
    /** @type {unknown[]} */
    const seen = [];
    arena.onPressure = (told, needed, level) => {
      seen.push([told === arena, needed > 0, level]);
      return false;
    };
    try {
      arena.allocBytes(1 << 22);
    } catch (error) {
      return { seen, code: /** @type {any} */ (error).code };
    }
    return { seen, code: 'none' };
  },
};

parentPort?.on('message', async ({ name, argument }) => {
  if (name === 'end') {
    walloc.detach();
    parentPort?.close();
    return;
  }
  try {
    parentPort?.postMessage({ result: await tasks[name](argument) });
  } catch (error) {
    parentPort?.postMessage({ error: /** @type {any} */ (error).code ?? String(error) });
  }
});
