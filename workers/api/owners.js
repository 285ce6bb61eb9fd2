/**
 * Who can own a page of the memory: the numbers of the page map.
 *
 * They mirror src/pages/map.h. Pure functions.
 */
export const FOREIGN = 0;
export const FREE = 1;
export const OWN = 2;
export const FRESH = 3;
export const SLOTS = 4;
export const HUGE = 7;
export const LARGE = 8; // + the shard
export const RAW = 12; // + the shard
export const RAW_END = 16;
export const ARENA = 64;
const ARENAS_END = 96;
const NOT_FIRST = 128;
export const SPAN = 512;
export const CLASS_BITS = 7;

/**
 * The owner that an entry of the page map names: without the size class of a span, and without the mark
 * of a run's first page.
 *
 * @param {number} entry
 */
export const ownerOfEntry = (entry) =>
  entry >= SPAN ? entry & ~((1 << CLASS_BITS) - 1) : entry & ~NOT_FIRST;

/** @param {number} owner */
export const isArena = (owner) => owner >= ARENA && owner < ARENAS_END;

/** @param {number} owner */
export const isSpan = (owner) => owner >= SPAN;

/** Blocks of the heap that are not in spans. @param {number} owner */
export const isLarge = (owner) => owner >= HUGE && owner < RAW_END;

/** @param {number} owner */
export const isFree = (owner) => owner === FREE || owner === FRESH;

/** walloc's own data. @param {number} owner */
export const isOwn = (owner) => owner === OWN || owner === SLOTS;
