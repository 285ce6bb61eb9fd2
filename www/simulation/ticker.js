/**
 * Calls a function once per animation frame of the browser, while started. Page only.
 *
 * A hidden page gets no animation frames: the simulation rests then, its workers asleep at the gate.
 */
export class Ticker {
  #handle = 0;
  #tick;

  /** @param {(now: number) => void} tick with the time in milliseconds */
  constructor(tick) {
    this.#tick = tick;
  }

  start() {
    if (this.#handle) return;
    const next = (/** @type {number} */ now) => {
      this.#handle = requestAnimationFrame(next);
      this.#tick(now);
    };
    this.#handle = requestAnimationFrame(next);
  }

  stop() {
    cancelAnimationFrame(this.#handle);
    this.#handle = 0;
  }
}
