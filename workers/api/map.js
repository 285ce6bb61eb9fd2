/**
 * The memory map: who owns each page of 4 KiB, as src/pages/map.h has it.
 */

/** By the low seven bits of an entry; those above 63 are arenas. */
const OWNERS = /** @type {const} */ ([
  'foreign',
  'free',
  'own',
  'free',
  'own',
  'foreign',
  'foreign',
  'huge',
  'large',
  'large',
  'large',
  'large',
  'large',
  'large',
  'large',
  'large',
]);

const PAGE = 4096;
const ARENA = 64;
const SPAN = 512;

/**
 * Pages that lie together and have one owner: nobody of walloc's (`foreign`: the module's data, a program's own),
 * nobody (`free`), walloc (`own`), the heap (`small` blocks, `large`, `huge`), or an arena.
 *
 * @typedef {object} MemoryRange
 * @property {number} address in bytes
 * @property {number} bytes
 * @property {typeof OWNERS[number] | 'small' | 'arena'} owner
 * @property {number} [slot] of an arena: its handle % 32
 */

/**
 * @param {(page: number) => number} entryOf
 * @param {number} bytes of the memory
 * @returns {MemoryRange[]}
 */
export function readMap(entryOf, bytes) {
  /** @type {MemoryRange[]} */
  const ranges = [];
  for (let address = 0; address < bytes; address += PAGE) {
    const entry = entryOf(address / PAGE);
    const number = entry & 127;
    const isArena = entry < SPAN && number >= ARENA;
    const owner = isArena ? 'arena' : entry < SPAN ? OWNERS[number] : 'small';
    const slot = isArena ? number - ARENA : undefined;
    const last = ranges.at(-1);
    if (last?.owner === owner && last.slot === slot) last.bytes += PAGE;
    else ranges.push({ address, bytes: PAGE, owner, ...(isArena && { slot }) });
  }
  return ranges;
}
