/**
 * Names and colours for those who own pages.
 *
 * Pure functions.
 */
import {
  ARENA,
  CLASS_BITS,
  FOREIGN,
  FREE,
  FRESH,
  HUGE,
  LARGE,
  OWN,
  RAW,
  RAW_END,
  SLOTS,
  SPAN,
  isArena,
  isLarge,
  isOwn,
  isSpan,
} from '../api/owners.js';

/** The tiers are the first three arenas. */
const TIERS = ['render', 'scene', 'entity'];

/** The name of an arena, by its slot. @param {number} slot */
export const arenaName = (slot) => TIERS[slot] ?? `arena ${slot}`;

/** @type {Record<number, string>} */
const NAMES = {
  [FOREIGN]: 'foreign',
  [FREE]: 'free',
  [OWN]: 'own',
  [FRESH]: 'fresh',
  [HUGE]: 'heap, a huge block',
  [SLOTS]: 'own, references',
};

/** Parts have the numbers that the heap's reports of misuse name. @param {number} owner */
export function ownerName(owner) {
  if (owner === SPAN) return 'heap, blocks with references';
  if (isSpan(owner)) return `heap, part ${owner >> CLASS_BITS}`;
  if (isArena(owner)) return arenaName(owner - ARENA);
  if (owner >= RAW && owner < RAW_END) return `heap, large blocks to be, shard ${owner - RAW}`;
  if (owner >= LARGE && owner < RAW) return `heap, large blocks and scraps, shard ${owner - LARGE}`;
  return NAMES[owner] ?? `owner ${owner}`;
}

/** What is drawn in one colour, in the order of the legend. */
export const GROUPS = /** @type {const} */ ([
  'render',
  'scene',
  'entity',
  'arenas',
  'spans',
  'large',
  'own',
  'free',
  'fresh',
  'foreign',
]);

/** @typedef {typeof GROUPS[number]} Group */

/** @type {Record<Group, string>} */
export const GROUP_TITLES = {
  render: 'Render tier',
  scene: 'Scene tier',
  entity: 'Entity tier',
  arenas: 'Other arenas',
  spans: 'Heap, small blocks',
  large: 'Heap, large blocks',
  own: 'Walloc’s own',
  free: 'Free',
  fresh: 'Free, never used',
  foreign: 'Foreign',
};

/** @param {number} owner @returns {Group} */
export function groupOf(owner) {
  if (isSpan(owner)) return 'spans';
  if (isArena(owner)) return /** @type {Group} */ (TIERS[owner - ARENA] ?? 'arenas');
  if (owner === FREE) return 'free';
  if (owner === FRESH) return 'fresh';
  if (isOwn(owner)) return 'own';
  return isLarge(owner) ? 'large' : 'foreign';
}

/** @type {Record<'light' | 'dark', Record<Group | 'mark' | 'page', string>>} */
export const PALETTES = {
  light: {
    render: '#2f72d8',
    scene: '#128a63',
    entity: '#c77a0a',
    arenas: '#8a4fc4',
    spans: '#c23a72',
    large: '#8f2350',
    own: '#4b5563',
    free: '#c3cad4',
    fresh: '#dde2e9',
    foreign: '#8d99a8',
    mark: '#10151d',
    page: '#f4f5f7',
  },
  dark: {
    render: '#5b9bff',
    scene: '#34c796',
    entity: '#f2a93c',
    arenas: '#b98af0',
    spans: '#f2719f',
    large: '#c64a7b',
    own: '#9aa5b5',
    free: '#3a4657',
    fresh: '#242e3b',
    foreign: '#5d6a7c',
    mark: '#ffffff',
    page: '#0c1016',
  },
};
