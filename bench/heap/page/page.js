/**
 * The page of the heap's benchmark: settings, runs, table, summary.
 *
 * Query parameters: those of settings.js, and autostart=1. When it has ended, `window.benchResult` holds
 * what came out.
 *
 * @typedef {import('../summary.mjs').Row} Row
 * @typedef {import('../summary.mjs').Run} Run
 * @typedef {import('./settings.js').Settings} Settings
 *
 * @typedef {object} BenchResult
 * @property {Row[]} rows
 * @property {ReturnType<typeof summarize>} summary of them
 * @property {boolean} same whether every program did the same work
 * @property {boolean} stopped before all rows were there
 * @property {string} error empty without one
 */
import { ALLOCATORS, didTheSame, rowsOf, summarize } from '../summary.mjs';
import { fetchSizes, runOnce } from './programs.js';
import { BENCHES, Controls, queryOf, settingsOf } from './settings.js';
import { tableRow } from './table.js';

/** The programs have not done the same work. */
class Different extends Error {}

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id */
const button = (id) => /** @type {HTMLButtonElement} */ (byId(id));

/** @param {Settings} settings */
const cellsOf = ({ benches, threads }) =>
  benches.flatMap((bench) => threads.map((count) => ({ bench, threads: count })));

class Page {
  #controls = new Controls(
    /** @type {HTMLFormElement} */ (byId('controls')),
    byId('benches'),
    byId('threads'),
  );
  #progress = /** @type {HTMLProgressElement} */ (byId('progress'));
  /** @type {AbortController | null} */
  #running = null;
  /** @type {Row[]} */
  #rows = [];
  /** @type {Record<string, number>} by allocator */
  #sizes = {};

  constructor() {
    byId('controls').addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#running) void this.#run();
    });
    byId('controls').addEventListener('change', () => this.#showChoice());
    byId('stop').addEventListener('click', () => this.#running?.abort());
    byId('all').addEventListener('click', () => this.#choose(BENCHES));
    byId('none').addEventListener('click', () => this.#choose([]));
    byId('copy').addEventListener('click', () => void this.#copy());
  }

  /** @param {URLSearchParams} query */
  applyQuery(query) {
    this.#controls.settings = settingsOf(query);
    this.#showChoice();
    if (query.get('autostart') === '1' && !button('start').disabled) void this.#run();
  }

  /** @param {string[]} benches */
  #choose(benches) {
    this.#controls.settings = { ...this.#controls.settings, benches };
    this.#showChoice();
  }

  #showChoice() {
    const { settings } = this.#controls;
    const rows = cellsOf(settings).length;
    byId('chosen').textContent = `${settings.benches.length} of ${BENCHES.length}`;
    byId('status').textContent = rows > 0 ? 'Ready' : 'Choose a workload and a number of threads';
    button('start').disabled = rows === 0;
  }

  async #run() {
    const { settings } = this.#controls;
    const running = new AbortController();
    this.#running = running;
    this.#begin(settings);
    /** @type {unknown} */
    let error = null;
    try {
      this.#sizes = await fetchSizes();
      this.#showSizes();
      for (const { bench, threads } of cellsOf(settings)) {
        await this.#runRow(bench, threads, settings.rounds, running.signal);
      }
    } catch (caught) {
      error = caught;
    }
    this.#running = null;
    this.#end(running.signal.aborted, error);
  }

  /**
   * @param {string} bench
   * @param {number} threads
   * @param {number} rounds
   * @param {AbortSignal} signal
   */
  async #runRow(bench, threads, rounds, signal) {
    /** @type {Map<string, Run[]>} */
    const runs = new Map(ALLOCATORS.map((allocator) => [allocator, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const [allocator, list] of runs) {
        byId('status').textContent =
          `${bench}, threads: ${threads}, round ${round} of ${rounds}, ${allocator}`;
        list.push(await runOnce(bench, allocator, threads, signal));
        this.#progress.value++;
      }
    }
    if (!didTheSame(runs))
      throw new Different(`${bench}, threads: ${threads}: the checksums differ`);
    this.#addRow(bench, threads, runs);
  }

  /** @param {string} bench @param {number} threads @param {Map<string, Run[]>} runs */
  #addRow(bench, threads, runs) {
    const rows = rowsOf(bench, threads, runs, this.#sizes);
    this.#rows.push(...rows);
    byId('rows').append(tableRow(bench, threads, runs, rows));
    byId('empty').hidden = true;
    this.#showSummary();
  }

  /** @param {Settings} settings */
  #begin(settings) {
    history.replaceState(null, '', `${location.pathname}${queryOf(settings)}`);
    Object.assign(window, { benchResult: undefined });
    this.#rows = [];
    this.#progress.max = cellsOf(settings).length * settings.rounds * ALLOCATORS.length;
    this.#progress.value = 0;
    byId('rows').replaceChildren();
    byId('empty').hidden = false;
    this.#showSummary();
    this.#showVerdict('Running', '');
    this.#setRunning(true);
  }

  /** @param {boolean} stopped @param {unknown} error */
  #end(stopped, error) {
    const rows = this.#rows;
    const message = error instanceof Error && !stopped ? error.message : '';
    this.#setRunning(false);
    this.#showEnd(stopped, message);
    /** @type {BenchResult} */
    const benchResult = {
      rows,
      summary: summarize(rows),
      same: !(error instanceof Different),
      stopped,
      error: message,
    };
    Object.assign(window, { benchResult });
  }

  /** @param {boolean} running */
  #setRunning(running) {
    this.#controls.disabled = running;
    for (const id of ['start', 'all', 'none']) button(id).disabled = running;
    button('stop').disabled = !running;
    button('copy').disabled = running || this.#rows.length === 0;
    byId('download').hidden = running || this.#rows.length === 0;
    if (!running) this.#offerDownload();
    byId('copied').textContent = '';
    if (!running) this.#showChoice();
    button(running ? 'stop' : 'start').focus();
  }

  /** @param {boolean} stopped @param {string} message */
  #showEnd(stopped, message) {
    const count = byId('rows').children.length;
    const what = `${count} ${count === 1 ? 'row' : 'rows'}, each with the same checksum of all four`;
    if (message) this.#showVerdict(`Failed: ${message}`, 'failed');
    else if (stopped) this.#showVerdict(`Stopped: ${what}`, '');
    else this.#showVerdict(`Ended: ${what}`, 'passed');
  }

  /** @param {string} text @param {'' | 'passed' | 'failed'} state */
  #showVerdict(text, state) {
    byId('verdict').className = `verdict ${state}`;
    byId('verdict').textContent = text;
  }

  /** Without rows, or without those of some threads, there are no means. */
  #showSummary() {
    for (const [id, value] of Object.entries(summarize(this.#rows))) {
      byId(id).textContent = Number.isFinite(value) ? value.toFixed(2) : '–';
    }
  }

  #showSizes() {
    const entries = ALLOCATORS.map((name) => {
      const entry = document.createElement('div');
      const [term, size] = [document.createElement('dt'), document.createElement('dd')];
      term.textContent = name;
      size.textContent = this.#sizes[name].toLocaleString('en');
      entry.append(term, size);
      return entry;
    });
    byId('sizes').replaceChildren(...entries);
  }

  get #json() {
    return `${JSON.stringify(this.#rows, null, 1)}\n`;
  }

  #offerDownload() {
    const link = /** @type {HTMLAnchorElement} */ (byId('download'));
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([this.#json], { type: 'application/json' }));
  }

  async #copy() {
    const copying = navigator.clipboard.writeText(this.#json);
    byId('copied').textContent = await copying.then(
      () => 'Copied',
      () => 'The browser does not allow it',
    );
  }
}

const usable = globalThis.crossOriginIsolated;
byId('problems').hidden = usable;
byId('page').hidden = !usable;
if (usable) new Page().applyQuery(new URLSearchParams(location.search));
