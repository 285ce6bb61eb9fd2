/**
 * The layouts that JavaScript and the module agree on. Everything here mirrors include/walloc.h as
 * wasm32 compiles it (each size_t, enum and pointer is one 32-bit word); the tests compare both.
 */

/** Of the project; both ends of a handle must have the same. */
export const VERSION = '0.1.0';

/** Pages of 64 KiB that the module's own data takes: what its memory must have at first. */
export const MODULE_PAGES = 6;

/** Bytes of a page of a WebAssembly.Memory, and how many 4 GiB have. */
export const WASM_PAGE = 65536;
export const MOST_PAGES = 65536;

/** Bytes of the block that a thread takes: its thread-local data, and above it the stack. */
export const THREAD_BLOCK = 65536;

/** Bytes of a lane, and of what places count: see src/arena. */
export const LANE = 16;
export const PLACE_UNIT = 8;

/** WALLOC_NO_LANE. */
export const NO_LANE = 1;

/** Threads that can be attached at the same time. */
export const THREADS_MAX = 256;

/** Bytes of a thread's scratch area, through which structs go in and out. */
export const SCRATCH = 160;

/** The tiers, in the order of walloc_tier_id. */
export const TIERS = /** @type {const} */ (['render', 'scene', 'entity']);

/** An arena's handle is its slot plus this times a serial number. */
export const SLOTS = 32;

/** What the module says instead of a handle where there is no arena. */
export const NO_ARENA = 0xffffffff;

/** What stands for the heap instead of an arena's handle; and the bytes of a slot: see heap.js. */
export const HEAP = 0xfffffffe;
export const SLOT = 16;

/** The size_t fields of walloc_arena_stats; 64-bit counters follow, then the generation. */
const ARENA_SIZES = /** @type {const} */ ([
  'used',
  'preserved',
  'highWater',
  'capacity',
  'chunks',
  'alignment',
  'softBudget',
  'hardBudget',
]);
const ARENA_COUNTERS = /** @type {const} */ ([
  'allocated',
  'recycled',
  'resets',
  'growths',
  'failures',
  'pressure',
  'recyclings',
]);
const MEMORY_SIZES = /** @type {const} */ ([
  'maximum',
  'obtained',
  'free',
  'arenas',
  'heap',
  'own',
]);

const FRAMES_NUMBERS = /** @type {const} */ ([
  'current',
  'storages',
  'advances',
  'heldUp',
  'refused',
  'lastHolder',
]);

const HEAP_SIZES = /** @type {const} */ (['held', 'peak', 'spans', 'large', 'parts']);

/**
 * In bytes, save `parts`: what the heap holds now and held at most, of that for small and for larger
 * blocks; threads that have a part of it.
 *
 * @typedef {Record<typeof HEAP_SIZES[number], number>} HeapStats
 */

/**
 * Sizes are in bytes, save `chunks`. Budgets are 0 where there is none.
 *
 * @typedef {Record<typeof ARENA_SIZES[number] | typeof ARENA_COUNTERS[number] | 'generation', number>
 * } ArenaStats
 */

/**
 * In bytes: what walloc may obtain, has obtained, and of that what is free, the arenas', the heap's, its own.
 *
 * @typedef {Record<typeof MEMORY_SIZES[number], number>} MemoryStats
 */

/**
 * @param {Uint32Array} words a walloc_arena_stats
 * @returns {ArenaStats}
 */
export function readArenaStats(words) {
  const stats = /** @type {ArenaStats} */ ({});
  let at = 0;
  for (const name of ARENA_SIZES) stats[name] = words[at++];
  for (const name of ARENA_COUNTERS) stats[name] = words[at++] + words[at++] * 2 ** 32;
  stats.generation = words[at];
  return stats;
}

/**
 * @template {string} Name
 * @param {readonly Name[]} names
 * @param {Uint32Array} words
 */
const readSizes = (names, words) =>
  /** @type {Record<Name, number>} */ (
    Object.fromEntries(names.map((name, at) => [name, words[at]]))
  );

/** @param {Uint32Array} words a walloc_memory_stats */
export const readMemoryStats = (words) => readSizes(MEMORY_SIZES, words);

/** @param {Uint32Array} words a walloc_heap_stats */
export const readHeapStats = (words) => readSizes(HEAP_SIZES, words);

/** @param {Uint32Array} words a walloc_frames_stats */
export const readFramesStats = (words) => readSizes(FRAMES_NUMBERS, words);
