/**
 * The pressure phase: tiers that grow, run into budgets, recycle, and a memory that is full.
 *
 * Called by workers. `growEntities`, `fillToBudget` and `exhaustMemory` run in all of them at once;
 * `streamPastBudget` in one at a time, because recycling takes blocks away that another worker would
 * still be writing: the order that walloc asks its users for.
 */
import { WallocOutOfMemory } from '../../../workers/walloc.js';
import { Random, seedFor } from '../../shared/random.js';
import { MIB } from '../plan.js';

/**
 * @typedef {import('../../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../../../workers/walloc.js').Arena} Arena
 * @typedef {import('../../../workers/walloc.js').View<any>} View
 * @typedef {{code: string, message: string} | null} Refusal
 */

/**
 * Whether a pattern is all there is.
 *
 * @param {Uint32Array} array @param {number} pattern
 */
function isFull(array, pattern) {
  for (let i = 0; i < array.length; i++) if (array[i] !== pattern) return false;
  return true;
}

/** Blocks that one worker has filled, each with a pattern of its own. */
class PatternBlocks {
  /** @type {{view: View, array: Uint32Array, pattern: number}[]} */
  #blocks = [];
  #worker;

  bytes = 0;

  /** @param {number} worker */
  constructor(worker) {
    this.#worker = worker;
  }

  get count() {
    return this.#blocks.length;
  }

  /** @param {Arena} arena @param {number} words */
  add(arena, words) {
    const view = arena.alloc(Uint32Array, words);
    const pattern = (((this.#worker + 1) << 24) | this.count) >>> 0;
    view.array.fill(pattern);
    this.#blocks.push({ view, array: view.array, pattern });
    this.bytes += view.byteLength;
  }

  /** Blocks that somebody else has written to, of those that are still valid. */
  countDamaged() {
    return this.#blocks.filter(({ view, array, pattern }) => view.valid && !isFull(array, pattern))
      .length;
  }

  /** Blocks that have been recycled since. */
  countStale() {
    return this.#blocks.filter(({ view }) => !view.valid).length;
  }
}

/**
 * Does something until it is refused for want of memory. Other errors pass.
 *
 * @param {() => void} step
 * @param {number} limit of steps
 * @returns {Refusal} null when it was not refused
 */
function repeatUntilRefused(step, limit) {
  try {
    for (let i = 0; i < limit; i++) step();
    return null;
  } catch (thrown) {
    if (!(thrown instanceof WallocOutOfMemory)) throw thrown;
    const { code, message } = thrown;
    return { code, message };
  }
}

/**
 * Small blocks until this worker has `bytes` of them. The first were made before the tier grew.
 *
 * @param {Walloc} walloc @param {number} worker @param {number} bytes
 */
export function growEntities(walloc, worker, bytes) {
  const entity = walloc.tier('entity');
  const random = new Random(seedFor(bytes, worker));
  const blocks = new PatternBlocks(worker);
  while (blocks.bytes < bytes) blocks.add(entity, random.between(16, 1024));
  return { blocks: blocks.count, bytes: blocks.bytes, damaged: blocks.countDamaged() };
}

/**
 * Fills the render tier up to its hard budget.
 *
 * @param {Walloc} walloc @param {number} worker @param {number} seed
 */
export function fillToBudget(walloc, worker, seed) {
  const render = walloc.tier('render');
  const calls = { soft: 0, hard: 0 };
  render.onPressure = (_arena, _needed, level) => {
    if (level === 'soft') calls.soft++;
    else calls.hard++;
    return false; // nothing to give back: let the allocation fail
  };
  const random = new Random(seedFor(seed, worker));
  const blocks = new PatternBlocks(worker);
  const words = () => random.between(16, 128) * 1024;
  const refusal = repeatUntilRefused(() => blocks.add(render, words()), 10_000);
  render.onPressure = null;
  return {
    blocks: blocks.count,
    bytes: blocks.bytes,
    damaged: blocks.countDamaged() + blocks.countStale(),
    refusal,
    ...calls,
  };
}

/**
 * Streams more into the scene tier than it may hold at a time: the tier recycles down to the preserved
 * models and goes on, and the blocks from before are stale. Then asks for more than it could ever hold.
 *
 * @param {Walloc} walloc @param {number} worker @param {number} bytes
 */
export function streamPastBudget(walloc, worker, bytes) {
  const scene = walloc.tier('scene');
  const blocks = new PatternBlocks(worker);
  while (blocks.bytes < bytes) blocks.add(scene, (8 * MIB) / 4);
  const stale = blocks.countStale();
  const damaged = blocks.countDamaged();
  const refusal = repeatUntilRefused(() => scene.allocBytes(scene.stats().hardBudget), 1);
  return { blocks: blocks.count, bytes: blocks.bytes, stale, damaged, refusal };
}

/** What is taken at a time when the memory runs out: smaller blocks fill what the larger have left. */
const LAST_SIZES = [16 * MIB, MIB, MIB / 16];

/**
 * Takes blocks until the memory is at its maximum. Nothing is written.
 *
 * @param {Walloc} walloc @param {number} handle of an arena that all workers share
 */
export function exhaustMemory(walloc, handle) {
  const arena = walloc.arena(handle);
  let blocks = 0;
  const refusals = LAST_SIZES.map((bytes) =>
    repeatUntilRefused(() => {
      arena.allocBytes(bytes);
      blocks++;
    }, 10_000),
  );
  return { blocks, refusals };
}
