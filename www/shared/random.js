/**
 * Random numbers that can be had again: the same seed gives the same sequence.
 *
 * An object belongs to one thread. Give each thread a seed of its own (`seedFor`).
 */
export class Random {
  #state;

  /** @param {number} seed any number; its low 32 bits count */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** @returns {number} unsigned 32 bit (mulberry32) */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** @param {number} count @returns {number} 0 to count - 1 */
  below(count) {
    return Math.floor((this.next() / 0x100000000) * count);
  }

  /** @param {number} low @param {number} high @returns {number} low to high, both included */
  between(low, high) {
    return low + this.below(high - low + 1);
  }

  /** @returns {number} 0 to just under 1 */
  fraction() {
    return this.next() / 0x100000000;
  }
}

/** @param {number} seed of the whole run @param {number} thread @returns {number} */
export function seedFor(seed, thread) {
  return new Random((seed + Math.imul(thread + 1, 0x9e3779b9)) >>> 0).next();
}
