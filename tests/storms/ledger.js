/**
 * What a worker of a storm has in hand, in memory that is not the allocator's: so that it can be checked, and freed,
 * when the worker is dead. Words; written by the worker while it lives, read by the storm.
 *
 *     | progress | in hand | stop | violations | rest | ... | address, bytes, stamp | address, bytes, stamp | ...
 *
 * `stop` and `rest` are the storm's: 1 while the worker shall end, or sleep. `progress` counts its operations. `in hand` is the size of the block that is just being taken or given back, 0 for
 * none: killed then, the worker leaks it. An entry's address is written last and cleared first, with a stamp of 0
 * while the block is not full of it yet.
 */
export const PROGRESS = 0;
export const IN_HAND = 1;
export const STOP = 2;
export const VIOLATIONS = 3;
export const REST = 4;

const FIRST = 8;
const ENTRY = 3;

/** Blocks that a worker has at most: small ones, and behind them larger ones. */
export const SMALL = 48;
export const LARGE = 4;
export const BLOCKS = SMALL + LARGE;

/** @typedef {Int32Array<SharedArrayBuffer>} Ledger */

/** @returns {Ledger} */
export const createLedger = () => new Int32Array(new SharedArrayBuffer(4 * entryAt(BLOCKS)));

/** @param {number} i */
const entryAt = (i) => FIRST + i * ENTRY;

/**
 * @param {Ledger} ledger
 * @param {number} i
 */
export function readEntry(ledger, i) {
  const at = entryAt(i);
  return { address: Atomics.load(ledger, at) >>> 0, bytes: ledger[at + 1], stamp: ledger[at + 2] };
}

/**
 * @param {Ledger} ledger
 * @param {number} i
 * @param {number} address
 * @param {number} bytes
 */
export function enterBlock(ledger, i, address, bytes) {
  const at = entryAt(i);
  ledger[at + 1] = bytes;
  ledger[at + 2] = 0;
  Atomics.store(ledger, at, address | 0);
}

/**
 * @param {Ledger} ledger
 * @param {number} i
 * @param {number} stamp
 */
export function enterStamp(ledger, i, stamp) {
  Atomics.store(ledger, entryAt(i) + 2, stamp);
}

/**
 * @param {Ledger} ledger
 * @param {number} i
 */
export function clearEntry(ledger, i) {
  Atomics.store(ledger, entryAt(i), 0);
}

/**
 * The words of a block.
 *
 * @param {WebAssembly.Memory} memory
 */
export function blocksOf(memory) {
  let words = new Int32Array(memory.buffer);
  return (/** @type {number} */ address, /** @type {number} */ bytes) => {
    if (address + bytes > words.byteLength) {
      memory.grow(0); // growth by other threads reaches memory.buffer late in some engines
      words = new Int32Array(memory.buffer);
    }
    return words.subarray(address >>> 2, (address + bytes) >>> 2);
  };
}

/**
 * Of a large block its ends, and words in between that are 52 bytes apart.
 *
 * @param {Int32Array} words
 * @param {number} stamp
 */
export function isStamped(words, stamp) {
  const step = words.length > 1024 ? 13 : 1;
  for (let i = 0; i < words.length; i += step) if (words[i] !== stamp) return false;
  return words[words.length - 1] === stamp;
}

/** Numbers that a seed repeats. @param {number} seed */
export function randomFrom(seed) {
  let state = seed | 0 || 1;
  /** @param {number} below */
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
