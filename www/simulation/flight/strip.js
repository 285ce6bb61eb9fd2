/**
 * The ring of sections on the page: for each arena which section it holds and what becomes of it, with the signs
 * of the memory map (other arenas' colour; pale where idle, underlined where preserved).
 *
 * Page only. A section is a button, which tells more about it below the ring.
 */
import { SLOTS } from '../../../workers/api/layout.js';
import { arenaName } from '../../../workers/map/owners.js';
import { RING } from './plan.js';

/** @typedef {import('./ring.js').Slot} Slot */

/** @type {Record<import('./ring.js').SectionState, {word: string, text: string}>} */
const STATES = {
  recycled: { word: 'recycled', text: 'its arena is reset and waits for the next section' },
  loading: { word: 'loading', text: 'a worker builds it, with scratch behind it' },
  kept: { word: 'preserved', text: 'built and compacted, near the camera but not in sight' },
  live: { word: 'live', text: 'drawn from its block, its objects moved by all workers' },
  leaving: { word: 'leaving', text: 'read once more under a pin, before it is recycled' },
};

const EMPTY = '–';

export class SectionStrip {
  #detail;
  #buttons;
  /** @type {(Slot | null)[]} */
  #slots = Array(RING).fill(null);
  #chosen = 0;

  /** @param {HTMLElement} list an ol @param {HTMLElement} detail a live region */
  constructor(list, detail) {
    this.#detail = detail;
    this.#buttons = this.#slots.map((_, slot) => {
      const button = document.createElement('button');
      button.type = 'button';
      const parts = ['i', 'b', 'span', 'small'].map((tag) => document.createElement(tag));
      parts[0].setAttribute('aria-hidden', 'true');
      button.append(...parts);
      button.addEventListener('click', () => this.#choose(slot));
      return { button, parts };
    });
    list.replaceChildren(
      ...this.#buttons.map(({ button }) => {
        const item = document.createElement('li');
        item.append(button);
        return item;
      }),
    );
    this.clear();
  }

  /** Before a run. */
  clear() {
    this.#slots.fill(null);
    for (const { button, parts } of this.#buttons) {
      button.dataset.state = 'none';
      button.setAttribute('aria-pressed', 'false');
      parts[1].textContent = EMPTY;
      parts[2].textContent = 'no section';
      parts[3].textContent = '\u00a0';
    }
    this.#detail.textContent = 'Choose a section to see where it lies.';
  }

  /** @param {Slot} slot in its new state */
  show(slot) {
    this.#slots[slot.slot] = { ...slot };
    const { button, parts } = this.#buttons[slot.slot];
    button.dataset.state = slot.state;
    button.dataset.address = String(slot.block?.address ?? '');
    parts[1].textContent = slot.state === 'recycled' ? EMPTY : String(slot.section);
    parts[2].textContent = STATES[slot.state].word;
    parts[3].textContent = nameOf(slot);
    if (button.getAttribute('aria-pressed') === 'true') this.#showDetail(false);
  }

  /** @param {number} slot */
  #choose(slot) {
    this.#chosen = slot;
    this.#buttons.forEach(({ button }, i) => {
      button.setAttribute('aria-pressed', String(i === slot));
    });
    this.#showDetail(true);
  }

  /** Read out when chosen; what changes by itself later is only shown. @param {boolean} isSpoken */
  #showDetail(isSpoken) {
    const slot = this.#slots[this.#chosen];
    this.#detail.setAttribute('aria-live', isSpoken ? 'polite' : 'off');
    this.#detail.textContent = slot ? describe(slot) : 'There is no section yet.';
  }
}

/** As on the map. @param {Slot} slot */
const nameOf = ({ arena }) => arenaName(arena.handle % SLOTS);

/** @param {Slot} slot */
function describe(slot) {
  const { state, section, worker, block } = slot;
  const where = block
    ? ` ${Math.ceil((block.length * 4) / 1024).toLocaleString('en')} KiB at 0x${block.address.toString(16)}.`
    : '';
  const who = state === 'loading' || state === 'leaving' ? `, worker ${worker}` : '';
  const what = state === 'recycled' ? 'Recycled' : `Section ${section}, ${STATES[state].word}`;
  return `${what} in ${nameOf(slot)}${who}: ${STATES[state].text}.${where}`;
}
