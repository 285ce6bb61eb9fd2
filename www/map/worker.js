/**
 * The live map's worker: takes a frame's blocks when it is told to, and hangs when it is told to.
 */
import { Walloc } from '../../workers/walloc.js';
import { Random } from '../shared/random.js';
import { answerCalls } from '../shared/worker-group.js';

/** @typedef {import('../../workers/walloc.js').View<any>} View */

const KIB = 1024;
const HEAP_BLOCKS = 60;

/** @type {Walloc} */
let walloc;
/** @type {Random} */
let random;
/** Blocks of the heap that live for a while, the oldest first. @type {number[]} */
const kept = [];

/** @param {import('../../workers/walloc.js').Arena} arena @param {number} count @param {number} most */
function fill(arena, count, most) {
  for (let i = 0; i < count; i++) {
    const view = arena.alloc(Uint8Array, 16 + random.below(most));
    view.array[0] = i;
  }
}

answerCalls({
  /** @param {{handle: import('../../workers/api/walloc.js').Handle, seed: number}} argument */
  async attach({ handle, seed }) {
    walloc = await Walloc.attach(handle);
    random = new Random(seed);
  },

  /** @param {number} frame */
  frame(frame) {
    const wave = 1 + Math.sin(frame / 25);
    fill(walloc.render, 20 + Math.floor(40 * wave), 64 * KIB);
    fill(walloc.entity, 200, 200);
    if (frame % 6 === 0) fill(walloc.scene, 4, 256 * KIB);
    for (let i = 0; i < 6; i++)
      kept.push(walloc.heap.malloc(16 + random.below(i ? 2000 : 300_000)));
    while (kept.length > HEAP_BLOCKS)
      walloc.heap.free(kept.splice(random.below(kept.length), 1)[0]);
  },

  hang() {
    for (;;);
  },
});
