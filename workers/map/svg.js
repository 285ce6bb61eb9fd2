/**
 * A snapshot as an SVG picture. Pure function; page, worker or Node.
 *
 * @typedef {import('./snapshot.js').Snapshot} Snapshot
 */
import { CELL, LANE, PRESERVED, USED, cellsOf } from './cells.js';
import { bytesByGroup, sizeText, summary } from './describe.js';
import { columnsFor } from './draw.js';
import { isArena } from '../api/owners.js';
import { GROUPS, GROUP_TITLES, PALETTES, groupOf } from './owners.js';

const WIDTH = 960;
const MAP_HEIGHT = 400;
const LEGEND_ROW = 22;

/** @param {string} text */
const escape = (text) => text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/**
 * @param {Snapshot} snapshot
 * @param {'light' | 'dark'} [scheme]
 * @returns {string}
 */
export function drawSvg(snapshot, scheme = 'light') {
  const palette = PALETTES[scheme];
  const cells = cellsOf(snapshot, CELL);
  const { columns, size } = columnsFor(cells.count, WIDTH, MAP_HEIGHT);
  /** @type {string[]} */
  const shapes = [];
  const lookOf = (/** @type {number} */ cell) => {
    const idle = isArena(cells.owners[cell]) && cells.states[cell] < USED;
    return `${palette[groupOf(cells.owners[cell])]}${idle ? '" fill-opacity=".3' : ''}`;
  };
  for (let cell = 0, first = 0; cell < cells.count; cell++) {
    const ends = cell + 1 === cells.count || (cell + 1) % columns === 0;
    if (!ends && lookOf(cell + 1) === lookOf(first)) continue;
    const [x, y] = [(first % columns) * size, Math.floor(first / columns) * size];
    const width = (cell - first + 1) * size;
    shapes.push(
      `<rect x="${x}" y="${y}" width="${width}" height="${size}" fill="${lookOf(first)}"/>`,
    );
    first = cell + 1;
  }
  const small = Math.max(1, size / 4);
  for (let cell = 0; cell < cells.count; cell++) {
    const [x, y] = [(cell % columns) * size, Math.floor(cell / columns) * size];
    if (cells.states[cell] === PRESERVED) {
      shapes.push(
        `<rect x="${x}" y="${y + size - small}" width="${size}" height="${small}" fill="${palette.mark}"/>`,
      );
    } else if (cells.states[cell] === LANE) {
      shapes.push(
        `<rect x="${x + size / 3}" y="${y + size / 3}" width="${size / 3}" height="${size / 3}" fill="${palette.page}"/>`,
      );
    }
  }
  for (const { cell, arena, kind } of cells.marks) {
    const [x, y] = [(cell % columns) * size, Math.floor(cell / columns) * size];
    const title = `<title>${escape(`${kind} of ${arena.name}`)}</title>`;
    shapes.push(
      kind === 'cursor'
        ? `<rect x="${x}" y="${y}" width="${Math.max(2, small)}" height="${size}" fill="${palette.mark}">${title}</rect>`
        : `<rect x="${x + 0.5}" y="${y + 0.5}" width="${Math.max(1, size - 1)}" height="${Math.max(1, size - 1)}" fill="none" stroke="${palette.mark}">${title}</rect>`,
    );
  }
  const rows = Math.ceil(cells.count / columns) * size;
  const sums = bytesByGroup(snapshot);
  const legend = GROUPS.filter((group) => sums.get(group)).map((group, i) => {
    const [x, y] = [(i % 4) * (WIDTH / 4), rows + 40 + Math.floor(i / 4) * LEGEND_ROW];
    return (
      `<rect x="${x}" y="${y - 11}" width="12" height="12" fill="${palette[group]}"/>` +
      `<text x="${x + 18}" y="${y}">${GROUP_TITLES[group]} ${sizeText(sums.get(group) ?? 0)}</text>`
    );
  });
  const height = rows + 52 + Math.ceil(legend.length / 4) * LEGEND_ROW;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 -16 ${WIDTH + 32} ${height + 16}" ` +
    `font-family="system-ui, sans-serif" font-size="13" fill="${palette.mark}" role="img">\n` +
    `<title>${escape(summary(snapshot))}</title>\n` +
    `<rect x="-16" y="-16" width="${WIDTH + 32}" height="${height + 16}" fill="${palette.page}"/>\n` +
    `${shapes.join('\n')}\n<text x="0" y="${rows + 18}">${escape(summary(snapshot))}</text>\n` +
    `${legend.join('\n')}\n</svg>\n`
  );
}
