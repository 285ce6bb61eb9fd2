/**
 * A worker that never rests: it takes blocks from its lane and from the heap, and frees some, until it is
 * killed. It tells how far it has come by a word of shared memory, as it reads no message any more.
 */
import { Walloc } from '../../workers/walloc.js';
import { Random } from '../shared/random.js';

const KEPT = 200;
const ROUND = 64;

/** @type {{handle: import('../../workers/api/walloc.js').Handle, progress: Int32Array, index: number}} */
const start = await new Promise((resolve) => {
  globalThis.onmessage = (/** @type {MessageEvent} */ { data }) => resolve(data);
});
const { handle, progress, index } = start;
const walloc = await Walloc.attach(handle);
const random = new Random(index + 1);
/** @type {number[]} blocks of the heap */
const kept = [];

for (;;) {
  for (let i = 0; i < ROUND; i++) {
    walloc.entity.alloc(Uint32Array, 1 + random.below(50)); // not written to: the page resets the tier
    kept.push(walloc.heap.malloc(16 + random.below(random.below(20) ? 1000 : 100_000)));
    if (kept.length > KEPT) walloc.heap.free(kept.splice(random.below(KEPT), 1)[0]);
  }
  Atomics.add(progress, index, ROUND * 2);
}
