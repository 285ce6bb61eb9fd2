/**
 * A snapshot as a row of cells of equal size: what each is drawn as. Pure functions.
 *
 * @typedef {import('./snapshot.js').Snapshot} Snapshot
 * @typedef {import('./snapshot.js').ArenaMap} ArenaMap
 *
 * @typedef {object} Cells
 * @property {number} count
 * @property {number} bytes of each
 * @property {Uint16Array} owners of the most of each cell
 * @property {Uint8Array} states PLAIN, USED, PRESERVED, LANE
 * @property {{cell: number, arena: ArenaMap, kind: 'cursor' | 'high water'}[]} marks
 */
import { FOREIGN } from '../api/owners.js';

/** Of a cell: not an arena's, or an arena's behind its cursor; before its cursor; preserved; a lane's rest. */
export const PLAIN = 0;
export const USED = 1;
export const PRESERVED = 2;
export const LANE = 3;

export const CELL = 65536;

/** The end of the last page that is not foreign. @param {Snapshot} snapshot */
export function endOf({ runs, pageSize }) {
  const last = runs.at(-1);
  return last ? (last[0] + last[1]) * pageSize : 0;
}

/** The address of a number of bytes from an arena's start. @param {ArenaMap} arena @param {number} bytes @param {number} pageSize */
export function addressAt({ chunks }, bytes, pageSize) {
  let left = bytes;
  for (const { first, pages } of chunks) {
    const room = pages * pageSize;
    if (left <= room) return first * pageSize + left;
    left -= room;
  }
  return 0;
}

/** @param {Snapshot} snapshot @param {Cells} cells */
function fillOwners({ runs, pageSize }, cells) {
  const best = new Float64Array(cells.count);
  for (const [first, pages, owner] of runs) {
    const [from, to] = [first * pageSize, (first + pages) * pageSize];
    for (let n = Math.floor(from / cells.bytes); n * cells.bytes < to && n < cells.count; n++) {
      const part = Math.min(to, (n + 1) * cells.bytes) - Math.max(from, n * cells.bytes);
      if (part <= best[n]) continue;
      best[n] = part;
      cells.owners[n] = owner;
    }
  }
}

/** Marks the cells that a stretch of addresses begins in or covers. @param {Cells} cells @param {number} from @param {number} to @param {number} state */
function fillState(cells, from, to, state) {
  for (let n = Math.floor(from / cells.bytes); n * cells.bytes < to && n < cells.count; n++) {
    cells.states[n] = state;
  }
}

/** The first bytes of an arena. @param {Cells} cells @param {ArenaMap} arena @param {number} bytes @param {number} pageSize @param {number} state */
function fillPrefix(cells, { chunks }, bytes, pageSize, state) {
  let left = bytes;
  for (const { first, pages } of chunks) {
    if (left <= 0) return;
    const part = Math.min(left, pages * pageSize);
    fillState(cells, first * pageSize, first * pageSize + part, state);
    left -= part;
  }
}

/**
 * @param {Snapshot} snapshot
 * @param {number} [bytes] of a cell
 * @returns {Cells}
 */
export function cellsOf(snapshot, bytes = CELL) {
  const count = Math.ceil(endOf(snapshot) / bytes);
  /** @type {Cells} */
  const cells = {
    count,
    bytes,
    owners: new Uint16Array(count).fill(FOREIGN),
    states: new Uint8Array(count),
    marks: [],
  };
  const { pageSize } = snapshot;
  fillOwners(snapshot, cells);
  for (const arena of snapshot.arenas) {
    fillPrefix(cells, arena, arena.used, pageSize, USED);
    fillPrefix(cells, arena, arena.preserved, pageSize, PRESERVED);
    for (const { from, to } of arena.lanes) fillState(cells, from, to, LANE);
    if (arena.chunks.length === 0) continue;
    for (const [kind, at] of /** @type {const} */ ([
      ['high water', arena.highWater],
      ['cursor', arena.used],
    ])) {
      const cell = Math.floor(addressAt(arena, Math.min(at, arena.capacity), pageSize) / bytes);
      if (cell < count) cells.marks.push({ cell, arena, kind });
    }
  }
  return cells;
}
