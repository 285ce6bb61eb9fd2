/**
 * What every demo page does in the same way: starts when nothing is missing, tells its mode, keeps its
 * settings in its address, hands out its result as JSON. Page only.
 */
import { findProblems, showProblems } from './support.js';

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** How long a service worker may take to isolate the page, in milliseconds. */
const ISOLATING = 4000;

/**
 * Shows the page and calls `start`; or shows what is missing. On a host without the headers a service
 * worker is about to isolate the page, and to load it again: then it is given the time to.
 *
 * @param {() => void} start
 * @param {{webgl?: boolean}} [needs]
 */
export function startPage(start, needs) {
  const problems = findProblems(needs);
  const place = byId('problems');
  if (problems.length === 0) {
    byId('page').hidden = false;
    start();
    return;
  }
  const show = () => {
    showProblems(place, problems);
    place.hidden = false;
  };
  const isBeingIsolated =
    problems[0].id === 'isolation' &&
    document.querySelector('script[src$="coi-serviceworker.js"]') &&
    navigator.serviceWorker &&
    !navigator.serviceWorker.controller;
  if (isBeingIsolated) setTimeout(show, ISOLATING);
  else show();
}

/**
 * Tells how the page runs, in its element `mode`.
 *
 * @param {{threads: number | string, maximum: number | string}} mode threads beside the page; maximum in MiB, or a text
 */
export function showMode({ threads, maximum }) {
  const most = typeof maximum === 'string' ? maximum : `at most ${maximum} MiB`;
  const isolated = globalThis.crossOriginIsolated ? 'isolated' : 'not isolated';
  const workers = threads === 1 ? '1 worker' : `${threads || 'no'} workers`;
  byId('mode').textContent = `${isolated} · ${workers} · ${most}`;
}

/** The button `copy`, and `copied` beside it. */
export class ResultCopy {
  #text = '';

  constructor() {
    byId('copy').addEventListener('click', () => void this.#copy());
  }

  /** @param {unknown} result anything that JSON can express */
  offer(result) {
    this.#text = `${JSON.stringify(result, null, 1)}\n`;
    byId('copy').disabled = false;
    byId('copied').textContent = '';
  }

  async #copy() {
    byId('copied').textContent = await navigator.clipboard.writeText(this.#text).then(
      () => 'Copied',
      () => 'The browser does not allow it',
    );
  }
}

/**
 * Form fields whose values are in the page's address, under their ids.
 */
export class Settings {
  #ids;

  /** @param {string[]} ids of inputs and selects */
  constructor(ids) {
    this.#ids = ids;
    const query = new URLSearchParams(location.search);
    for (const id of ids) {
      const field = byId(id);
      const value = query.get(id);
      if (value !== null) this.#take(field, value);
      field.addEventListener('input', () => this.#changed());
    }
    this.#showOutputs();
  }

  /** @param {HTMLInputElement & HTMLSelectElement} field @param {string} value from the address: anything */
  #take(field, value) {
    const before = field.value;
    field.value = value;
    if (field.value !== value || !field.checkValidity()) field.value = before;
  }

  /** A number; whole, and within the field's bounds. @param {string} id */
  number(id) {
    const field = byId(id);
    const value = Math.floor(Number(field.value)) || 0;
    return Math.min(Math.max(value, Number(field.min || 0)), Number(field.max || value));
  }

  /** @param {string} id */
  text(id) {
    return String(byId(id).value);
  }

  /** @param {boolean} disabled */
  set disabled(disabled) {
    for (const id of this.#ids) byId(id).disabled = disabled;
  }

  get isAutostart() {
    return new URLSearchParams(location.search).get('autostart') === '1';
  }

  #changed() {
    this.#showOutputs();
    const query = new URLSearchParams(location.search);
    for (const id of this.#ids) query.set(id, byId(id).value);
    query.delete('autostart');
    history.replaceState(null, '', `?${query}`);
  }

  #showOutputs() {
    for (const id of this.#ids) {
      const output = document.querySelector(`output[for=${id}]`);
      if (output) output.textContent = byId(id).value;
    }
  }
}
