/**
 * A page that shares numbers with a worker, or adds them up itself where memory cannot be shared. Any bundler builds
 * it as it is: see README.md here.
 */
import { Walloc } from '@walloc/walloc';

const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 1 << 20 });
const numbers = walloc.scene.alloc(Float64Array, 1000);
numbers.array.forEach((_zero, i, array) => (array[i] = i));

const show = (/** @type {string} */ who, /** @type {number} */ sum) => {
  document.body.textContent = `${walloc.mode}: ${who} adds up ${sum}`;
};

if (walloc.mode === 'shared') {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => show('a worker', data);
  worker.postMessage({ handle: walloc.handle, ref: numbers.ref });
} else {
  show(
    'the page',
    numbers.array.reduce((a, b) => a + b),
  );
}
