/**
 * The other thread of the page on use after reset: it writes a block, hands it over, and throws it away.
 */
import { Walloc } from '../../workers/walloc.js';
import { answerCalls } from '../shared/worker-group.js';

/** @typedef {'reset' | 'compact' | 'rewind' | 'free'} Way */

const LENGTH = 64;

/** So many that they cover an arena's block, whatever was kept before it. */
const NEXT = 500;

/** @type {Walloc} */
let walloc;
/** @type {any} */
let block;
/** @type {any} */
let mark;

answerCalls({
  /** @param {import('../../workers/api/walloc.js').Handle} handle */
  async attach(handle) {
    walloc = await Walloc.attach(handle);
  },

  /** The block that is kept, and the one that will not be. @param {Way} way */
  write(way) {
    const kept = walloc.scene.alloc(Float32Array, LENGTH);
    kept.array.fill(0.25);
    mark = walloc.scene.mark();
    block = (way === 'free' ? walloc.heap : walloc.scene).alloc(Float32Array, LENGTH);
    block.array.fill(0.5);
    return { kept: kept.ref, block: block.ref };
  },

  /** @param {Way} way */
  throwAway(way) {
    const { scene, heap } = walloc;
    if (way === 'reset') scene.reset();
    if (way === 'compact') scene.compact(LENGTH * 4);
    if (way === 'rewind') scene.rewind(mark);
    if (way === 'free') heap.free(block);
    for (let i = 0; i < NEXT; i++) {
      const next = (way === 'free' ? heap : scene).alloc(Float32Array, LENGTH);
      next.array.fill(-1);
    }
  },

  detach: () => walloc.detach(),
});
