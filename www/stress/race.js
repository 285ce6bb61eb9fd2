/**
 * The other half of the stress: allocating while another worker recycles, with nothing in between.
 *
 * Worker only. What is allocated may be thrown away at any moment, so nothing is written: each
 * allocation is recorded with its generation, and the page looks afterwards whether two blocks of one
 * generation overlap.
 *
 * @typedef {import('../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../shared/random.js').Random} Random
 *
 * @typedef {{operations: number, refusals: number, records: Uint32Array,
 *   marked: import('./intervals.js').Marked[]}} RaceAnswer
 */
import { WallocOutOfMemory, WallocStaleView } from '../../workers/walloc.js';
import { TIERS, recycle } from './actions.js';
import { WORDS } from './intervals.js';

const RECORDS_MAX = 20_000;

/**
 * @param {Walloc} walloc @param {Random} random @param {number} milliseconds
 * @returns {RaceAnswer}
 */
export function allocateAlong(walloc, random, milliseconds) {
  const records = new Uint32Array(RECORDS_MAX * WORDS);
  const end = performance.now() + milliseconds;
  let count = 0;
  let operations = 0;
  let refusals = 0;
  while (count < RECORDS_MAX && (operations % 64 !== 0 || performance.now() < end)) {
    operations++;
    const tier = random.below(TIERS.length);
    const bytes = Math.max(1, Math.floor(2 ** (random.fraction() * 16)));
    const align = random.below(16) === 0 ? 2 ** random.between(3, 16) : 0;
    try {
      const { address, ref } = walloc.tier(TIERS[tier]).allocBytes(bytes, { align });
      records.set([tier, ref.high >>> 8, address, bytes], count++ * WORDS);
    } catch (error) {
      // Thrown away before it was recorded, by the worker that recycles: nothing can be said of it.
      if (error instanceof WallocStaleView) continue;
      if (!(error instanceof WallocOutOfMemory)) throw error;
      refusals++;
    }
  }
  return { operations, refusals, records: records.slice(0, count * WORDS), marked: [] };
}

/**
 * Recycles all tiers at random, again and again.
 *
 * @param {Walloc} walloc @param {Random} random @param {number} milliseconds
 * @returns {RaceAnswer}
 */
export function recycleAlong(walloc, random, milliseconds) {
  const end = performance.now() + milliseconds;
  /** @type {RaceAnswer['marked']} */
  const marked = [];
  let operations = 0;
  while (performance.now() < end) {
    operations++;
    const tier = random.below(TIERS.length);
    const arena = walloc.tier(TIERS[tier]);
    const before = arena.generation; // nobody else ends it
    const mark = arena.mark();
    marked.push({ tier, before, generation: mark.high >>> 8 });
    recycle(arena, random, mark);
  }
  return { operations, refusals: 0, records: new Uint32Array(0), marked };
}
