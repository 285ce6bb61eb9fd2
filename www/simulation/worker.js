/**
 * The simulation's worker: attaches to the shared memory and answers the page's calls.
 *
 * One after the other, never two at once. The calls `frames` and `flight` last as long as those do.
 */
import { Walloc } from '../../workers/walloc.js';
import { answerCalls } from '../shared/worker-group.js';
import { FlightWork } from './flight/work.js';
import { FrameWork } from './jobs/frames.js';
import { exhaustMemory, fillToBudget, growEntities, streamPastBudget } from './jobs/pressure.js';
import { checksumOfModel, streamModel } from './jobs/streaming.js';

/**
 * @typedef {import('./plan.js').ModelEntry} ModelEntry
 * @typedef {import('./jobs/streaming.js').ModelRefs} ModelRefs
 */

/** @type {Walloc} */
let walloc;
let worker = 0;

answerCalls({
  /** @param {{handle: any, worker: number}} argument */
  async attach(argument) {
    walloc = await Walloc.attach(argument.handle);
    worker = argument.worker;
  },

  /** @param {{folder: string, models: ModelEntry[]}} argument */
  async load({ folder, models }) {
    const scene = walloc.tier('scene');
    return Promise.all(models.map((model) => streamModel(scene, new URL(folder), model)));
  },

  /**
   * Names of the models whose bytes are not what they were.
   *
   * @param {{name: string, refs: ModelRefs, checksum: string}[]} models
   */
  verify(models) {
    return models
      .filter(({ refs, checksum }) => checksumOfModel(walloc, refs) !== checksum)
      .map(({ name }) => name);
  },

  /** @param {import('./jobs/frames.js').FrameShare} share */
  frames: (share) => new FrameWork(walloc, share).run(),

  /** @param {import('./flight/work.js').FlightShare} share */
  flight: (share) => new FlightWork(walloc, share).run(),

  growEntities: (/** @type {number} */ bytes) => growEntities(walloc, worker, bytes),
  fillToBudget: (/** @type {number} */ seed) => fillToBudget(walloc, worker, seed),
  streamPastBudget: (/** @type {number} */ bytes) => streamPastBudget(walloc, worker, bytes),
  exhaustMemory: (/** @type {number} */ arena) => exhaustMemory(walloc, arena),

  detach: () => walloc.detach(),
});
