/**
 * The table of the page: a row for each workload and number of threads.
 *
 * @typedef {import('../summary.mjs').Row} Row
 * @typedef {import('../summary.mjs').Run} Run
 * @typedef {ReturnType<typeof ratioOf>} Ratio
 */
import { ALLOCATORS, ratioOf } from '../summary.mjs';

/** A bar is full at 8 times or an eighth. */
const DOUBLINGS = 3;
const MIB = 1 << 20;

/** @param {number} bytes */
export function memoryText(bytes) {
  if (bytes < MIB) return `${Math.round(bytes / 1024)} KiB`;
  return `${(bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0)} MiB`;
}

/** @param {Ratio} ratio who is ahead, when all rounds agree */
const verdictOf = ({ least, most }) => (least > 1 ? 'ahead' : most < 1 ? 'behind' : 'even');

/** @param {string} tag @param {string} className @param {string} [text] */
function element(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * A cell. The role is named, as a small screen shows a row as a block.
 *
 * @param {string} label of its column
 * @param {string} className
 * @param {HTMLElement[]} content
 */
function cell(label, className, ...content) {
  const made = element('td', className);
  made.setAttribute('role', 'cell');
  made.dataset.label = label;
  made.append(...content);
  return made;
}

/** @param {number} from @param {number} to parts of the whole width */
function bar(from, to) {
  const made = element('span', 'bar');
  const fill = element('i', '');
  fill.style.left = `${(from * 100).toFixed(1)}%`;
  fill.style.width = `${((to - from) * 100).toFixed(1)}%`;
  made.append(fill);
  return made;
}

/** From the middle: to the right when walloc is ahead. @param {number} ratio */
function ratioBar(ratio) {
  const part = Math.max(-1, Math.min(1, Math.log2(ratio) / DOUBLINGS));
  const end = (1 + part) / 2;
  return bar(Math.min(end, 0.5), Math.max(end, 0.5));
}

/** @param {string} other @param {Ratio} ratio */
function ratioCell(other, ratio) {
  const { median, least, most } = ratio;
  const spread = `${least.toFixed(2)}–${most.toFixed(2)}`;
  return cell(
    `× ${other}`,
    `ratio ${verdictOf(ratio)}`,
    element('b', '', median.toFixed(2)),
    element('small', '', least === most ? '' : spread),
    ratioBar(median),
  );
}

/** @param {Row} row @param {number} most the largest of its neighbours */
function memoryCell({ allocator, peak_bytes: bytes }, most) {
  const text = element('span', '', memoryText(bytes));
  return cell(allocator, `memory ${allocator}`, text, bar(0, bytes / most));
}

/** @param {string} bench */
function header(bench) {
  const made = element('th', '', bench);
  made.setAttribute('role', 'rowheader');
  made.setAttribute('scope', 'row');
  return made;
}

/**
 * @param {string} bench
 * @param {number} threads
 * @param {Map<string, Run[]>} runs by allocator
 * @param {Row[]} rows of them
 */
export function tableRow(bench, threads, runs, rows) {
  const walloc = /** @type {Run[]} */ (runs.get('walloc'));
  const most = Math.max(...rows.map((row) => row.peak_bytes));
  const made = document.createElement('tr');
  made.setAttribute('role', 'row');
  made.append(
    header(bench),
    cell('Threads', 'threads', element('span', '', String(threads))),
    ...ALLOCATORS.slice(1).map((other) =>
      ratioCell(other, ratioOf(walloc, /** @type {Run[]} */ (runs.get(other)))),
    ),
    ...rows.map((row) => memoryCell(row, most)),
  );
  return made;
}
