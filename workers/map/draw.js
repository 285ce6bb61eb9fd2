/**
 * Cells on a canvas. Page only.
 *
 * @typedef {import('./cells.js').Cells} Cells
 * @typedef {typeof import('./owners.js').PALETTES.light} Palette
 */
import { LANE, PRESERVED, USED } from './cells.js';
import { isArena } from '../api/owners.js';
import { groupOf } from './owners.js';

const LARGEST = 16; // pixels a side

/**
 * How many cells go into a row, and how large they are, so that all of them fit. The count is taken as the
 * next of a few sizes, so that the picture does not jump while the memory grows.
 *
 * @param {number} count @param {number} width @param {number} height
 */
export function columnsFor(count, width, height) {
  let room = 64;
  while (room < count) room *= 1.25;
  let size = Math.min(LARGEST, Math.max(1, Math.floor(Math.sqrt((width * height) / room))));
  while (size > 1 && Math.ceil(room / Math.floor(width / size)) * size > height) size--;
  return { size, columns: Math.max(1, Math.floor(width / size)) };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Cells} cells
 * @param {number} columns @param {number} size
 * @param {Palette} palette
 */
export function drawCells(canvas, cells, columns, size, palette) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  const gap = size > 3 ? 1 : 0;
  const place = (/** @type {number} */ cell) =>
    /** @type {const} */ ([(cell % columns) * size, Math.floor(cell / columns) * size]);
  for (let cell = 0; cell < cells.count; cell++) {
    const owner = cells.owners[cell];
    const [x, y] = place(cell);
    const state = cells.states[cell];
    context.fillStyle = palette[groupOf(owner)];
    context.globalAlpha = isArena(owner) && state < USED ? 0.3 : 1;
    context.fillRect(x, y, size - gap, size - gap);
    context.globalAlpha = 1;
    if (state === PRESERVED) {
      context.fillStyle = palette.mark;
      context.fillRect(
        x,
        y + size - gap - Math.max(1, size / 4),
        size - gap,
        Math.max(1, size / 4),
      );
    } else if (state === LANE) {
      context.fillStyle = palette.page;
      context.fillRect(x + size / 3, y + size / 3, size / 3, size / 3);
    }
  }
  context.strokeStyle = palette.mark;
  context.fillStyle = palette.mark;
  for (const { cell, kind } of cells.marks) {
    const [x, y] = place(cell);
    if (kind === 'cursor') context.fillRect(x, y, Math.max(2, size / 4), size - gap);
    else
      context.strokeRect(
        x + 0.5,
        y + 0.5,
        Math.max(1, size - gap - 1),
        Math.max(1, size - gap - 1),
      );
  }
}
