/**
 * The 4 GiB page's worker: attaches and answers the page's calls, one after the other.
 */
import { Walloc } from '../../workers/walloc.js';
import { answerCalls } from '../shared/worker-group.js';
import { readBlocks, takeBlocks } from './blocks.js';

/** @type {Walloc} */
let walloc;

answerCalls({
  async attach(/** @type {import('../../workers/api/walloc.js').Handle} */ handle) {
    walloc = await Walloc.attach(handle);
  },

  take: (/** @type {{bytes: number, count: number}} */ wanted) => takeBlocks(walloc.scene, wanted),
  read: (/** @type {import('./blocks.js').Ref[]} */ refs) => readBlocks(walloc, refs),
  detach: () => walloc.detach(),
});
