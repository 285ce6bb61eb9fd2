/**
 * What the stress does to a tier between two rounds. One thread at a time, all others idle (ordered
 * rounds), or all others allocating (races).
 *
 * @typedef {import('../../workers/walloc.js').Arena} Arena
 * @typedef {import('../shared/random.js').Random} Random
 * @typedef {'render' | 'scene' | 'entity'} TierName
 * @typedef {'nothing' | 'trim' | 'reserve' | 'reset' | 'rewind' | 'compact to all' |
 *   'compact to a part'} Action
 */

/** @type {TierName[]} */
export const TIERS = ['render', 'scene', 'entity'];

/** @type {Record<TierName, number>} */
export const ALIGNMENTS = { render: 128, scene: 64, entity: 8 };

/** @type {Action[]} the frequent ones more than once */
const CHOICES = [
  'nothing',
  'trim',
  'reserve',
  'reset',
  'reset',
  'reset',
  'rewind',
  'rewind',
  'compact to all',
  'compact to a part',
  'compact to a part',
];

/**
 * Does something to an arena.
 *
 * @param {Arena} arena
 * @param {Random} random
 * @param {any} mark set before the round
 * @returns {Action} what was done
 */
export function recycle(arena, random, mark) {
  const action = CHOICES[random.below(CHOICES.length)];
  try {
    perform(action, arena, random, mark);
    return action;
  } catch (error) {
    const { code } = /** @type {any} */ (error);
    if (code === 'LIMIT') {
      arena.reset(); // preserved levels are nested too deep: begin anew
      return 'reset';
    }
    if (code === 'BUDGET' || code === 'OUT_OF_MEMORY') return 'nothing'; // no room to reserve
    throw error;
  }
}

/** @param {Action} action @param {Arena} arena @param {Random} random @param {any} mark */
function perform(action, arena, random, mark) {
  if (action === 'reset') arena.reset();
  else if (action === 'rewind') arena.rewind(mark);
  else if (action === 'compact to all') arena.compact(arena.used);
  else if (action === 'compact to a part') arena.compact(random.below(arena.used + 1));
  else if (action === 'trim') arena.trim();
  else if (action === 'reserve') arena.reserve(random.between(1, 1 << 20));
}
