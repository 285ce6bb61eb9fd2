/**
 * What to run: from the address to the controls, and from the controls to the address.
 *
 * Query parameters: only=pair,replay (names of workloads, without it all of the heap's), threads=1,2, rounds=N.
 *
 * @typedef {object} Settings
 * @property {string[]} benches
 * @property {number[]} threads
 * @property {number} rounds
 */
import { PROGRAMS, THREADS, WORKLOADS } from '../summary.mjs';

/** All that the page offers. */
export const BENCHES = [...WORKLOADS, ...PROGRAMS];

export const ROUNDS = 3;
const ROUNDS_MOST = 99;

/** @param {string[]} names replay stands for every trace */
const workloadsNamed = (names) =>
  BENCHES.filter((bench) => names.some((name) => bench === name || bench.startsWith(`${name}:`)));

/** @param {URLSearchParams} query @returns {Settings} */
export function settingsOf(query) {
  const only = query.get('only')?.split(',');
  const threads = query.get('threads')?.split(',').map(Number);
  const rounds = Math.floor(Number(query.get('rounds') ?? ROUNDS));
  return {
    benches: only ? workloadsNamed(only) : WORKLOADS,
    threads: threads ? THREADS.filter((count) => threads.includes(count)) : THREADS,
    rounds: rounds >= 1 ? Math.min(rounds, ROUNDS_MOST) : ROUNDS,
  };
}

/** What differs from the defaults. @param {Settings} settings */
export function queryOf({ benches, threads, rounds }) {
  const query = [];
  if (String(benches) !== String(WORKLOADS)) query.push(`only=${benches}`);
  if (threads.length < THREADS.length) query.push(`threads=${threads}`);
  if (rounds !== ROUNDS) query.push(`rounds=${rounds}`);
  return query.length > 0 ? `?${query.join('&')}` : '';
}

/** @param {HTMLElement} place @param {string} name @param {(string | number)[]} values */
function addBoxes(place, name, values) {
  for (const value of values) {
    const label = document.createElement('label');
    const box = document.createElement('input');
    Object.assign(box, { type: 'checkbox', name, value: String(value) });
    label.append(box, String(value));
    place.append(label);
  }
}

/** The controls of a form. */
export class Controls {
  #form;

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} benches where a box for each workload goes
   * @param {HTMLElement} threads where a box for each number goes
   */
  constructor(form, benches, threads) {
    this.#form = form;
    addBoxes(benches, 'bench', BENCHES);
    addBoxes(threads, 'threads', THREADS);
  }

  /** @param {string} name @returns {HTMLInputElement[]} */
  #boxes(name) {
    return [...this.#form.querySelectorAll(`input[name=${name}]`)].map(
      (box) => /** @type {HTMLInputElement} */ (box),
    );
  }

  get #rounds() {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem('rounds'));
  }

  /** @returns {Settings} */
  get settings() {
    const data = new FormData(this.#form);
    return {
      benches: data.getAll('bench').map(String),
      threads: data.getAll('threads').map(Number),
      rounds: Number(this.#rounds.value),
    };
  }

  /** @param {Settings} settings */
  set settings({ benches, threads, rounds }) {
    for (const box of this.#boxes('bench')) box.checked = benches.includes(box.value);
    for (const box of this.#boxes('threads')) box.checked = threads.includes(Number(box.value));
    this.#rounds.value = String(rounds);
  }

  /** @param {boolean} disabled */
  set disabled(disabled) {
    for (const box of [...this.#boxes('bench'), ...this.#boxes('threads')]) box.disabled = disabled;
    this.#rounds.disabled = disabled;
  }
}
