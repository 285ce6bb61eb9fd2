/**
 * The ordered half of the stress: each worker fills blocks with patterns of its own, and looks
 * whether they are what they should be after everybody has filled, and after somebody has recycled.
 *
 * Worker only. The page separates the steps by barriers (it waits for all answers), so here every
 * byte of every valid block may be looked at.
 *
 * @typedef {import('../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../../workers/walloc.js').View<any>} View
 * @typedef {import('../shared/random.js').Random} Random
 * @typedef {import('./actions.js').Action} Action
 * @typedef {import('./actions.js').TierName} TierName
 */
import { WallocOutOfMemory } from '../../workers/walloc.js';
import { ALIGNMENTS, TIERS } from './actions.js';

/** @typedef {{view: View, array: Uint32Array, pattern: number, round: number}} Block */

export class OrderedWork {
  #walloc;
  #worker;
  #random;
  #serial = 0;
  #round = 0;

  /** @type {Record<TierName, Block[]>} */
  #blocks = { render: [], scene: [], entity: [] };

  /** @param {Walloc} walloc @param {number} worker @param {Random} random */
  constructor(walloc, worker, random) {
    this.#walloc = walloc;
    this.#worker = worker;
    this.#random = random;
  }

  /**
   * Allocates and writes.
   *
   * @param {number} count of blocks
   * @returns {{operations: number, refusals: number, violations: string[]}}
   */
  fill(count) {
    this.#round++;
    /** @type {string[]} */
    const violations = [];
    let refusals = 0;
    for (let i = 0; i < count; i++) {
      const tier = TIERS[this.#random.below(TIERS.length)];
      try {
        this.#add(tier, violations);
      } catch (error) {
        if (!(error instanceof WallocOutOfMemory)) throw error;
        refusals++;
      }
    }
    return { operations: count, refusals, violations };
  }

  /** @param {TierName} tier @param {string[]} violations */
  #add(tier, violations) {
    const random = this.#random;
    // Mostly small, some of many pages: sizes spread evenly over their logarithm.
    const words = Math.max(1, Math.floor(2 ** (random.fraction() * 15)));
    const align = random.below(8) === 0 ? 2 ** random.between(3, 14) : 0;
    const view = this.#walloc.tier(tier).alloc(Uint32Array, words, { align });
    const wanted = Math.max(align, ALIGNMENTS[tier]);
    if (view.address % wanted !== 0) {
      violations.push(`${tier}: block at ${view.address} is not aligned to ${wanted}`);
    }
    const pattern = (((this.#worker + 1) << 24) | (this.#serial++ & 0xffffff)) >>> 0;
    view.array.fill(pattern);
    this.#blocks[tier].push({ view, array: view.array, pattern, round: this.#round });
  }

  /**
   * Looks at all blocks after a recycling (or none) and forgets those that are gone.
   *
   * @param {Record<TierName, Action>} actions what was done to each tier
   * @returns {{operations: number, violations: string[]}}
   */
  settle(actions) {
    /** @type {string[]} */
    const violations = [];
    let operations = 0;
    for (const tier of TIERS) {
      for (const block of this.#blocks[tier]) {
        operations++;
        const { valid } = block.view;
        const expected = this.#shouldBeValid(actions[tier], block);
        if (expected !== null && valid !== expected) {
          violations.push(
            `${tier}: a block of round ${block.round} is ${valid ? 'valid' : 'stale'} ` +
              `after ${actions[tier]} in round ${this.#round}`,
          );
        }
        if (valid && !this.#isIntact(block)) {
          violations.push(`${tier}: a block at ${block.view.address} was overwritten`);
        }
      }
      this.#blocks[tier] = this.#blocks[tier].filter(({ view }) => view.valid);
    }
    return { operations, violations };
  }

  /**
   * @param {Action} action @param {Block} block
   * @returns {boolean | null} null: it depends on where the block lies
   */
  #shouldBeValid(action, { round }) {
    if (action === 'reset') return false;
    if (action === 'compact to a part') return null;
    if (action === 'rewind') return round < this.#round; // the mark was set before this round
    return true;
  }

  /** @param {Block} block */
  #isIntact({ array, pattern }) {
    for (let i = 0; i < array.length; i++) if (array[i] !== pattern) return false;
    return true;
  }
}
