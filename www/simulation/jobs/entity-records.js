/**
 * Many small blocks of mixed sizes in the entity tier: what a game keeps of bullets, sparks, events.
 *
 * Each worker fills its blocks with a pattern of its own after a reset of the tier, and looks just
 * before the next one whether all are still as they were. A block that overlaps another worker's
 * would show.
 */

/**
 * @typedef {import('../../../workers/walloc.js').Arena} Arena
 * @typedef {import('../../shared/random.js').Random} Random
 */
import { ENTITY_PERIOD } from '../plan.js';

export class EntityRecords {
  #entity;
  #worker;
  #random;

  /** @type {{array: Uint32Array, pattern: number}[]} */
  #blocks = [];

  made = 0;
  damaged = 0;

  /** @param {Arena} entity @param {number} worker @param {Random} random */
  constructor(entity, worker, random) {
    this.#entity = entity;
    this.#worker = worker;
    this.#random = random;
  }

  /**
   * @param {number} frame since the reset of the tier: 0 is the first one after it
   * @param {number} count of blocks to make after each reset
   */
  runFrame(frame, count) {
    if (frame === 0) this.#make(count);
    if (frame === ENTITY_PERIOD - 1) this.#check();
  }

  /** @param {number} count */
  #make(count) {
    this.#blocks = [];
    for (let i = 0; i < count; i++) {
      const array = this.#entity.alloc(Uint32Array, this.#random.between(2, 24)).array;
      const pattern = ((this.#worker + 1) << 24) | (this.made++ & 0xffffff);
      array.fill(pattern);
      this.#blocks.push({ array, pattern });
    }
  }

  #check() {
    for (const { array, pattern } of this.#blocks) {
      if (!array.every((word) => word === pattern >>> 0)) this.damaged++;
    }
  }
}
