/**
 * The page that compares: the same frames with a JavaScript object for each object, with malloc and free, and
 * out of an arena.
 *
 * Query parameters: autostart=1, objects=N, frames=N. When it has ended, `window.demoResult` holds what came out.
 *
 * @typedef {keyof typeof WAYS} Name
 * @typedef {{times: number[], median: number, pause: number, paused: number, checksum: number}} Measured
 *   milliseconds: of each frame, their median, the most beyond it, and all beyond twice of it
 */
import { Chart } from '../shared/chart.js';
import { ResultCopy, Settings, byId, showMode, startPage } from '../shared/page.js';
import { WAYS } from './ways.js';

const NAMES = /** @type {Name[]} */ (Object.keys(WAYS));
const WARM_UP = 20;
const STEP = 1 / 60;

const LINES = [
  { label: 'JavaScript objects', colour: '--bad' },
  { label: 'malloc and free', colour: '--entity' },
  { label: 'arena', colour: '--scene' },
];

/** @param {number[]} times @param {number} checksum @returns {Measured} */
function measured(times, checksum) {
  const median = [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;
  const beyond = times.map((time) => Math.max(0, time - median));
  const paused = beyond.reduce((sum, time) => sum + (time > median ? time : 0), 0);
  return { times, median, pause: Math.max(0, ...beyond), paused, checksum };
}

class Page {
  #settings = new Settings(['objects', 'frames']);
  #copy = new ResultCopy();
  #frameChart = new Chart(byId('frame-times'), { x: 'frame', y: 'ms', lines: LINES });
  #pauseChart = new Chart(byId('pauses'), { x: 'frame', y: 'ms', lines: LINES });
  /** @type {AbortController | null} */
  #running = null;
  /** @type {Partial<Record<Name, Measured>>} */
  #results = {};

  constructor() {
    byId('controls').addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.#running) void this.#run();
    });
    byId('stop').addEventListener('click', () => this.#running?.abort());
    showMode({ threads: 0, maximum: 256 });
    if (this.#settings.isAutostart) void this.#run();
  }

  async #run() {
    delete window.demoResult;
    const running = new AbortController();
    this.#running = running;
    this.#results = {};
    this.#setRunning(true);
    this.#verdict('Running');
    let error = '';
    try {
      for (const name of NAMES) await this.#measure(name, running.signal);
    } catch (thrown) {
      if (!running.signal.aborted) error = String(thrown);
    }
    this.#running = null;
    this.#setRunning(false);
    this.#end(running.signal.aborted, error);
  }

  /** @param {Name} name @param {AbortSignal} signal */
  async #measure(name, signal) {
    const frames = this.#settings.number('frames');
    const way = await WAYS[name](this.#settings.number('objects'));
    try {
      /** @type {number[]} */
      const times = [];
      let checksum = 0;
      for (let frame = -WARM_UP; frame < frames; frame++) {
        await new Promise(requestAnimationFrame);
        signal.throwIfAborted();
        const started = performance.now();
        const sum = way.frame(frame * STEP);
        if (frame < 0) continue;
        times.push(performance.now() - started);
        checksum = (checksum * 33 + sum) | 0;
        if (frame % 10 > 0 && frame + 1 < frames) continue;
        this.#results[name] = measured(times, checksum);
        this.#show();
        byId('status').textContent = `${name}: frame ${frame + 1} of ${frames}`;
      }
    } finally {
      way.end();
    }
  }

  #show() {
    const frames = Array.from({ length: this.#settings.number('frames') }, (_, i) => i + 1);
    const lineOf = (/** @type {(result: Measured, i: number) => number} */ value) =>
      NAMES.map((name) => {
        const result = this.#results[name];
        return frames.map((_, i) => (result && i < result.times.length ? value(result, i) : null));
      });
    this.#frameChart.show(
      frames,
      lineOf(({ times }, i) => times[i]),
    );
    this.#pauseChart.show(
      frames,
      lineOf(({ times, median }, i) => Math.max(0, times[i] - median)),
    );
    for (const name of NAMES) {
      const result = this.#results[name];
      if (!result) continue;
      byId(`${name}-median`).textContent = `${result.median.toFixed(2)} ms`;
      byId(`${name}-pause`).textContent = `${result.pause.toFixed(2)} ms`;
      byId(`${name}-paused`).textContent = `${result.paused.toFixed(1)} ms`;
    }
  }

  /** @param {boolean} stopped @param {string} error */
  #end(stopped, error) {
    const sums = NAMES.map((name) => this.#results[name]?.checksum);
    const same = sums.every((sum) => sum !== undefined && sum === sums[0]);
    const passed = same && !stopped && !error;
    const { objects, tier } = this.#results;
    this.#verdict(
      stopped
        ? 'Stopped'
        : passed && objects && tier
          ? `A frame takes ${(objects.median / tier.median).toFixed(1)} times as long with objects as out of an arena, ` +
            `and pauses up to ${objects.pause.toFixed(1)} instead of ${tier.pause.toFixed(1)} ms`
          : `Failed: ${error || 'the ways have not computed the same'}`,
      stopped ? '' : passed ? 'passed' : 'failed',
    );
    const result = {
      ...{ passed, stopped, error, same, results: this.#results },
      ...{ objects: this.#settings.number('objects'), frames: this.#settings.number('frames') },
    };
    this.#copy.offer(result);
    window.demoResult = result;
  }

  /** @param {boolean} running */
  #setRunning(running) {
    byId('start').disabled = running;
    byId('stop').disabled = !running;
    this.#settings.disabled = running;
    if (!running) byId('status').textContent = 'Ready';
    byId(running ? 'stop' : 'start').focus();
  }

  /** @param {string} text @param {string} [state] */
  #verdict(text, state = '') {
    byId('verdict').className = `verdict ${state}`;
    byId('verdict').textContent = text;
  }
}

startPage(() => void new Page());
