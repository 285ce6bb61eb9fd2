/**
 * The belt of gems: one matrix for each gem that the camera sees.
 *
 * Pure functions; the caller owns the memory.
 */
import { Random } from '../../shared/random.js';

/** Of a gem at size 1, for culling. */
const RADIUS = 1;

/** Numbers for each gem: radius of its orbit, angle, height, size, speed, spin. */
const TRAITS = 6;

/**
 * The unchanging traits of the gems `first` to `last` - 1 (the same in every thread).
 *
 * @param {number} first @param {number} last
 */
export function gemTraits(first, last) {
  const traits = new Float32Array((last - first) * TRAITS);
  for (let gem = first; gem < last; gem++) {
    const random = new Random(gem * 7919 + 17);
    const spread = random.fraction() + random.fraction() - 1;
    traits.set(
      [
        7.2 + spread * 1.4,
        random.fraction() * 2 * Math.PI,
        2.1 + (random.fraction() - 0.5) * 0.8,
        0.012 + 0.032 * random.fraction() ** 3,
        0.05 + 0.06 * random.fraction(),
        1 + 3 * random.fraction(),
      ],
      (gem - first) * TRAITS,
    );
  }
  return traits;
}

/**
 * @param {Float32Array} planes 6 times x, y, z, distance, pointing into the picture
 * @param {number} x @param {number} y @param {number} z @param {number} radius
 */
export function isVisible(planes, x, y, z, radius) {
  for (let p = 0; p < 24; p += 4) {
    const distance = planes[p] * x + planes[p + 1] * y + planes[p + 2] * z + planes[p + 3];
    if (distance < -radius) return false;
  }
  return true;
}

/**
 * Writes the matrices (4 by 4, columns first) of the visible gems, closely packed.
 *
 * @param {Float32Array} traits from gemTraits
 * @param {number} time
 * @param {Float32Array} planes
 * @param {Float32Array} out room for all gems
 * @returns {number} how many are visible
 */
export function fillGems(traits, time, planes, out) {
  let visible = 0;
  for (let i = 0; i < traits.length; i += TRAITS) {
    const angle = traits[i + 1] + time * traits[i + 4];
    const size = traits[i + 3];
    const x = traits[i] * Math.cos(angle);
    const z = traits[i] * Math.sin(angle);
    const y = traits[i + 2] + 0.35 * Math.sin(angle * 2);
    if (!isVisible(planes, x, y, z, RADIUS * size * 2)) continue;
    const c = Math.cos(time * traits[i + 5]) * size;
    const s = Math.sin(time * traits[i + 5]) * size;
    const at = visible++ * 16;
    out.fill(0, at, at + 16);
    out[at] = c;
    out[at + 2] = -s;
    out[at + 5] = size * 1.7;
    out[at + 8] = s;
    out[at + 10] = c;
    out[at + 12] = x;
    out[at + 13] = y;
    out[at + 14] = z;
    out[at + 15] = 1;
  }
  return visible;
}
