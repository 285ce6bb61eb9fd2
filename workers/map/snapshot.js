/**
 * The memory at one moment: who owns each page, where the arenas' cursors are, and their counters. It is
 * plain data, the same that is written to files: docs/map.md describes it.
 *
 * Whoever has the memory may call this, at any time, from any thread. Cost: a load for each 4 KiB that
 * were ever obtained.
 *
 * @typedef {import('./control.js').ControlBlock} ControlBlock
 *
 * @typedef {[first: number, count: number, owner: number]} Run pages of 4 KiB; see owners.js
 * @typedef {{first: number, pages: number}} Chunk
 * @typedef {{thread: number, from: number, to: number}} Lane addresses of the part that is not used yet
 *
 * @typedef {object} ArenaMap addresses and bytes
 * @property {number} slot
 * @property {string} name
 * @property {number} generation
 * @property {number} alignment
 * @property {number} softBudget 0: none
 * @property {number} hardBudget 0: none
 * @property {number} used
 * @property {number} preserved
 * @property {number} highWater
 * @property {number} capacity
 * @property {number} recycled
 * @property {number} resets
 * @property {number} growths
 * @property {number} failures
 * @property {number} pressure
 * @property {number} recyclings
 * @property {Chunk[]} chunks
 * @property {Lane[]} lanes
 *
 * @typedef {object} Snapshot
 * @property {'walloc-map'} format
 * @property {1} version
 * @property {number} pageSize
 * @property {boolean} running
 * @property {number} threads attached
 * @property {{maximum: number, obtained: number, free: number, fresh: number, arenas: number,
 *   heap: number, own: number}} memory bytes; `fresh` is part of `free`
 * @property {ArenaMap[]} arenas
 * @property {Run[]} runs ascending, of all pages that are not foreign, and of foreign ones between them
 */
import {
  FOREIGN,
  FRESH,
  isOwn,
  isArena,
  isFree,
  isLarge,
  isSpan,
  ownerOfEntry,
} from '../api/owners.js';
import { arenaName } from './owners.js';

const RUNNING = 2;
const SPACE = 2 ** 32;
const IN_USE = 1;
const BLOCK_FLAGS = 3;
const GENERATION_MASK = 0xffffff;

/** A place (src/arena/place.h) in two words. @param {number} low @param {number} high */
const placeOf = (low, high) => ({
  generation: high >>> 8,
  chunk: high & 0xff,
  offset: low * 8,
  /** Grows with the position. */
  position: (high & 0xff) * 2 ** 32 + low,
});

/** @typedef {ReturnType<typeof placeOf>} Place */

/** One look at the memory. */
class Look {
  /** @param {ArrayBufferLike} buffer @param {ControlBlock} control */
  constructor(buffer, control) {
    this.words = new Uint32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    this.control = control;
    this.buffer = buffer;
  }

  /** @param {number} address */
  word(address) {
    return this.words[address >>> 2] ?? 0;
  }

  /** @param {number} address */
  place(address) {
    return placeOf(this.word(address), this.word(address + 4));
  }

  /** A counter of 64 bits. @param {number} address */
  counter(address) {
    return this.word(address) + this.word(address + 4) * 2 ** 32;
  }
}

/** The runs of a stretch of the map. @param {Run[]} runs @param {Uint16Array} entries @param {number} first */
function addRuns(runs, entries, first) {
  let last = runs.at(-1);
  for (let i = 0; i < entries.length; i++) {
    const owner = ownerOfEntry(entries[i]);
    if (last && last[2] === owner) last[1]++;
    else runs.push((last = [first + i, 1, owner]));
  }
}

/** @param {Look} look @returns {Run[]} */
function readRuns(look) {
  const { buffer, control } = look;
  const { mapLow, mapLowCount, mapHigh, pageSize } = control;
  const pages = Math.min(buffer.byteLength, SPACE) / pageSize;
  /** @type {Run[]} */
  const runs = [];
  addRuns(runs, new Uint16Array(buffer, mapLow, Math.min(mapLowCount, pages)), 0);
  const high = look.word(mapHigh);
  if (high && pages > mapLowCount) {
    addRuns(runs, new Uint16Array(buffer, high, pages - mapLowCount), mapLowCount);
  }
  if (runs.at(-1)?.[2] === FOREIGN) runs.pop();
  return runs;
}

/** @param {Look} look @param {number} at the arena's address @returns {Chunk[]} */
function readChunks(look, at) {
  const { chunks, chunksMax } = look.control;
  const found = [];
  for (let n = 0; n < chunksMax; n++) {
    const word = at + chunks + n * 8;
    const pages = look.word(word) & 0xfffff;
    if (pages === 0) break;
    found.push({ first: look.word(word + 4) & 0xfffff, pages });
  }
  return found;
}

/** Bytes from the arena's start to a place. @param {Chunk[]} chunks @param {number} pageSize @param {Place} place */
function distance(chunks, pageSize, { chunk, offset }) {
  let bytes = 0;
  for (let n = 0; n < chunk && n < chunks.length; n++) bytes += chunks[n].pages * pageSize;
  const room = (chunks[chunk]?.pages ?? 0) * pageSize;
  return bytes + Math.min(offset, room); // additions that failed have taken it beyond
}

/**
 * Whether what ends at a place is still there: as walloc_history_holds in src/arena/history.c.
 *
 * @param {Look} look @param {number} at @param {Place} end @param {Place} now
 */
function holds(look, at, end, now) {
  if (end.generation === now.generation) return true;
  if ((now.generation & 1) === 0) return false;
  const { history, historySize, levelsMax } = look.control;
  const from = at + history + ((now.generation >>> 1) & 1) * historySize;
  const [low, high] = [look.word(from), look.word(from + 4)];
  const ageOf = (/** @type {number} */ generation) =>
    (now.generation - generation) & GENERATION_MASK;
  const oldest = ((high & 0xff) << 16) | (low >>> 16);
  const age = ageOf(end.generation);
  if (age > ageOf(oldest)) return false;
  for (let n = 0; n < Math.min(low & 0xffff, levelsMax); n++) {
    const level = look.place(from + 8 + n * 8);
    if (ageOf(level.generation) < age) return end.position <= level.position;
  }
  return true;
}

/** @param {Look} look @returns {number[]} the addresses of the blocks of threads that are attached */
function readThreads(look) {
  const { threads, threadsMax } = look.control;
  const blocks = [];
  for (let n = 0; n < threadsMax; n++) {
    const slot = look.word(threads + n * 4);
    if (slot & IN_USE) blocks.push((slot & ~BLOCK_FLAGS) >>> 0);
  }
  return blocks;
}

/** @param {Look} look @param {number[]} blocks @param {number} slot @param {Place} now @returns {Lane[]} */
function readLanes(look, blocks, slot, now) {
  const { lanes, laneSize } = look.control;
  if (lanes === 0) return [];
  return blocks.flatMap((block, thread) => {
    const at = block + lanes + slot * laneSize;
    const [to, room] = [look.word(at + 8), look.word(at + 12)];
    const isCurrent = room > 0 && room <= to && look.place(at).generation === now.generation;
    return isCurrent ? [{ thread, from: to - room, to }] : [];
  });
}

/** @param {Look} look @param {number[]} blocks @param {number} slot @returns {ArenaMap | null} */
function readArena(look, blocks, slot) {
  const { control } = look;
  const at = control.arenas + slot * control.arenaSize;
  if ((look.word(at + control.serial) & 1) === 0) return null;
  const now = look.place(at + control.cursor);
  const chunks = readChunks(look, at);
  const used = distance(chunks, control.pageSize, now);
  const preserved = look.place(at + control.preserved);
  const isPreserved = preserved.generation + preserved.position > 0;
  const counter = (/** @type {number} */ n) => look.counter(at + control.counters + n * 8);
  return {
    slot,
    name: arenaName(slot),
    generation: now.generation,
    alignment: look.word(at + control.alignmentMask) + 1,
    softBudget: look.word(at + control.softBudget),
    hardBudget: look.word(at + control.hardBudget),
    used,
    preserved:
      isPreserved && holds(look, at, preserved, now)
        ? distance(chunks, control.pageSize, preserved)
        : 0,
    highWater: Math.max(used, look.word(at + control.counters + 48)),
    capacity: chunks.reduce((sum, { pages }) => sum + pages * control.pageSize, 0),
    recycled: counter(0),
    resets: counter(1),
    growths: counter(2),
    failures: counter(3),
    pressure: counter(4),
    recyclings: counter(5),
    chunks,
    lanes: readLanes(look, blocks, slot, now),
  };
}

/** @param {Run[]} runs @param {ControlBlock} control @returns {Snapshot['memory']} */
function sumsOf(runs, { pageSize, maximum }) {
  const sums = {
    maximum: maximum || SPACE,
    obtained: 0,
    free: 0,
    fresh: 0,
    arenas: 0,
    heap: 0,
    own: 0,
  };
  for (const [, count, owner] of runs) {
    const bytes = count * pageSize;
    if (owner !== FOREIGN) sums.obtained += bytes;
    if (isFree(owner)) sums.free += bytes;
    if (owner === FRESH) sums.fresh += bytes;
    if (isArena(owner)) sums.arenas += bytes;
    if (isSpan(owner) || isLarge(owner)) sums.heap += bytes;
    if (isOwn(owner)) sums.own += bytes;
  }
  return sums;
}

/**
 * @param {import('./control.js').Control} source
 * @returns {Snapshot}
 */
export function takeSnapshot(source) {
  const control = source.read();
  const look = new Look(source.buffer, control);
  const runs = readRuns(look);
  const blocks = readThreads(look);
  const slots = Array.from({ length: control.arenaCount }, (_, slot) => slot);
  return {
    format: 'walloc-map',
    version: 1,
    pageSize: control.pageSize,
    running: look.word(control.state) === RUNNING,
    threads: blocks.length,
    memory: sumsOf(runs, control),
    arenas: slots.map((slot) => readArena(look, blocks, slot)).filter((arena) => arena !== null),
    runs,
  };
}
