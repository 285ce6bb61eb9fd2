/**
 * Numbers over time, out of the snapshots of the map: what was taken and recycled, growths, peaks.
 *
 * @typedef {import('../../workers/map/snapshot.js').Snapshot} Snapshot
 */

const MIB = 2 ** 20;
const KEPT = 600;
const BUCKETS = 16;
const RATE_PERIOD = 0.5; // seconds over which a rate is taken

export class Statistics {
  /** @type {{seconds: number, allocated: number[], recycled: number, growths: number}[]} */
  #samples = [];
  /** @type {number[]} */
  #peaks = [];
  #started = performance.now();

  /** @param {Snapshot} snapshot */
  add({ arenas }) {
    const tiers = arenas.slice(0, 3);
    this.#samples.push({
      seconds: (performance.now() - this.#started) / 1000,
      allocated: tiers.map(({ recycled, used }) => recycled + used),
      recycled: tiers.reduce((sum, arena) => sum + arena.recycled, 0),
      growths: tiers.reduce((sum, arena) => sum + arena.growths, 0),
    });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  /** @param {number} bytes of the render tier at the end of a frame */
  addPeak(bytes) {
    this.#peaks.push(bytes);
    if (this.#peaks.length > KEPT) this.#peaks.shift();
  }

  get last() {
    return this.#samples.at(-1);
  }

  /** MiB each second of each tier. @returns {[number[], (number | null)[][]]} */
  rates() {
    const samples = this.#samples;
    /** @type {(number | null)[][]} */
    const lines = [[], [], []];
    let from = 0;
    for (const { seconds, allocated } of samples) {
      while (seconds - samples[from + 1]?.seconds > RATE_PERIOD) from++;
      const spent = seconds - samples[from].seconds;
      allocated.forEach((bytes, tier) => {
        lines[tier].push(spent > 0 ? (bytes - samples[from].allocated[tier]) / spent / MIB : null);
      });
    }
    return [samples.map(({ seconds }) => seconds), lines];
  }

  /** GiB recycled, and growths. @returns {[number[], (number | null)[][]]} */
  totals() {
    return [
      this.#samples.map(({ seconds }) => seconds),
      [
        this.#samples.map(({ recycled }) => recycled / MIB / 1024),
        this.#samples.map(({ growths }) => growths),
      ],
    ];
  }

  /** How many frames had a peak of how many MiB. @returns {[number[], (number | null)[][]]} */
  histogram() {
    if (this.#peaks.length === 0) return [[], [[]]];
    const most = Math.max(...this.#peaks);
    const width = Math.max(most / BUCKETS, 1);
    const counts = new Array(BUCKETS).fill(0);
    for (const peak of this.#peaks) counts[Math.min(BUCKETS - 1, Math.floor(peak / width))]++;
    return [counts.map((_, i) => ((i + 0.5) * width) / MIB), [counts]];
  }
}
