/**
 * The memory map: who owns each page of 4 KiB, as src/pages/map.h has it.
 */

import { ARENA, HUGE, isArena, isFree, isLarge, isOwn, isSpan, ownerOfEntry } from './owners.js';

const PAGE = 4096;

/**
 * Pages that lie together and have one owner: nobody of walloc's (`foreign`: the module's data, a program's own),
 * nobody (`free`), walloc (`own`), the heap (`small` blocks, `large`, `huge`), or an arena.
 *
 * @typedef {object} MemoryRange
 * @property {number} address in bytes
 * @property {number} bytes
 * @property {'foreign' | 'free' | 'own' | 'small' | 'large' | 'huge' | 'arena'} owner
 * @property {number} [slot] of an arena: its handle % 32
 */

/** @param {number} owner @returns {MemoryRange['owner']} */
function kindOf(owner) {
  if (isSpan(owner)) return 'small';
  if (isArena(owner)) return 'arena';
  if (isFree(owner)) return 'free';
  if (isOwn(owner)) return 'own';
  if (owner === HUGE) return 'huge';
  return isLarge(owner) ? 'large' : 'foreign';
}

/**
 * @param {(page: number) => number} entryOf
 * @param {number} bytes of the memory
 * @returns {MemoryRange[]}
 */
export function readMap(entryOf, bytes) {
  /** @type {MemoryRange[]} */
  const ranges = [];
  for (let address = 0; address < bytes; address += PAGE) {
    const number = ownerOfEntry(entryOf(address / PAGE));
    const owner = kindOf(number);
    const slot = owner === 'arena' ? number - ARENA : undefined;
    const last = ranges.at(-1);
    if (last?.owner === owner && last.slot === slot) last.bytes += PAGE;
    else ranges.push({ address, bytes: PAGE, owner, ...(slot !== undefined && { slot }) });
  }
  return ranges;
}
