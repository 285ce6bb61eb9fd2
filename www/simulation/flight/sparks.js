/**
 * The sparks that a dragon leaves behind it, in its own space. They live in the entity tier like the particles of
 * the frames, by whose layout and motion they go (jobs/particles.js).
 *
 * Pure functions; the caller owns the memory.
 */
import { Random } from '../../shared/random.js';
import { PARTICLE_FLOATS } from '../jobs/particles.js';

export const SPARK_FLOATS = PARTICLE_FLOATS;

const TAIL = 10; // metres: they end before the camera

/**
 * New sparks at a time, for the numbers `first` and up. A spark goes on where the one with its number was before,
 * so that the reset cannot be seen.
 *
 * @param {Float32Array} out @param {number} first @param {number} time
 */
export function spawnSparks(out, first, time) {
  for (let at = 0, number = first; at < out.length; at += SPARK_FLOATS, number++) {
    const random = new Random(number * 130363 + 7);
    const speed = 4 + 5 * random.fraction();
    const back = (random.fraction() * TAIL + time * speed) % TAIL;
    const angle = random.fraction() * 2 * Math.PI;
    const spread = (0.05 + 0.16 * random.fraction()) * Math.sqrt(random.fraction()) * speed;
    const aside = 0.9 * Math.sqrt(random.fraction()) + (back / speed) * spread;
    out[at] = aside * Math.cos(angle);
    out[at + 1] = 1.6 + aside * Math.sin(angle);
    out[at + 2] = 2.5 + back;
    out[at + 3] = spread * Math.cos(angle);
    out[at + 4] = spread * Math.sin(angle);
    out[at + 5] = speed;
  }
}
