/**
 * The page: starts four workers, draws each stripe of the picture as soon as it is there, throws all stripes
 * away in one step, and asks for the next picture.
 */
import { Walloc } from '../../workers/walloc.js';

const WORKERS = 4;
const STRIPES = 20;
const PICTURES = 3;

const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas'));
const status = /** @type {HTMLElement} */ (document.querySelector('[role=status]'));
const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
const rows = canvas.height / STRIPES;

/** @param {import('../../workers/walloc.js').View} view number of the stripe, then its pixels */
function draw(view) {
  const stripe = view.get(0);
  const image = context.createImageData(canvas.width, rows);
  view.subview(1).copyTo(new Uint32Array(image.data.buffer)); // browsers refuse a canvas shared memory: a copy
  context.putImageData(image, 0, stripe * rows);
}

async function main() {
  const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 4 << 20 });
  const jobs = walloc.createQueue({ capacity: STRIPES });
  const stripes = walloc.createQueue({ capacity: STRIPES });
  for (let i = 0; i < WORKERS; i++) {
    const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
    worker.postMessage({
      handle: walloc.handle,
      jobs: jobs.handle,
      stripes: stripes.handle,
      width: canvas.width,
      height: canvas.height,
      rows,
    });
  }
  let last;
  for (let picture = 0; picture < PICTURES; picture++) {
    for (let stripe = 0; stripe < STRIPES; stripe++) {
      const job = walloc.entity.alloc(Uint32Array, 2);
      job.set(0, picture);
      job.set(1, stripe);
      jobs.publish(job);
    }
    for (let i = 0; i < STRIPES; i++) draw((last = await stripes.next()));
    walloc.render.reset(); // every stripe of this picture
    walloc.entity.reset(); // every job
  }
  jobs.close(); // the workers end
  const kib = Math.round(walloc.render.stats().highWater / 1024);
  status.textContent =
    `${PICTURES} pictures of ${STRIPES} stripes, in ${kib} KiB; ` +
    `the last stripe is ${last.valid ? 'still there' : 'gone'}`;
}

main().catch((error) => {
  status.textContent = `Failed: ${error.message}`;
});
