/**
 * The stress page: settings, counters, verdict.
 *
 * Query parameters: autostart=1, workers=2..8, seconds=N, seed=N. When it has ended,
 * `window.stressResult` holds what came out.
 *
 * @typedef {import('./stress.js').StressResult} StressResult
 */
import { ConsolePane } from '../shared/console-pane.js';
import { ResultCopy, Settings, showMode, startPage } from '../shared/page.js';
import { TierBars } from '../shared/tier-bars.js';
import { MEMORY, Stress } from './stress.js';

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id */
const input = (id) => /** @type {HTMLInputElement} */ (byId(id));
/** @param {string} id */
const button = (id) => /** @type {HTMLButtonElement} */ (byId(id));
/** @param {number} value */
const text = (value) => value.toLocaleString('en');

class Page {
  #pane = new ConsolePane(byId('console'));
  #bars = new TierBars(byId('tiers'), byId('memory-total'));
  #copy = new ResultCopy();
  /** @type {AbortController | null} */
  #running = null;

  constructor() {
    input('seed').value = String(Math.floor(Math.random() * 0x100000000));
    const settings = new Settings(['workers', 'seconds', 'seed']);
    byId('controls').addEventListener('input', () => this.#showMode());
    this.#showMode();
    byId('controls').addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#running) void this.#run();
    });
    byId('stop').addEventListener('click', () => this.#running?.abort());
    if (settings.isAutostart) void this.#run();
  }

  #showMode() {
    showMode({ threads: Number(input('workers').value), maximum: MEMORY.maximum / 2 ** 20 });
  }

  async #run() {
    const settings = {
      workers: Number(input('workers').value), // the range input keeps it within 2 to 8
      seconds: Math.max(1, Number(input('seconds').value) || 1),
      seed: Number(input('seed').value) >>> 0,
    };
    const running = new AbortController();
    this.#running = running;
    this.#setRunning(true);
    delete window.stressResult;
    this.#pane.restart();
    this.#pane.line(`${settings.workers} workers, ${settings.seconds} s, seed ${settings.seed}`);
    this.#showVerdict('Running', '');
    const stress = new Stress(settings, running.signal);
    const result = await stress.run(() => {
      this.#bars.walloc = stress.walloc;
      this.#bars.tick(performance.now());
      this.#showCounters(stress.result);
    });
    this.#bars.walloc = null;
    this.#running = null;
    this.#setRunning(false);
    this.#showCounters(result);
    this.#showCounters(result);
    this.#showResult(result);
    this.#copy.offer(result);
    window.stressResult = result;
  }

  /** @param {boolean} running */
  #setRunning(running) {
    button('start').disabled = running;
    button('stop').disabled = !running;
    for (const name of ['workers', 'seconds', 'seed']) input(name).disabled = running;
    byId('status').className = 'status';
    button(running ? 'stop' : 'start').focus();
  }

  /** @param {StressResult} result */
  #showCounters(result) {
    const { operations, refusals, rounds, races, raced, resets, violations, seconds } = result;
    const numbers = { operations, raced, resets, refusals, rounds, races, violations };
    for (const [id, value] of Object.entries(numbers)) byId(id).textContent = text(value);
    byId('status').textContent = `${seconds.toFixed(1)} of ${input('seconds').value} s`;
  }

  /** @param {string} verdict @param {'' | 'passed' | 'failed'} state */
  #showVerdict(verdict, state) {
    byId('verdict').className = `verdict ${state}`;
    byId('verdict').textContent = verdict;
  }

  /** @param {StressResult} result */
  #showResult({ passed, stopped, violations, operations, messages, error, settings, seconds }) {
    const word = stopped ? 'Stopped' : passed ? 'Passed' : 'Failed';
    byId('status').textContent = word;
    byId('status').className = `status ${word.toLowerCase()}`;
    for (const message of messages) this.#pane.line(message, 'bad');
    if (error) this.#pane.line(error, 'bad');
    const what = `${text(operations)} operations in ${seconds.toFixed(1)} s, ${violations} violations`;
    if (stopped) this.#showVerdict(`Stopped: ${what}`, violations ? 'failed' : '');
    else if (passed) this.#showVerdict(`Passed: ${what}`, 'passed');
    else this.#showVerdict(`Failed: ${what}${error ? `; ${error}` : ''}`, 'failed');
    this.#pane.line(`${what}; seed ${settings.seed}`, passed ? 'good' : stopped ? 'info' : 'bad');
  }
}

startPage(() => void new Page());
