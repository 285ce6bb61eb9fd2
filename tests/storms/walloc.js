/**
 * Walloc for a storm, with all that it shall find in order at the end.
 */
import { Walloc } from '../../workers/walloc.js';

const MIB = 1 << 20;

/**
 * Bytes that the memory may grow by, once it has been used: for each kill a block in hand, and now and then a span;
 * and what tiers and heap happen to need more than at first, the more the more workers there are. Without recovery it is
 * at least the stack of 64 KiB for each kill; so memory that creeps is found where there are many for each worker.
 *
 * @param {number} kills
 * @param {number} workers
 */
export const growthAllowed = (kills, workers) => workers * (MIB / 2) + kills * (16 << 10);

const CAPACITY = 16;

/**
 * @param {{ recovers?: boolean, wasm?: BufferSource }} [options] recovers: whether the dead are told of
 */
export async function wallocForStorm({ recovers = true, wasm } = {}) {
  const tier = { hardBudget: 8 * MIB };
  const walloc = await Walloc.create({
    maximum: 192 * MIB,
    reserve: 2 * MIB,
    tiers: { render: tier, scene: tier, entity: tier },
    wasm,
  });
  const queue = walloc.createQueue({ capacity: CAPACITY });
  /** @type {import('./storm.js').Allocator} */
  const allocator = {
    memory: walloc.handle.memory,
    queue: queue.handle,
    handleFor: (worker) => (recovers ? walloc.handleFor(worker) : walloc.handle),
    terminate: async (worker) => {
      if (recovers) return walloc.terminate(worker);
      await worker.terminate();
      return true;
    },
    // Without recovery what the dead held stays, as the storm's own thread would sleep at a dead worker's lock.
    free: recovers ? (address) => walloc.heap.free(address) : () => {},
    obtained: () => walloc.stats().memory.obtained,
  };
  return { allocator, check: () => check(walloc, queue) };
}

/**
 * What is not as it should be when all workers have ended.
 *
 * @param {Walloc} walloc
 * @param {import('../../workers/walloc.js').Queue} queue
 */
function check(walloc, queue) {
  const faults = [];
  const view = walloc.heap.malloc(8);
  walloc.heap.free(view);
  for (const tier of [walloc.render, walloc.scene, walloc.entity]) {
    tier.reset(); // throws where a dead worker's pin is left
    if (tier.used) faults.push(`${tier.name} holds ${tier.used} bytes after a reset`);
  }
  for (;;) {
    try {
      if (!queue.poll()) break;
    } catch {
      // a message whose block has been thrown away
    }
  }
  const block = walloc.scene.alloc(Int32Array, 4);
  for (let i = 0; i < CAPACITY; i++) {
    if (!queue.publish(block)) faults.push(`the queue takes ${i} of ${CAPACITY} messages`);
  }
  const { obtained, free, arenas, heap, own } = walloc.stats().memory;
  if (free + arenas + heap + own > obtained) {
    faults.push(`${obtained} bytes obtained, but ${free} + ${arenas} + ${heap} + ${own} known`);
  }
  return faults;
}
