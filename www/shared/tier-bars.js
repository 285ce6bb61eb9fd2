/**
 * A live bar for each tier: preserved, used, high water and capacity, up to the hard budget.
 *
 * Page only. Reads the statistics of walloc, which never waits, at most ten times a second.
 *
 * @typedef {import('../../workers/walloc.js').Walloc} Walloc
 */
const MIB = 1024 * 1024;
const PERIOD = 100; // milliseconds

const TITLES = { render: 'Render', scene: 'Scene', entity: 'Entity' };

/** @typedef {keyof typeof TITLES} TierName */
/** @type {TierName[]} */
const TIER_NAMES = ['render', 'scene', 'entity'];

/** How wide a part is at least that is not nothing. */
const LEAST = '5px';
const LAYERS = ['capacity', 'used', 'preserved', 'high-water'];
const NUMBERS = {
  used: 'used',
  preserved: 'preserved',
  highWater: 'high water',
  capacity: 'capacity',
};

/** @param {number} bytes */
const mib = (bytes) => `${(bytes / MIB).toFixed(bytes < 10 * MIB ? 2 : 1)} MiB`;

/** @param {number} bytes */
const wholeMib = (bytes) => `${Math.round(bytes / MIB).toLocaleString('en')} MiB`;

/** One tier's place on the page. */
class TierBar {
  /** @type {Map<string, HTMLElement>} */
  #parts = new Map();
  /** What to put on the page. */
  element = document.createElement('div');

  /** @param {TierName} name */
  constructor(name) {
    this.element.className = `tier ${name}`;
    const title = document.createElement('h3');
    title.append(TITLES[name], this.#part('span', 'activity'));
    const bar = document.createElement('div');
    bar.className = 'bar';
    bar.setAttribute('aria-hidden', 'true'); // the numbers below say the same
    for (const layer of LAYERS) {
      const part = this.#part('i', layer);
      part.className = layer;
      bar.append(part);
    }
    const numbers = document.createElement('dl');
    for (const [key, label] of Object.entries(NUMBERS)) {
      const term = document.createElement('dt');
      term.textContent = label;
      const number = this.#part('dd', `${key}-number`);
      number.textContent = '–';
      const pair = document.createElement('div');
      pair.append(term, number);
      numbers.append(pair);
    }
    this.element.append(title, bar, numbers);
  }

  /** @param {string} tag @param {string} name */
  #part(tag, name) {
    const part = document.createElement(tag);
    this.#parts.set(name, part);
    return part;
  }

  /**
   * @param {import('../../workers/api/layout.js').ArenaStats} stats
   * @param {number} maximum of the whole memory: how long the bar is without a budget
   */
  show(stats, maximum) {
    const whole = Math.max(stats.hardBudget || maximum, stats.capacity, 1);
    const percent = (/** @type {number} */ bytes) => `${((bytes / whole) * 100).toFixed(2)}%`;
    const style = (/** @type {string} */ name) =>
      /** @type {HTMLElement} */ (this.#parts.get(name)).style;
    style('capacity').width = percent(stats.capacity);
    style('used').width = percent(stats.used);
    style('preserved').width = percent(Math.min(stats.preserved, stats.used));
    style('used').minWidth = stats.used > 0 ? LEAST : '0';
    style('preserved').minWidth = stats.preserved > 0 ? LEAST : '0';
    style('high-water').left = `max(${LEAST}, ${percent(stats.highWater)} - 2px)`;
    for (const key of Object.keys(NUMBERS))
      this.#setText(`${key}-number`, mib(stats[/** @type {keyof typeof NUMBERS} */ (key)]));
    const budget = stats.hardBudget ? `budget ${wholeMib(stats.hardBudget)}` : 'no budget';
    this.#setText('activity', `generation ${stats.generation.toLocaleString('en')}, ${budget}`);
  }

  /** @param {string} name @param {string} text */
  #setText(name, text) {
    const part = this.#parts.get(name);
    if (part && part.textContent !== text) part.textContent = text;
  }
}

export class TierBars {
  #bars = TIER_NAMES.map((name) => ({ name, bar: new TierBar(name) }));
  #total;
  #last = 0;

  /** @type {Walloc | null} whose memory is shown */
  walloc = null;

  /** @param {HTMLElement} place @param {HTMLElement} total */
  constructor(place, total) {
    this.#total = total;
    place.replaceChildren(...this.#bars.map(({ bar }) => bar.element));
  }

  /** @param {number} now in milliseconds */
  tick(now) {
    if (now - this.#last < PERIOD) return;
    this.#last = now;
    this.refresh();
  }

  refresh() {
    if (!this.walloc) return;
    const { memory, tiers } = this.walloc.stats();
    for (const { name, bar } of this.#bars) bar.show(tiers[name], memory.maximum);
    this.#total.textContent = `${mib(memory.obtained)} obtained of at most ${wholeMib(memory.maximum)}`;
  }
}
