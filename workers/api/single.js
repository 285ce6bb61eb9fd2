/**
 * Memory that is not shared, for a page without cross-origin isolation.
 *
 * Growing such a memory detaches every typed array on it. So it never grows once the program has views: all that
 * it may have is obtained at the start, which costs address space, and no memory before it is touched.
 */
import { arenaConfig } from './config.js';
import { MOST_PAGES, NO_ARENA, WASM_PAGE, readMemoryStats } from './layout.js';

/** Where the program does not say. */
export const SINGLE_MAXIMUM = 256 << 20;

/**
 * Arenas are made with all that can be reserved, and destroyed: their memory is walloc's from then on.
 *
 * @param {import('./thread.js').Thread} thread that has just called init
 */
export function obtainAll(thread) {
  const { wasm, memory } = thread;
  /** @type {number[]} */
  const arenas = [];
  thread.isShared = false;
  thread.refresh();
  wasm.memory_stats();
  const { maximum, obtained } = readMemoryStats(thread.scratch);
  for (let reserve = maximum - obtained; reserve >= WASM_PAGE;) {
    thread.refresh();
    thread.scratch.set(arenaConfig({ reserve }, ''));
    const arena = wasm.arena_create() >>> 0;
    if (arena === NO_ARENA) reserve = Math.floor(reserve / 2);
    else arenas.push(arena);
  }
  for (const arena of arenas) wasm.arena_destroy(arena);
  // What is left is less than anybody could use, and must not be obtained later.
  for (let pages = MOST_PAGES; pages >= 1; pages >>= 1) growBy(memory, pages);
  thread.refresh();
}

/** @param {WebAssembly.Memory} memory @param {number} pages */
function growBy(memory, pages) {
  try {
    memory.grow(pages);
  } catch {
    // At its maximum.
  }
}
