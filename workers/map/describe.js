/**
 * A snapshot in words: for whoever points at a cell, for screen readers, for the terminal. Pure functions.
 *
 * @typedef {import('./snapshot.js').Snapshot} Snapshot
 * @typedef {import('./snapshot.js').Run} Run
 * @typedef {import('./owners.js').Group} Group
 */
import { addressAt } from './cells.js';
import { ARENA, isArena } from '../api/owners.js';
import { GROUPS, groupOf, ownerName } from './owners.js';

const MIB = 2 ** 20;

/** @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < MIB) return `${Number((bytes / 1024).toFixed(1))} KiB`;
  return bytes < 1024 * MIB
    ? `${Number((bytes / MIB).toFixed(2))} MiB`
    : `${Number((bytes / MIB / 1024).toFixed(3))} GiB`;
}

/** @param {number} address */
export const addressText = (address) => `0x${address.toString(16).padStart(8, '0')}`;

/** Bytes of each group. @param {Snapshot} snapshot @returns {Map<Group, number>} */
export function bytesByGroup({ runs, pageSize }) {
  /** @type {Map<Group, number>} */
  const sums = new Map(GROUPS.map((group) => [group, 0]));
  for (const [, count, owner] of runs) {
    const group = groupOf(owner);
    sums.set(group, (sums.get(group) ?? 0) + count * pageSize);
  }
  return sums;
}

/** What an arena does with one of its pages. @param {Snapshot} snapshot @param {number} owner @param {number} address */
function placeInArena({ arenas, pageSize }, owner, address) {
  const arena = arenas.find(({ slot }) => slot === owner - ARENA);
  const chunk = arena?.chunks.findIndex(
    ({ first, pages }) => address >= first * pageSize && address < (first + pages) * pageSize,
  );
  if (!arena || chunk === undefined || chunk < 0) return '';
  const lane = arena.lanes.find(({ from, to }) => address >= from - (from % 65536) && address < to);
  const before = arena.chunks.slice(0, chunk).reduce((sum, { pages }) => sum + pages * pageSize, 0);
  const bytes = before + address - arena.chunks[chunk].first * pageSize;
  const state =
    bytes < arena.preserved
      ? 'preserved'
      : bytes < arena.used
        ? 'in use'
        : bytes < arena.highWater
          ? 'idle, used before'
          : 'idle, never used';
  const whose = lane ? `, lane of thread ${lane.thread}` : '';
  const cursor = addressText(addressAt(arena, arena.used, pageSize));
  return `, chunk ${chunk}: ${state}${whose}; generation ${arena.generation}, cursor at ${cursor}`;
}

/**
 * Who owns a stretch of memory, part by part.
 *
 * @param {Snapshot} snapshot @param {number} from @param {number} to addresses
 */
export function describe(snapshot, from, to) {
  const { runs, pageSize } = snapshot;
  const parts = runs.flatMap(([first, count, owner]) => {
    const [start, end] = [
      Math.max(from, first * pageSize),
      Math.min(to, (first + count) * pageSize),
    ];
    if (start >= end) return [];
    const place = isArena(owner) ? placeInArena(snapshot, owner, start) : '';
    const part = end - start < to - from ? `${sizeText(end - start)} ` : '';
    return [`${part}${ownerName(owner)}${place}`];
  });
  return `${addressText(from)}: ${parts.join('; ') || 'not obtained'}`;
}

/** @param {Snapshot} snapshot */
export function summary({ memory, threads, arenas, running }) {
  const used = arenas.map(({ name, used: bytes }) => `${name} ${sizeText(bytes)}`).join(', ');
  return (
    `${sizeText(memory.obtained)} obtained of at most ${sizeText(memory.maximum)}, ` +
    `${sizeText(memory.free)} free, ${threads === 1 ? '1 thread' : `${threads} threads`}${running ? '' : ', not running'}; in use: ${used || 'nothing'}`
  );
}
