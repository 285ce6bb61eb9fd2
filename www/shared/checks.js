/**
 * Named checks: what a run claims, whether it held, and the numbers that show it.
 *
 * Every check is declared before the run, so that one that was never reached counts as failed and not
 * as absent. A check that has failed stays failed.
 *
 * @typedef {'pending' | 'passed' | 'failed'} CheckState
 * @typedef {{id: string, phase: string, title: string, state: CheckState, detail: string}} Check
 * @typedef {{id: string, name: string, passed: boolean, detail: string}} Outcome of a check, for programs
 */
export class Checks {
  /** @type {Map<string, Check>} */
  #checks = new Map();

  /** @type {(check: Check) => void} */
  #changed;

  /** @param {(check: Check) => void} [changed] called for each check that has a new state */
  constructor(changed = () => {}) {
    this.#changed = changed;
  }

  /**
   * @param {string} phase
   * @param {Record<string, string>} titles by id
   */
  declare(phase, titles) {
    for (const [id, title] of Object.entries(titles)) {
      if (this.#checks.has(id)) throw new Error(`check ${id} declared twice`);
      this.#checks.set(id, { id, phase, title, state: 'pending', detail: '' });
    }
  }

  /**
   * @param {string} id of a declared check
   * @param {boolean} holds
   * @param {string} [detail]
   */
  report(id, holds, detail = '') {
    const check = this.#checks.get(id);
    if (!check) throw new Error(`no check ${id}`);
    if (check.state === 'failed') return; // the first failure tells most
    check.state = holds ? 'passed' : 'failed';
    check.detail = detail;
    this.#changed(check);
  }

  /** @param {string} id @returns {boolean} */
  hasFailed(id) {
    return this.#checks.get(id)?.state === 'failed';
  }

  /** @returns {Check[]} in the order of declaration; copies */
  list() {
    return [...this.#checks.values()].map((check) => ({ ...check }));
  }

  /** @returns {Outcome[]} a check that was never made has not passed */
  outcomes() {
    return this.list().map(({ id, title, state, detail }) => ({
      id,
      name: title,
      passed: state === 'passed',
      detail: state === 'pending' ? 'not reached' : detail,
    }));
  }

  /** True when every check was made and held. */
  get passed() {
    return this.list().every((check) => check.state === 'passed');
  }
}
