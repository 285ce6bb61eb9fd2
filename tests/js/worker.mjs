/**
 * A thread that attaches to the memory of a test and does tasks for it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Walloc } from '../../workers/walloc.js';

const walloc = await Walloc.attach(workerData);

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
  reset: (tier) => walloc.tier(tier).reset(),
  rewind: (mark) => walloc.arena(mark.arena).rewind(mark),
  /** Blocks of its own arena, which the test then uses by the handle. */
  createArena: (options) => walloc.createArena(options).handle,
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
