/**
 * The console pane: lines with time stamps, on the page and in the browser's own console.
 *
 * Page only. Keeps the newest lines; scrolls along unless the reader has scrolled up.
 */
const LINES_KEPT = 500;

/** @typedef {'info' | 'good' | 'bad' | 'phase'} LineKind */

export class ConsolePane {
  #pane;
  #started = performance.now();

  /** @param {HTMLElement} pane */
  constructor(pane) {
    this.#pane = pane;
  }

  /** Empties the pane and sets the clock to zero. */
  restart() {
    this.#pane.replaceChildren();
    this.#started = performance.now();
  }

  /**
   * @param {string} text
   * @param {LineKind} [kind]
   */
  line(text, kind = 'info') {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(3).padStart(7);
    (kind === 'bad' ? console.error : console.log)(`[${seconds} s] ${text}`);

    const atEnd = this.#pane.scrollTop + this.#pane.clientHeight >= this.#pane.scrollHeight - 8;
    const stamp = document.createElement('time');
    stamp.textContent = seconds;
    const row = document.createElement('div');
    row.className = `line ${kind}`;
    row.append(stamp, text);
    this.#pane.append(row);
    while (this.#pane.childElementCount > LINES_KEPT) this.#pane.firstElementChild?.remove();
    if (atEnd) this.#pane.scrollTop = this.#pane.scrollHeight;
  }
}
