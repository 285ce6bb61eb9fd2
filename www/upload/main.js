/**
 * The page on GPU uploads: the exact range of a block beside the whole memory.
 *
 * Query parameters: autostart=1, heap=MiB, block=KiB, frames=N. When it has ended, `window.demoResult` holds the
 * times.
 */
import { Walloc } from '../../workers/walloc.js';
import { Chart } from '../shared/chart.js';
import { ResultCopy, Settings, byId, showMode, startPage } from '../shared/page.js';

const MIB = 2 ** 20;
const KIB = 1024;

/** @param {number[]} numbers */
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** A buffer on the GPU that takes uploads of one size. */
class Target {
  #gl;

  /** @param {WebGL2RenderingContext} gl @param {number} bytes */
  constructor(gl, bytes) {
    this.#gl = gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.DYNAMIC_DRAW);
    if (gl.getError() !== gl.NO_ERROR) throw new Error(`the GPU has no room for ${bytes} bytes`);
  }

  /** Milliseconds until the GPU has it. @param {ArrayBufferView} array */
  time(array) {
    const gl = this.#gl;
    const started = performance.now();
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, array);
    // One pixel is read: then all that was asked for before it is done.
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - started;
  }
}

class Page {
  #settings = new Settings(['heap', 'block', 'frames']);
  #copy = new ResultCopy();
  #chart = new Chart(byId('times'), {
    x: 'frame',
    y: 'ms',
    lines: [
      { label: 'whole heap', colour: '--bad' },
      { label: 'exact range', colour: '--scene' },
    ],
  });
  /** @type {AbortController | null} */
  #running = null;

  constructor() {
    byId('controls').addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.#running) void this.#run();
    });
    byId('controls').addEventListener('input', () => this.#showMode());
    byId('stop').addEventListener('click', () => this.#running?.abort());
    this.#showMode();
    if (this.#settings.isAutostart) void this.#run();
  }

  #showMode() {
    showMode({ threads: 0, maximum: this.#settings.number('heap') * 2 });
  }

  async #run() {
    delete window.demoResult;
    const running = new AbortController();
    this.#running = running;
    this.#setRunning(true);
    this.#verdict('Running');
    let error = '';
    /** @type {{exact: number[], whole: number[]}} */
    const times = { exact: [], whole: [] };
    try {
      await this.#frames(times, running.signal);
    } catch (thrown) {
      if (!running.signal.aborted) error = String(thrown);
    }
    this.#running = null;
    this.#setRunning(false);
    this.#showResult(times, running.signal.aborted, error);
  }

  /** @param {{exact: number[], whole: number[]}} times @param {AbortSignal} signal */
  async #frames(times, signal) {
    const gl = document.createElement('canvas').getContext('webgl2');
    if (!gl) throw new Error('no WebGL2');
    const heap = this.#settings.number('heap') * MIB;
    const walloc = await Walloc.create({ maximum: heap * 2, reserve: heap });
    const frames = this.#settings.number('frames');
    try {
      const block = walloc.render.alloc(Float32Array, (this.#settings.number('block') * KIB) / 4);
      const whole = new Uint8Array(walloc.handle.memory.buffer);
      for (const [name, array] of /** @type {const} */ ([
        ['exact', block.array],
        ['whole', whole],
      ])) {
        const target = new Target(gl, array.byteLength);
        target.time(array); // the first is slower than all others
        for (let frame = 0; frame < frames; frame++) {
          await new Promise(requestAnimationFrame);
          signal.throwIfAborted();
          block.array.fill(frame);
          times[name].push(target.time(array));
          byId('status').textContent = `${name}: frame ${frame + 1} of ${frames}`;
          this.#show(times);
        }
      }
    } finally {
      walloc.detach();
      gl.getExtension('WEBGL_lose_context')?.loseContext();
    }
  }

  /** @param {{exact: number[], whole: number[]}} times */
  #show({ exact, whole }) {
    const frames = exact.map((_, i) => i + 1);
    this.#chart.show(frames, [frames.map((_, i) => whole[i] ?? null), exact]);
  }

  /** @param {{exact: number[], whole: number[]}} times @param {boolean} stopped @param {string} error */
  #showResult({ exact, whole }, stopped, error) {
    const done = !stopped && !error;
    const medians = { exact: median(exact) ?? 0, whole: median(whole) ?? 0 };
    const ratio = medians.whole / medians.exact;
    if (done) {
      byId('exact').textContent = `${medians.exact.toFixed(2)} ms`;
      byId('whole').textContent = `${medians.whole.toFixed(2)} ms`;
      byId('ratio').textContent = ratio.toFixed(1);
      byId('bytes').textContent = `${this.#settings.number('block')} KiB`;
    }
    this.#verdict(
      error
        ? `Failed: ${error}`
        : stopped
          ? 'Stopped'
          : `The whole heap takes ${ratio.toFixed(1)} times as long as the block that changed`,
      error ? 'failed' : done ? 'passed' : '',
    );
    const result = {
      ...{ passed: done, stopped, error, medians, ratio: done ? ratio : null },
      ...{ heap: this.#settings.number('heap'), block: this.#settings.number('block') },
      times: { exact, whole },
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

startPage(() => void new Page(), { webgl: true });
