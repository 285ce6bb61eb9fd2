/**
 * A worker: takes jobs until the queue is closed, and publishes for each a stripe of the Mandelbrot set. Jobs
 * and stripes lie in the memory that all threads share: nothing is copied.
 */
import { Walloc } from '../../workers/walloc.js';

const DEPTH = 200;

/** @param {number} re @param {number} im */
function depthOf(re, im) {
  let [x, y, depth] = [0, 0, 0];
  for (; depth < DEPTH && x * x + y * y < 4; depth++) [x, y] = [x * x - y * y + re, 2 * x * y + im];
  return depth;
}

/** Opaque, as little-endian bytes: red, green, blue, alpha. @param {number} depth */
const colorOf = (depth) => (depth === DEPTH ? 0xff000000 : 0xff400000 + depth * 0x010305) >>> 0;

/**
 * @param {Uint32Array} pixels
 * @param {number} picture each one closer
 * @param {number} top row
 * @param {{ width: number, height: number, rows: number }} size
 */
function fill(pixels, picture, top, { width, height, rows }) {
  const scale = 3 / width / 2 ** picture;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) {
      const re = (x - width / 2) * scale - 0.7;
      const im = (top + y - height / 2) * scale + 0.1 * picture;
      pixels[y * width + x] = colorOf(depthOf(re, im));
    }
  }
}

addEventListener('message', async ({ data }) => {
  const { rows, width } = data;
  const walloc = await Walloc.attach(data.handle);
  const [jobs, stripes] = [walloc.queue(data.jobs), walloc.queue(data.stripes)];
  for await (const job of jobs) {
    const [picture, stripe] = job.array;
    const view = walloc.render.alloc(Uint32Array, 1 + width * rows);
    view.set(0, stripe);
    fill(view.array.subarray(1), picture, stripe * rows, data);
    stripes.publish(view);
  }
  walloc.detach();
  close();
});
