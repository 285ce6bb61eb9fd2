/**
 * The land of a section: a river between hills, crystals on the slopes, and the lights that move above it.
 *
 * Pure functions; the caller owns the memory. The same section comes out the same in every thread, and
 * neighbours meet without a seam, as everything follows from the place.
 */
import { Random } from '../../shared/random.js';
import { HALF_WIDTH, MATRIX_FLOATS, MOVER_FLOATS, SECTION_LENGTH, wayAt } from './plan.js';

/**
 * @typedef {import('../plan.js').Flight} Flight
 * @typedef {import('./plan.js').SectionParts} SectionParts
 * @typedef {{x: Float32Array, y: Float32Array}} Grid one row and column more than the land on each side
 */

/** @param {number} low @param {number} high @param {number} value @returns {number} 0 to 1 */
function smoothStep(low, high, value) {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

/** @param {number} x @param {number} z whole numbers @returns {number} 0 to 1 */
function hash(x, z) {
  let mixed = Math.imul(x, 0x27d4eb2d) ^ Math.imul(z, 0x165667b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x100000000;
}

/** Smooth noise. @param {number} x @param {number} z @returns {number} 0 to 1 */
function noise(x, z) {
  const [column, row] = [Math.floor(x), Math.floor(z)];
  const u = smoothStep(0, 1, x - column);
  const v = smoothStep(0, 1, z - row);
  const near = hash(column, row) * (1 - u) + hash(column + 1, row) * u;
  const far = hash(column, row + 1) * (1 - u) + hash(column + 1, row + 1) * u;
  return near * (1 - v) + far * v;
}

/** Noise with sharp crests. @param {number} x @param {number} z @returns {number} 0 to 1 */
function ridges(x, z) {
  let sum = 0;
  let weight = 0.62;
  for (let octave = 0, scale = 1; octave < 4; octave++, scale *= 2.1, weight *= 0.45) {
    const crest = 1 - Math.abs(2 * noise(x * scale + octave * 17, z * scale) - 1);
    sum += crest * crest * weight;
  }
  return sum;
}

/** Height of the land in metres; the river's surface is at 0. @param {number} x @param {number} z */
export function heightAt(x, z) {
  const away = Math.abs(x - wayAt(z)) + 5 * (noise(x * 0.06, z * 0.06) - 0.5);
  const bank = smoothStep(4, 13, away);
  const hills = smoothStep(11, 58, away);
  const bumps = noise(x * 0.21, z * 0.21) + 0.5 * noise(x * 0.53, z * 0.53);
  return (
    -2 + 3 * bank + bumps * (0.3 + 1.1 * bank) + hills * (5 + 38 * ridges(x * 0.017, z * 0.017))
  );
}

/** @param {number} section @param {number} row @param {Flight} flight */
const rowZ = (section, row, { rows }) => -(section + row / rows) * SECTION_LENGTH;

/** Columns are closer together near the way. @param {number} column @param {Flight} flight */
function columnX(column, { columns }) {
  const t = (2 * column) / columns - 1;
  return HALF_WIDTH * t * (0.45 + 0.55 * Math.abs(t));
}

/** @param {Float32Array} scratch @returns {Grid} */
export function gridIn(scratch) {
  const count = scratch.length / 2;
  return { x: scratch.subarray(0, count), y: scratch.subarray(count) };
}

/** Where the land is, at every corner and at those just beyond. @param {Grid} grid @param {number} section @param {Flight} flight */
export function fillGrid({ x, y }, section, flight) {
  const { rows, columns } = flight;
  let at = 0;
  for (let row = -1; row <= rows + 1; row++) {
    const z = rowZ(section, row, flight);
    const middle = wayAt(z);
    for (let column = -1; column <= columns + 1; column++, at++) {
      x[at] = middle + columnX(column, flight);
      y[at] = heightAt(x[at], z);
    }
  }
}

/** Colours by height, from the banks to the crests: red, green, blue. */
const COLOURS = [
  [-2, 0.03, 0.04, 0.12],
  [0.6, 0.1, 0.09, 0.26],
  [3, 0.22, 0.13, 0.42],
  [12, 0.36, 0.19, 0.52],
  [22, 0.68, 0.38, 0.62],
  [34, 1, 0.8, 0.84],
];

/** @param {Float32Array} out @param {number} at @param {number} height */
function writeColour(out, at, height) {
  let i = 1;
  while (i < COLOURS.length - 1 && height > COLOURS[i][0]) i++;
  const [low, high] = [COLOURS[i - 1], COLOURS[i]];
  const t = Math.min(1, Math.max(0, (height - low[0]) / (high[0] - low[0])));
  for (let channel = 0; channel < 3; channel++) {
    out[at + channel] = low[channel + 1] + (high[channel + 1] - low[channel + 1]) * t;
  }
}

/** The land itself. @param {SectionParts} parts @param {Grid} grid @param {number} section @param {Flight} flight */
export function fillLand({ positions, normals, colours, indices }, { x, y }, section, flight) {
  const { rows, columns } = flight;
  const width = columns + 3;
  const step = SECTION_LENGTH / rows;
  let at = 0;
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++, at += 3) {
      const here = (row + 1) * width + column + 1;
      positions[at] = x[here];
      positions[at + 1] = y[here];
      positions[at + 2] = rowZ(section, row, flight);
      // From the slopes across and along; the next row lies a step towards -z, and aside.
      const across = (y[here + 1] - y[here - 1]) / (x[here + 1] - x[here - 1]);
      const aside = x[here + width] - x[here - width];
      const along = (y[here + width] - y[here - width] - across * aside) / (-2 * step);
      const length = Math.hypot(across, 1, along);
      normals[at] = -across / length;
      normals[at + 1] = 1 / length;
      normals[at + 2] = -along / length;
      writeColour(colours, at, y[here] + 3 * (normals[at + 1] - 0.8));
    }
  }
  fillIndices(indices, rows, columns);
}

/** @param {Uint32Array} indices @param {number} rows @param {number} columns */
function fillIndices(indices, rows, columns) {
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at += 6) {
      const near = row * (columns + 1) + column;
      const far = near + columns + 1;
      indices[at] = near;
      indices[at + 1] = near + 1;
      indices[at + 2] = far;
      indices[at + 3] = near + 1;
      indices[at + 4] = far + 1;
      indices[at + 5] = far;
    }
  }
}

/** A matrix of each crystal, leaning and turned. @param {Float32Array} crystals @param {number} section */
export function fillCrystals(crystals, section) {
  const random = new Random(section * 7919 + 5);
  for (let at = 0; at < crystals.length; at += MATRIX_FLOATS) {
    const z = -(section + random.fraction()) * SECTION_LENGTH;
    const side = random.fraction() < 0.5 ? -1 : 1;
    const x = wayAt(z) + side * (10 + 42 * random.fraction() ** 1.6);
    const size = 0.16 + 0.75 * random.fraction() ** 5;
    const turn = random.fraction() * 2 * Math.PI;
    const [c, s] = [Math.cos(turn) * size, Math.sin(turn) * size];
    const lean = 0.5 * (random.fraction() - 0.5);
    const height = size * (2.4 + 2.6 * random.fraction());
    crystals.set([c, 0, -s, 0, lean * height, height, lean * height, 0, s, 0, c, 0], at);
    crystals.set([x, heightAt(x, z) + height * 0.45, z, 1], at + 12);
  }
}

/**
 * What moves above the section: the middle of its round (x, y, z), radius, angle, speed, size, spin.
 *
 * @param {Float32Array} movers @param {number} section
 */
export function fillMovers(movers, section) {
  const random = new Random(section * 104729 + 11);
  for (let at = 0; at < movers.length; at += MOVER_FLOATS) {
    const z = -(section + random.fraction()) * SECTION_LENGTH;
    const away = 4 + 34 * random.fraction() ** 1.5; // leaves the way free
    movers[at] = wayAt(z) + (random.fraction() < 0.5 ? -away : away);
    movers[at + 1] = 1.5 + 0.4 * away + 7 * random.fraction() ** 2;
    movers[at + 2] = z;
    movers[at + 3] = 0.5 + 2 * random.fraction();
    movers[at + 4] = random.fraction() * 2 * Math.PI;
    movers[at + 5] = 0.3 + 0.9 * random.fraction();
    movers[at + 6] = 0.06 + 0.14 * random.fraction() ** 3;
    movers[at + 7] = 1 + 3 * random.fraction();
  }
}
