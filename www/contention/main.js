/**
 * The contention page: runs bench/contention.c in a worker, and draws its curves while it runs.
 *
 * Query parameters: autostart=1, threads=1..16, milliseconds=N. When it has ended, `window.demoResult` holds
 * what came out.
 *
 * @typedef {{threads: number, malloc: number, cursor: number, lanes: number}} Row millions of blocks each second
 */
import { Chart } from '../shared/chart.js';
import { ResultCopy, Settings, byId, showMode, startPage } from '../shared/page.js';

const WAYS = /** @type {const} */ (['malloc', 'cursor', 'lanes']);

/** From the end of the program to that of its worker, in which the worker's own end: Chromium keeps the memory otherwise. */
const REST = 1000;

class Page {
  #settings = new Settings(['threads', 'milliseconds']);
  #copy = new ResultCopy();
  #chart = new Chart(byId('curves'), {
    x: 'threads',
    y: 'M blocks/s',
    lines: [
      { label: 'malloc', colour: '--bad' },
      { label: 'one cursor', colour: '--entity' },
      { label: 'lanes', colour: '--scene' },
    ],
  });
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Row[]} */
  #rows = [];

  constructor() {
    byId('controls').addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.#worker) this.#run();
    });
    byId('controls').addEventListener('input', () => this.#showMode());
    byId('stop').addEventListener('click', () => this.#end('Stopped', ''));
    this.#showMode();
    if (this.#settings.isAutostart) this.#run();
  }

  #showMode() {
    showMode({ threads: this.#settings.number('threads'), maximum: 1024 });
  }

  #run() {
    delete window.demoResult;
    this.#rows = [];
    byId('rows').replaceChildren();
    this.#setRunning(true);
    this.#verdict('Running', '');
    const worker = new Worker(new URL('programs/program.js', document.baseURI));
    this.#worker = worker;
    worker.onerror = ({ message }) => this.#end(`Failed: ${message ?? 'no program'}`, 'failed');
    worker.onmessage = ({ data }) => {
      if (worker !== this.#worker) return;
      if (data.line) this.#add(JSON.parse(data.line));
      else if (data.status === 0) this.#end(this.#summary(), 'passed');
      else this.#end(`Failed: ${data.error || `status ${data.status}`}`, 'failed');
    };
    const settings = ['threads', 'milliseconds'].map((id) => String(this.#settings.number(id)));
    worker.postMessage(settings);
  }

  /** @param {Row} row */
  #add(row) {
    this.#rows.push(row);
    const line = document.createElement('tr');
    const head = document.createElement('th');
    head.scope = 'row';
    head.textContent = String(row.threads);
    line.append(head);
    for (const way of WAYS) line.insertCell().textContent = row[way].toFixed(1);
    byId('rows').append(line);
    byId('status').textContent = `${row.threads} of ${this.#settings.number('threads')} threads`;
    this.#chart.show(
      this.#rows.map(({ threads }) => threads),
      WAYS.map((way) => this.#rows.map((one) => one[way])),
    );
  }

  #summary() {
    const last = this.#rows[this.#rows.length - 1];
    const times = (/** @type {'cursor' | 'lanes'} */ way) => (last[way] / last.malloc).toFixed(1);
    return (
      `${last.threads} ${last.threads === 1 ? 'thread' : 'threads'}: lanes take ${times('lanes')} times as many blocks as malloc, ` +
      `one cursor ${times('cursor')} times`
    );
  }

  /** @param {string} text @param {string} state */
  #end(text, state) {
    const worker = this.#worker;
    if (!worker) return;
    this.#worker = null;
    if (state === 'passed') setTimeout(() => worker.terminate(), REST);
    else worker.terminate();
    this.#setRunning(false);
    this.#verdict(text, state);
    const result = {
      ...{ passed: state === 'passed', milliseconds: this.#settings.number('milliseconds') },
      ...{ cores: navigator.hardwareConcurrency, rows: this.#rows },
    };
    this.#copy.offer(result);
    window.demoResult = result;
  }

  /** @param {string} text @param {string} state */
  #verdict(text, state) {
    byId('verdict').className = `verdict ${state}`;
    byId('verdict').textContent = text;
  }

  /** @param {boolean} running */
  #setRunning(running) {
    byId('start').disabled = running;
    byId('stop').disabled = !running;
    this.#settings.disabled = running;
    byId('status').textContent = running ? 'Running' : 'Ready';
    byId(running ? 'stop' : 'start').focus();
  }
}

startPage(() => void new Page());
