/**
 * Sparks that rise around the scene. They live in the entity tier: made anew each time it is reset,
 * moved in place in between, and drawn from where they are.
 *
 * Pure functions; the caller owns the memory.
 */
import { Random } from '../../shared/random.js';

/** Numbers for each particle: place x, y, z, then speed x, y, z. */
export const PARTICLE_FLOATS = 6;

const TOP = 4.6;

/**
 * New particles at a time, for the numbers `first` and up. A particle goes on where the one with its
 * number was before, so that the reset cannot be seen.
 *
 * @param {Float32Array} out
 * @param {number} first
 * @param {number} time
 */
export function spawnParticles(out, first, time) {
  for (let at = 0, number = first; at < out.length; at += PARTICLE_FLOATS, number++) {
    const random = new Random(number * 104729 + 3);
    const rise = 0.25 + 0.5 * random.fraction();
    const turn = 0.15 + 0.5 * random.fraction();
    const height = (random.fraction() * TOP + time * rise) % TOP;
    const radius = 0.4 + 3.4 * Math.sqrt(random.fraction()) * (1 - 0.11 * height);
    const angle = random.fraction() * 2 * Math.PI + time * turn;
    out[at] = radius * Math.cos(angle);
    out[at + 1] = height;
    out[at + 2] = radius * Math.sin(angle);
    out[at + 3] = -radius * turn * Math.sin(angle);
    out[at + 4] = rise;
    out[at + 5] = radius * turn * Math.cos(angle);
  }
}

/** Moves all on by their speed. @param {Float32Array} particles @param {number} step in seconds */
export function moveParticles(particles, step) {
  for (let at = 0; at < particles.length; at += PARTICLE_FLOATS) {
    particles[at] += particles[at + 3] * step;
    particles[at + 1] += particles[at + 4] * step;
    particles[at + 2] += particles[at + 5] * step;
  }
}
