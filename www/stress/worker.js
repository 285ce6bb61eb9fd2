/**
 * The stress page's worker: attaches and answers the page's calls, one after the other.
 */
import { Walloc } from '../../workers/walloc.js';
import { Random, seedFor } from '../shared/random.js';
import { answerCalls } from '../shared/worker-group.js';
import { TIERS, recycle } from './actions.js';
import { OrderedWork } from './ordered.js';
import { allocateAlong, recycleAlong } from './race.js';

/** @type {Walloc} */
let walloc;
/** @type {Random} */
let random;
/** @type {OrderedWork} */
let ordered;

answerCalls({
  /** @param {{handle: any, worker: number, seed: number}} argument */
  async attach({ handle, worker, seed }) {
    walloc = await Walloc.attach(handle);
    random = new Random(seedFor(seed, worker));
    ordered = new OrderedWork(walloc, worker, random);
  },

  /** A mark in each tier: what a rewind after the round goes back to. */
  mark: () => TIERS.map((tier) => walloc.tier(tier).mark()),

  fill: (/** @type {number} */ count) => ordered.fill(count),

  recycle: (/** @type {any[]} */ marks) =>
    Object.fromEntries(TIERS.map((t, i) => [t, recycle(walloc.tier(t), random, marks[i])])),

  settle: (/** @type {any} */ actions) => ordered.settle(actions),

  /** @param {{recycles: boolean, milliseconds: number}} argument */
  race: ({ recycles, milliseconds }) =>
    (recycles ? recycleAlong : allocateAlong)(walloc, random, milliseconds),

  detach: () => walloc.detach(),
});
