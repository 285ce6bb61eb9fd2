/**
 * Procedural textures for the refills of the scene tier, made and read a slice each frame so that no
 * frame has to wait for 64 MiB.
 *
 * Pure functions; the caller owns the memory.
 */
import { CHECKSUM_START, checksumWords } from '../../shared/checksum.js';

/** Frames over which a texture is made, and over which another worker then reads it. */
export const MAKING_FRAMES = 24;
export const READING_FRAMES = 24;

const WAVE = Float32Array.from({ length: 1024 }, (_, i) => Math.sin((i / 512) * Math.PI) * 160);
const PALETTE_SIZE = 512;

/**
 * Colours that go from dark to light with a contour line at every sixteenth entry.
 *
 * @param {number} hue 0 to 1
 * @param {number} light of the brightest entry, 0 to 1
 * @param {number} contour light that a contour line adds
 */
function makePalette(hue, light, contour) {
  const palette = new Uint32Array(PALETTE_SIZE);
  for (let i = 0; i < PALETTE_SIZE; i++) {
    const height = 0.5 - 0.5 * Math.cos((i / PALETTE_SIZE) * 2 * Math.PI);
    const line = i % 32 < 2 ? contour : 0;
    const value = light * (0.12 + 0.88 * height ** 1.5) + line;
    const channel = (/** @type {number} */ shift) => {
      const tint = 0.62 + 0.38 * Math.cos((hue - shift + height * 0.08) * 2 * Math.PI);
      return Math.min(255, Math.round(255 * value * tint));
    };
    palette[i] = 0xff000000 | (channel(0.67) << 16) | (channel(0.33) << 8) | channel(0);
  }
  return palette;
}

const LOOKS = [
  { light: 0.6, contour: 0.2, waves: 2 }, // plinth
  { light: 0.3, contour: 0.2, waves: 4 }, // floor
  { light: 0.5, contour: 0.04, waves: 2 }, // backdrop
];

/** From refill to refill: indigo, slate blue, violet, teal. */
const HUES = [0.48, 0.6, 0.54, 0.66];

/**
 * @param {number} index of the texture in the plan
 * @param {number} epoch which refill it is: each has colours of its own
 */
export function textureLook(index, epoch) {
  const { light, contour, waves } = LOOKS[index];
  const hue = HUES[epoch % HUES.length] + 0.02 * index;
  return { palette: makePalette(hue, light, contour), waves, shift: epoch * 151 + index * 389 };
}

/**
 * Fills the rows `first` to `last` - 1 of a square texture.
 *
 * @param {Uint32Array} texels
 * @param {number} size
 * @param {number} first
 * @param {number} last
 * @param {ReturnType<typeof textureLook>} look
 */
export function fillRows(texels, size, first, last, { palette, waves, shift }) {
  const unit = (waves * 1024) / size;
  const mask = PALETTE_SIZE - 1;
  for (let y = first; y < last; y++) {
    const v = y * unit;
    const bend = WAVE[(v + shift) & 1023];
    const rise = WAVE[(v * 0.7 + shift * 3) & 1023];
    for (let x = 0, at = y * size; x < size; x++, at++) {
      const u = x * unit;
      const wave = WAVE[(u + bend) & 1023];
      texels[at] = palette[(wave + rise + WAVE[(u * 2 + v + wave) & 1023] * 0.4) & mask];
    }
  }
}

/**
 * The rows of a square texture that are due at a step of a work spread over many frames.
 *
 * @param {number} size @param {number} step from 0 @param {number} steps
 * @returns {[number, number]}
 */
export function rowsOfStep(size, step, steps) {
  return [Math.floor((size * step) / steps), Math.floor((size * (step + 1)) / steps)];
}

/**
 * Continues the checksum of a texture by some rows.
 *
 * @param {number} checksum @param {Uint32Array} texels
 * @param {number} size @param {number} first @param {number} last
 */
export function checksumRows(checksum, texels, size, first, last) {
  return checksumWords(checksum, texels.subarray(first * size, last * size));
}

export { CHECKSUM_START };
