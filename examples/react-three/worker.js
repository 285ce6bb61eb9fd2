/**
 * Computes the sea: the vertices of a grid at a moment, into the current frame of the shared memory.
 */
import { Walloc } from '../../workers/walloc.js';
import { SIDE, VERTICES } from './grid.js';

/** @param {Float32Array} vertices @param {number} time @param {number} height */
function fill(vertices, time, height) {
  for (let i = 0; i < VERTICES; i++) {
    const [x, z] = [(i % SIDE) / SIDE - 0.5, Math.floor(i / SIDE) / SIDE - 0.5];
    const wave =
      Math.sin(x * 25 + time * 2) + Math.cos(z * 18 + time) + Math.sin((x + z) * 40 - time);
    vertices[3 * i] = x * 10;
    vertices[3 * i + 1] = wave * height * 0.12;
    vertices[3 * i + 2] = z * 10;
  }
}

/** @type {Promise<{ frames: import('../../workers/walloc.js').Frames, latest: import('../../workers/walloc.js').Queue }>} */
let ready;

async function attach({ handle, frames, latest }) {
  const walloc = await Walloc.attach(handle);
  return { frames: walloc.frames(frames), latest: walloc.queue(latest) };
}

addEventListener('message', async ({ data }) => {
  if (data.handle) {
    ready = attach(data);
    return;
  }
  const { frames, latest } = await ready;
  const view = frames.alloc(Float32Array, 3 * VERTICES);
  fill(view.array, data.time, data.height);
  latest.publish(view);
  frames.advance(); // the frame before the last may go, unless the page has pinned it
});
