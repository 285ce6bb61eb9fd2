/**
 * The page with workers to kill.
 *
 * Query parameters: autostart=1, workers=2..8. When it has been stopped, `window.demoResult` holds the numbers.
 *
 * @typedef {{worker: Worker, state: 'works' | 'is being ended' | 'has ended', blocks: number, seen: number,
 *   row: HTMLElement, text: HTMLElement, button: HTMLButtonElement}} Victim `seen`: when it last came on
 */
import '../../workers/map/element.js';
import { Walloc } from '../../workers/walloc.js';
import { ResultCopy, Settings, byId, showMode, startPage } from '../shared/page.js';

const MIB = 2 ** 20;
const MEMORY = { maximum: 256 * MIB, reserve: 16 * MIB };
const PERIOD = 100;

/** Without a block for as long, a worker that lives counts as stalled; in milliseconds. */
const STALLED = 5000;

class Page {
  #settings = new Settings(['workers']);
  #copy = new ResultCopy();
  /** @type {Walloc | null} */
  #walloc = null;
  /** @type {Victim[]} */
  #victims = [];
  #progress = new Int32Array(new SharedArrayBuffer(4 * 8));
  #timer = 0;
  #counts = { killed: 0, recovered: 0, blocks: 0, stalled: 0 };

  constructor() {
    byId('controls').addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.#walloc) void this.#run();
    });
    byId('controls').addEventListener('input', () => this.#showMode());
    byId('stop').addEventListener('click', () => this.#stop());
    this.#showMode();
    if (this.#settings.isAutostart) void this.#run();
  }

  #showMode() {
    showMode({ threads: this.#settings.number('workers'), maximum: MEMORY.maximum / MIB });
  }

  async #run() {
    delete window.demoResult;
    this.#setRunning(true);
    this.#counts = { killed: 0, recovered: 0, blocks: 0, stalled: 0 };
    this.#progress.fill(0);
    const walloc = await Walloc.create(MEMORY);
    this.#walloc = walloc;
    byId('map').source = walloc.handle;
    byId('workers-list').replaceChildren();
    this.#victims = Array.from({ length: this.#settings.number('workers') }, (_, i) =>
      this.#startWorker(walloc, i),
    );
    this.#timer = window.setInterval(() => this.#look(), PERIOD);
    this.#verdict('All work. Kill one.');
  }

  /** @param {Walloc} walloc @param {number} index @returns {Victim} */
  #startWorker(walloc, index) {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    const handle = walloc.handleFor(worker);
    const row = document.createElement('li');
    const text = document.createElement('span');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = `Kill worker ${index + 1}`;
    row.append(button, text);
    byId('workers-list').append(row);
    /** @type {Victim} */
    const victim = {
      ...{ worker, row, text, button },
      state: 'works',
      blocks: 0,
      seen: performance.now(),
    };
    button.addEventListener('click', () => void this.#kill(victim));
    worker.onerror = ({ message }) => this.#verdict(`Worker ${index + 1}: ${message}`, 'failed');
    worker.postMessage({ handle, progress: this.#progress, index });
    return victim;
  }

  /** @param {Victim} victim */
  async #kill(victim) {
    const { worker, button } = victim;
    victim.state = 'is being ended';
    button.disabled = true;
    this.#counts.killed++;
    this.#show();
    const others = this.#victims.filter(({ state }) => state === 'works');
    const walloc = this.#walloc;
    try {
      await walloc?.terminate(worker);
      if (walloc !== this.#walloc) return; // stopped meanwhile
      victim.state = 'has ended';
      this.#counts.recovered++;
      this.#verdict(
        `Killed, and recovered: what it held is free for the others. ${others.length} go on.`,
        'passed',
      );
    } catch (error) {
      this.#verdict(`Recovery has failed: ${error}`, 'failed');
    }
    this.#show();
  }

  /** Ten times a second. */
  #look() {
    const now = performance.now();
    this.#walloc?.entity.reset();
    this.#victims.forEach((victim, i) => {
      const blocks = Atomics.load(this.#progress, i) >>> 0;
      if (blocks !== victim.blocks) victim.seen = now;
      victim.blocks = blocks;
    });
    this.#show();
  }

  #show() {
    const now = performance.now();
    const counts = this.#counts;
    counts.stalled = 0;
    counts.blocks = 0;
    for (const victim of this.#victims) {
      const { state, blocks, seen, row, text } = victim;
      const stalled = state === 'works' && now - seen > STALLED;
      if (stalled) counts.stalled++;
      counts.blocks += blocks;
      row.className = stalled ? 'stalled' : state === 'works' ? 'works' : 'ended';
      text.textContent = `${stalled ? 'waits' : state}: ${blocks.toLocaleString('en')} blocks`;
    }
    for (const [id, value] of Object.entries(counts)) {
      byId(id).textContent = value.toLocaleString('en');
    }
    byId('status').textContent =
      `${this.#victims.filter(({ state }) => state === 'works').length} work`;
  }

  #stop() {
    clearInterval(this.#timer);
    this.#look();
    for (const { worker, button } of this.#victims) {
      worker.terminate();
      button.disabled = true;
    }
    byId('map').capture();
    byId('map').source = null;
    const result = {
      workers: this.#victims.length,
      ...this.#counts,
    };
    this.#walloc = null;
    this.#setRunning(false);
    this.#verdict(
      `Stopped: ${result.killed} killed, ${result.recovered} recovered, ${result.stalled} stalled`,
    );
    this.#copy.offer(result);
    window.demoResult = result;
  }

  /** @param {boolean} running */
  #setRunning(running) {
    byId('start').disabled = running;
    byId('stop').disabled = !running;
    this.#settings.disabled = running;
    byId('status').textContent = running ? 'Starting' : 'Ready';
    byId(running ? 'stop' : 'start').focus();
  }

  /** @param {string} text @param {string} [state] */
  #verdict(text, state = '') {
    byId('verdict').className = `verdict ${state}`;
    byId('verdict').textContent = text;
  }
}

startPage(() => void new Page());
