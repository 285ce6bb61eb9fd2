/**
 * A snapshot as lines of text, in colour or without. Pure function; Node.
 *
 * @typedef {import('./snapshot.js').Snapshot} Snapshot
 */
import { CELL, PRESERVED, USED, cellsOf, endOf } from './cells.js';
import { addressText, bytesByGroup, sizeText, summary } from './describe.js';
import { isArena } from '../api/owners.js';
import { GROUPS, GROUP_TITLES, PALETTES, groupOf } from './owners.js';

const ROWS_MOST = 40;

/** A letter for each group; small where an arena's page is idle. */
const LETTERS = {
  render: 'R',
  scene: 'S',
  entity: 'E',
  arenas: 'A',
  spans: 'h',
  large: 'H',
  own: 'w',
  free: '.',
  fresh: ' ',
  foreign: '#',
};

/** @param {string} colour #rrggbb @param {string} text */
function paint(colour, text) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `\x1b[38;2;${red};${green};${blue}m${text}\x1b[0m`;
}

/**
 * @param {Snapshot} snapshot
 * @param {{colour?: boolean, columns?: number}} [options]
 * @returns {string}
 */
export function drawText(snapshot, { colour = false, columns = 80 } = {}) {
  const perRow = Math.max(16, columns - 12);
  let bytes = CELL;
  while (endOf(snapshot) / bytes > perRow * ROWS_MOST) bytes *= 2;
  const cells = cellsOf(snapshot, bytes);
  const letterOf = (/** @type {number} */ cell) => {
    const group = groupOf(cells.owners[cell]);
    const state = cells.states[cell];
    const letter = LETTERS[group];
    const shown = isArena(cells.owners[cell]) && state < USED ? letter.toLowerCase() : letter;
    const text = state === PRESERVED ? '=' : shown;
    return colour ? paint(PALETTES.dark[group], text) : text;
  };
  const lines = [summary(snapshot), `One letter is ${sizeText(bytes)}.`, ''];
  for (let first = 0; first < cells.count; first += perRow) {
    const row = Array.from({ length: Math.min(perRow, cells.count - first) }, (_, i) =>
      letterOf(first + i),
    );
    lines.push(`${addressText(first * bytes)}  ${row.join('')}`.trimEnd());
  }
  lines.push('');
  const sums = bytesByGroup(snapshot);
  for (const group of GROUPS) {
    const held = sums.get(group) ?? 0;
    if (held === 0) continue;
    const letter = colour ? paint(PALETTES.dark[group], LETTERS[group]) : LETTERS[group];
    lines.push(`  ${letter}  ${GROUP_TITLES[group].padEnd(20)} ${sizeText(held).padStart(12)}`);
  }
  lines.push('', '  =  preserved; a small letter where an arena’s memory is idle');
  for (const {
    name,
    used,
    preserved,
    highWater,
    capacity,
    chunks,
    generation,
  } of snapshot.arenas) {
    lines.push(
      `  ${name}: ${sizeText(used)} of ${sizeText(capacity)} in ${chunks.length} chunks, ` +
        `${sizeText(preserved)} preserved, high water ${sizeText(highWater)}, generation ${generation}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
