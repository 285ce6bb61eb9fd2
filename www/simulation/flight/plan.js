/**
 * What the flight is made of: how long a level section is, what lies in its block, where the way leads,
 * and which sections there are at a place of it.
 *
 * Plain data and pure functions, read by the page and by its workers.
 *
 * @typedef {import('../plan.js').Flight} Flight
 *
 * @typedef {{positions: Float32Array, normals: Float32Array, colours: Float32Array,
 *   indices: Uint32Array, crystals: Float32Array, movers: Float32Array}} SectionParts
 */

/** Metres of the way in one section. */
export const SECTION_LENGTH = 32;
/** Metres of land to the left and to the right of the way. */
export const HALF_WIDTH = 84;

/**
 * Arenas in the ring. Section n lies in arena n modulo RING, so a lap through the ring uses each once.
 * Seen from the section that the camera is in: -2 leaves, -1 and 6 are kept, 0 to 5 are live, 7 loads.
 */
export const RING = 12;
export const LIVE_AHEAD = 5;
export const KEPT_AHEAD = 6;
export const LOADED_AHEAD = 7;
export const KEPT_BEHIND = 1;

/** Fewest sections of a flight: two laps are loaded. */
export const SECTIONS_MIN = 2 * RING - LOADED_AHEAD;

/** How far a frame may move the camera, in sections, however long it took. */
export const ADVANCE_MAX = 0.4;

/** Numbers of a matrix, and of a mover: see land.js. */
export const MATRIX_FLOATS = 16;
export const MOVER_FLOATS = 8;

const LINE_FLOATS = 16; // the parts of a block begin at 64 bytes

/** @param {number} floats */
const wholeLines = (floats) => Math.ceil(floats / LINE_FLOATS) * LINE_FLOATS;

/** @param {Flight} flight */
export const verticesOf = ({ rows, columns }) => (rows + 1) * (columns + 1);

/** The lengths of a section's parts, in the order in which they lie in its block. @param {Flight} flight */
function partLengths(flight) {
  const corners = verticesOf(flight) * 3;
  return {
    positions: corners,
    normals: corners,
    colours: corners,
    indices: flight.rows * flight.columns * 6,
    crystals: flight.crystals * MATRIX_FLOATS,
    movers: flight.movers * MOVER_FLOATS,
  };
}

/** 32-bit words of a section's block. @param {Flight} flight */
export function sectionWords(flight) {
  return Object.values(partLengths(flight)).reduce((sum, length) => sum + wholeLines(length), 0);
}

/** 32-bit words of what is needed only while a section is built. @param {Flight} flight */
export const scratchWords = ({ rows, columns }) => 2 * (rows + 3) * (columns + 3);

/** The parts of a section's block, in place. @param {Float32Array} block @param {Flight} flight @returns {SectionParts} */
export function sectionParts(block, flight) {
  /** @type {Record<string, ArrayBufferView>} */
  const parts = {};
  let at = block.byteOffset;
  for (const [name, length] of Object.entries(partLengths(flight))) {
    parts[name] =
      name === 'indices'
        ? new Uint32Array(block.buffer, at, length)
        : new Float32Array(block.buffer, at, length);
    at += wholeLines(length) * 4;
  }
  return /** @type {SectionParts} */ (parts);
}

/** Where the way is, at `z` metres (it leads towards -z). @param {number} z */
export function wayAt(z) {
  return 16 * Math.sin(z * 0.0171) + 9 * Math.sin(z * 0.0393 + 1.3);
}

/**
 * What becomes of a section when the camera is in another.
 *
 * @param {number} section @param {number} camera the section that it is in
 * @returns {'ahead' | 'wanted' | 'live' | 'kept' | 'behind'}
 */
export function placeOfSection(section, camera) {
  const distance = section - camera;
  if (distance > LOADED_AHEAD) return 'ahead';
  if (distance < -KEPT_BEHIND) return 'behind';
  if (distance > KEPT_AHEAD) return 'wanted';
  return distance >= 0 && distance <= LIVE_AHEAD ? 'live' : 'kept';
}
