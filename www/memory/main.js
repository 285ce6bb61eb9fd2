/**
 * The 4 GiB page: settings, progress, checks.
 *
 * Query parameters: autostart=1, workers=1..8. When it has ended, `window.memoryResult` holds what
 * came out.
 *
 * @typedef {import('./trial.js').MemoryResult} MemoryResult
 */
import { ChecksView } from '../shared/checks-view.js';
import { ConsolePane } from '../shared/console-pane.js';
import { ResultCopy, Settings, showMode, startPage } from '../shared/page.js';
import { TierBars } from '../shared/tier-bars.js';
import { GIB } from './blocks.js';
import { Trial, declareChecks } from './trial.js';

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id */
const button = (id) => /** @type {HTMLButtonElement} */ (byId(id));

class Page {
  #workers = /** @type {HTMLInputElement} */ (byId('workers'));
  #progress = /** @type {HTMLProgressElement} */ (byId('progress'));
  #pane = new ConsolePane(byId('console'));
  #checks = new ChecksView(byId('checks'), byId('verdict'));
  #bars = new TierBars(byId('tiers'), byId('memory-total'));
  #copy = new ResultCopy();
  /** @type {AbortController | null} */
  #running = null;

  constructor() {
    const settings = new Settings(['workers']);
    byId('controls').addEventListener('input', () => this.#showMode());
    this.#showMode();
    byId('controls').addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#running) void this.#run();
    });
    byId('stop').addEventListener('click', () => this.#running?.abort());
    this.#checks.showAll(declareChecks().list());
    if (settings.isAutostart) void this.#run();
  }

  #showMode() {
    showMode({ threads: Number(this.#workers.value), maximum: 'at most 4 GiB' });
  }

  async #run() {
    const running = new AbortController();
    this.#running = running;
    this.#setRunning(true);
    delete window.memoryResult;
    this.#pane.restart();
    this.#pane.line(`${this.#workers.value} workers take all the memory there is`);
    this.#checks.showAll(declareChecks().list());
    this.#checks.showVerdict('Running');

    const trial = new Trial(
      Number(this.#workers.value),
      {
        log: (text) => this.#pane.line(text),
        onCheck: (check) => {
          this.#checks.show(check);
          const { title, state, detail } = check;
          this.#pane.line(`${state}: ${title} (${detail})`, state === 'failed' ? 'bad' : 'good');
        },
        onStep: () => this.#showProgress(trial),
      },
      running.signal,
    );
    const result = await trial.run();

    this.#bars.refresh();
    this.#bars.walloc = null; // lets the memory go
    this.#running = null;
    this.#setRunning(false);
    this.#showResult(result);
    this.#copy.offer(result);
    window.memoryResult = result;
  }

  /** @param {Trial} trial */
  #showProgress({ walloc, reached, blocks, verified }) {
    this.#bars.walloc = walloc;
    this.#bars.tick(performance.now());
    this.#progress.value = reached / GIB;
    byId('reached').textContent = `${(reached / GIB).toFixed(4)} GiB`;
    byId('blocks').textContent = blocks.toLocaleString('en');
    byId('verified').textContent = `${(verified / 2 ** 20).toFixed(1)} MiB`;
    byId('status').textContent = `${(reached / GIB).toFixed(2)} of 4 GiB`;
  }

  /** @param {boolean} running */
  #setRunning(running) {
    button('start').disabled = running;
    button('stop').disabled = !running;
    this.#workers.disabled = running;
    byId('status').className = 'status';
    button(running ? 'stop' : 'start').focus();
  }

  /** @param {MemoryResult} result */
  #showResult({ passed, stopped, error, checks, reached, seconds }) {
    const held = checks.filter((check) => check.passed).length;
    const all = `${held} of ${checks.length} checks held`;
    const what = `${all}, up to ${(reached / GIB).toFixed(4)} GiB, ${seconds.toFixed(1)} s`;
    const word = stopped ? 'Stopped' : passed ? 'Passed' : 'Failed';
    if (error) this.#pane.line(error, 'bad');
    this.#checks.showVerdict(
      `${word}: ${what}${error ? `; ${error}` : ''}`,
      stopped ? '' : passed ? 'passed' : 'failed',
    );
    byId('status').textContent = word;
    byId('status').className = `status ${word.toLowerCase()}`;
    this.#pane.line(`${word}: ${what}`, passed ? 'good' : stopped ? 'info' : 'bad');
  }
}

startPage(() => void new Page());
