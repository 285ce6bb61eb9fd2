/**
 * The objects that move above the live sections: one matrix for each that is drawn.
 *
 * Pure functions; the caller owns the memory.
 */
import { MATRIX_FLOATS, MOVER_FLOATS } from './plan.js';
import { isVisible } from '../jobs/gems.js';

/** Of a mover of size 1, for culling. */
const RADIUS = 2;

/** Spreads the numbers of the movers evenly over 0 to 1, so that any share of them is spread over the land. */
const GOLDEN = 0.6180339887;

/**
 * Moves the movers `first` to `last` - 1 of a section, and writes the matrices of those that are seen, closely
 * packed.
 *
 * @param {Float32Array} movers of the section
 * @param {number} first @param {number} last
 * @param {{time: number, planes: Float32Array, detail: number}} orders detail: which share of them is drawn, 0 to 1
 * @param {Float32Array} out
 * @param {number} at where the first matrix goes, in matrices
 * @returns {number} behind the last one written
 */
export function moveMovers(movers, first, last, { time, planes, detail }, out, at) {
  let next = at;
  for (let mover = first; mover < last; mover++) {
    const i = mover * MOVER_FLOATS;
    const angle = movers[i + 4] + time * movers[i + 5];
    const size = movers[i + 6];
    const x = movers[i] + movers[i + 3] * Math.cos(angle);
    const y = movers[i + 1] + 0.5 * Math.sin(angle * 2);
    const z = movers[i + 2] + movers[i + 3] * Math.sin(angle);
    if ((mover * GOLDEN) % 1 >= detail) continue;
    if (!isVisible(planes, x, y, z, RADIUS * size)) continue;
    const c = Math.cos(time * movers[i + 7]) * size;
    const s = Math.sin(time * movers[i + 7]) * size;
    const to = next++ * MATRIX_FLOATS;
    out.fill(0, to, to + MATRIX_FLOATS);
    out[to] = c;
    out[to + 2] = -s;
    out[to + 5] = size * 1.8;
    out[to + 8] = s;
    out[to + 10] = c;
    out[to + 12] = x;
    out[to + 13] = y;
    out[to + 14] = z;
    out[to + 15] = 1;
  }
  return next;
}
