/**
 * `<walloc-map>`: the memory as it is now, page by page, and as it was in the frames before.
 *
 *     <walloc-map interval="100" frames="200"></walloc-map>
 *
 *     document.querySelector('walloc-map').source = walloc.handle;   // live
 *     document.querySelector('walloc-map').snapshots = [dump];       // or what was written to a file
 *
 * Reads the control block and the page map from the shared memory; never calls into the module. So it
 * goes on when the program hangs, and neither waits for it nor holds it up.
 *
 * Attributes: `interval`, milliseconds between two snapshots (0: only on capture()); `frames`, how many are
 * kept. Event `snapshot` (detail: the snapshot) after each. Colours: custom properties --walloc-map-render and
 * so on, by the names in owners.js. Page only.
 *
 * @typedef {import('./snapshot.js').Snapshot} Snapshot
 * @typedef {import('./control.js').MapSource} MapSource
 */
import { CELL, cellsOf } from './cells.js';
import { Control } from './control.js';
import { bytesByGroup, describe, sizeText, summary } from './describe.js';
import { columnsFor, drawCells } from './draw.js';
import { GROUPS, GROUP_TITLES, PALETTES } from './owners.js';
import { takeSnapshot } from './snapshot.js';
import { STYLE } from './style.js';

const INTERVAL = 100;
const FRAMES = 200;

/** How often the text for screen readers and the legend change, in milliseconds. */
const TEXT_PERIOD = 500;

const KEYS = { ArrowLeft: -1, ArrowRight: 1 };

const TEMPLATE = `
  <style>${STYLE}</style>
  <div class="map">
    <canvas tabindex="0" role="application" aria-roledescription="memory map" aria-describedby="about"></canvas>
    <div class="pointer" hidden></div>
  </div>
  <p id="about" class="about"></p>
  <output class="owner" aria-live="polite">Point at a page, or move with the arrow keys, to see its owner.</output>
  <div class="scrub">
    <button type="button" aria-pressed="false">Pause</button>
    <label>Frame <input type="range" min="0" max="0" value="0" disabled></label>
    <span class="when">live</span>
  </div>
  <ul class="legend"></ul>
  <ul class="key" aria-hidden="true">
    <li><i class="solid"></i>in use</li><li><i class="idle"></i>idle</li><li><i class="preserved"></i>preserved</li>
    <li><i class="lane"></i>lane</li><li><i class="cursor"></i>cursor</li><li><i class="high"></i>high water</li>
  </ul>`;

/** Where there are no elements, as on a server, the module can be loaded all the same. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (class {});

export class WallocMap extends Base {
  static observedAttributes = ['interval'];

  /** @type {Control | null} */
  #control = null;
  /** @type {Snapshot[]} the newest last */
  #snapshots = [];
  /** Which of them is shown; -1: the newest. */
  #shown = -1;
  #timer = 0;
  #spoken = 0;
  /** The cell that is pointed at; -1: none. */
  #cell = -1;
  #columns = 1;
  #size = 1;
  #parts;
  #resize = new ResizeObserver(() => this.#draw());
  #dark = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.innerHTML = TEMPLATE;
    const find = (/** @type {string} */ query) => /** @type {any} */ (root.querySelector(query));
    this.#parts = {
      canvas: /** @type {HTMLCanvasElement} */ (find('canvas')),
      pointer: /** @type {HTMLElement} */ (find('.pointer')),
      about: /** @type {HTMLElement} */ (find('.about')),
      owner: /** @type {HTMLOutputElement} */ (find('.owner')),
      pause: /** @type {HTMLButtonElement} */ (find('button')),
      frame: /** @type {HTMLInputElement} */ (find('input')),
      when: /** @type {HTMLElement} */ (find('.when')),
      legend: /** @type {HTMLElement} */ (find('.legend')),
    };
    this.#listen();
  }

  connectedCallback() {
    this.#resize.observe(this.#parts.canvas);
    this.#dark.addEventListener('change', this.#redraw);
    this.#run();
    this.#showLegend();
    this.#draw();
  }

  disconnectedCallback() {
    this.#resize.disconnect();
    this.#dark.removeEventListener('change', this.#redraw);
    clearInterval(this.#timer);
  }

  attributeChangedCallback() {
    this.#run();
  }

  /**
   * What is looked at: walloc.handle. Null: nothing any more; what was seen stays. Throws WallocError (LAYOUT).
   *
   * @param {MapSource | null} source
   */
  set source(source) {
    this.#control = source && new Control(source);
    if (source) {
      this.snapshots = [];
      this.capture();
    }
    this.#run();
  }

  /** All that is kept, the oldest first. @returns {Snapshot[]} */
  get snapshots() {
    return this.#snapshots;
  }

  set snapshots(snapshots) {
    this.#snapshots = snapshots;
    this.#show(-1);
  }

  /** What is shown. @returns {Snapshot | undefined} */
  get snapshot() {
    return this.#snapshots.at(this.#shown);
  }

  /** Looks at the memory now. @returns {Snapshot | undefined} */
  capture() {
    if (!this.#control) return undefined;
    const snapshot = takeSnapshot(this.#control);
    this.#snapshots.push(snapshot);
    const most = Number(this.getAttribute('frames')) || FRAMES;
    while (this.#snapshots.length > most) {
      this.#snapshots.shift();
      if (this.#shown > 0) this.#shown--;
    }
    this.dispatchEvent(new CustomEvent('snapshot', { detail: snapshot }));
    if (this.#shown < 0) this.#draw();
    this.#showFrame();
    return snapshot;
  }

  #run() {
    clearInterval(this.#timer);
    const interval = Number(this.getAttribute('interval') ?? INTERVAL);
    if (!this.isConnected || !this.#control || !(interval > 0)) return;
    this.#timer = window.setInterval(() => document.hidden || this.capture(), interval);
  }

  #listen() {
    const { canvas, pause, frame } = this.#parts;
    canvas.addEventListener('pointermove', (event) => this.#point(this.#cellAt(event)));
    canvas.addEventListener('pointerdown', (event) => this.#point(this.#cellAt(event)));
    canvas.addEventListener('keydown', (event) => this.#key(event));
    pause.addEventListener('click', () =>
      this.#show(this.#shown < 0 ? this.#snapshots.length - 1 : -1),
    );
    frame.addEventListener('input', () => this.#show(Number(frame.value)));
  }

  /** @param {PointerEvent} event */
  #cellAt({ offsetX, offsetY }) {
    const column = Math.floor(offsetX / this.#size);
    return column < this.#columns ? Math.floor(offsetY / this.#size) * this.#columns + column : -1;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key } = event;
    const step =
      key === 'ArrowUp'
        ? -this.#columns
        : key === 'ArrowDown'
          ? this.#columns
          : KEYS[/** @type {keyof typeof KEYS} */ (key)];
    if (!step) return;
    event.preventDefault();
    this.#point(this.#cell < 0 ? 0 : this.#cell + step);
  }

  /** @param {number} cell */
  #point(cell) {
    const { snapshot } = this;
    if (!snapshot || cell < 0) return;
    this.#cell = cell;
    const { pointer } = this.#parts;
    pointer.hidden = false;
    pointer.style.width = pointer.style.height = `${this.#size}px`;
    pointer.style.left = `${(cell % this.#columns) * this.#size}px`;
    pointer.style.top = `${Math.floor(cell / this.#columns) * this.#size}px`;
    this.#showOwner();
  }

  #showOwner() {
    const { snapshot } = this;
    if (!snapshot || this.#cell < 0) return;
    setText(this.#parts.owner, describe(snapshot, this.#cell * CELL, (this.#cell + 1) * CELL));
  }

  /** @param {number} index of a snapshot; -1: the newest */
  #show(index) {
    this.#shown = Math.min(index, this.#snapshots.length - 1);
    this.#spoken = 0;
    this.#draw();
    this.#showFrame();
    if (this.#shown >= 0) this.#showOwner();
  }

  #showFrame() {
    const { frame, pause, when } = this.#parts;
    const last = Math.max(0, this.#snapshots.length - 1);
    frame.max = String(last);
    frame.disabled = last === 0;
    frame.value = String(this.#shown < 0 ? last : this.#shown);
    pause.setAttribute('aria-pressed', String(this.#shown >= 0));
    const back = last - this.#shown;
    setText(pause, this.#shown < 0 ? 'Pause' : 'Live');
    setText(
      when,
      this.#shown < 0 ? 'live' : back === 0 ? 'the newest' : `${back} before the newest`,
    );
    frame.setAttribute('aria-valuetext', when.textContent ?? '');
  }

  #redraw = () => {
    this.#showLegend();
    this.#draw();
  };

  #palette() {
    const palette = { ...PALETTES[this.#dark.matches ? 'dark' : 'light'] };
    const style = getComputedStyle(this);
    for (const name of /** @type {(keyof typeof palette)[]} */ (Object.keys(palette))) {
      palette[name] = style.getPropertyValue(`--walloc-map-${name}`).trim() || palette[name];
    }
    return palette;
  }

  #draw() {
    const { canvas, about } = this.#parts;
    const { snapshot } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!snapshot || !width || !height) return;
    const cells = cellsOf(snapshot);
    ({ columns: this.#columns, size: this.#size } = columnsFor(cells.count, width, height));
    drawCells(canvas, cells, this.#columns, this.#size, this.#palette());
    const now = performance.now();
    if (now - this.#spoken < TEXT_PERIOD) return;
    this.#spoken = now;
    setText(about, summary(snapshot));
    this.#showLegend();
  }

  #showLegend() {
    const { legend } = this.#parts;
    const sums = this.snapshot && bytesByGroup(this.snapshot);
    if (legend.childElementCount === 0) {
      for (const group of GROUPS) {
        const item = document.createElement('li');
        item.append(document.createElement('i'), GROUP_TITLES[group], document.createElement('b'));
        legend.append(item);
      }
    }
    const palette = this.#palette();
    GROUPS.forEach((group, i) => {
      const [colour, bytes] = /** @type {HTMLElement[]} */ ([...legend.children[i].children]);
      colour.style.background = palette[group];
      setText(bytes, sizeText(sums?.get(group) ?? 0));
    });
  }
}

/** @param {HTMLElement} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

if (globalThis.customElements && !customElements.get('walloc-map'))
  customElements.define('walloc-map', WallocMap);
