/**
 * Shows checks as a list by phase, and the verdict on all of them. Page only.
 *
 * @typedef {import('./checks.js').Check} Check
 */
export class ChecksView {
  /** @type {Map<string, HTMLLIElement>} */
  #items = new Map();
  #list;
  #verdict;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} verdict a live region
   */
  constructor(list, verdict) {
    this.#list = list;
    this.#verdict = verdict;
  }

  /** Shows these and nothing else. @param {Check[]} checks */
  showAll(checks) {
    this.#items.clear();
    /** @type {Map<string, HTMLUListElement>} */
    const phases = new Map();
    this.#list.replaceChildren();
    for (const check of checks) {
      let items = phases.get(check.phase);
      if (!items) {
        const title = document.createElement('h3');
        title.textContent = check.phase;
        items = document.createElement('ul');
        phases.set(check.phase, items);
        const section = document.createElement('section');
        section.append(title, items);
        this.#list.append(section);
      }
      const item = document.createElement('li');
      this.#items.set(check.id, item);
      this.show(check);
      items.append(item);
    }
  }

  /** @param {Check} check in its new state */
  show({ id, title, state, detail }) {
    const item = this.#items.get(id);
    if (!item) return;
    const text = document.createElement('span');
    const word = document.createElement('span');
    word.className = 'visually-hidden';
    word.textContent = `${state}: `;
    text.append(word, title);
    const small = document.createElement('small');
    small.textContent = detail || '\u00a0'; // takes its line before there is something to say
    text.append(small);
    item.className = state;
    item.dataset.check = id;
    item.replaceChildren(text);
  }

  /** @param {string} text @param {'' | 'passed' | 'failed'} [state] */
  showVerdict(text, state = '') {
    this.#verdict.className = `verdict ${state}`;
    this.#verdict.textContent = text;
  }
}
