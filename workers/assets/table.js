/**
 * The table of assets: in the heap, one row of eight words for each key that was ever used, found by open addressing.
 *
 *     row:  | key's hash : 64 | state : 32 | address | length | low | high | - |
 *
 *     state:  | serial : 30 | kind : 2 |    none -> loading -> writing -> ready -> none ...
 *                                           loading -> none    writing -> dead, for ever
 *
 * Argument. A compare-and-swap of a row's hash from 0 takes it for a key, and whoever loses sees whose it is, so no
 * key has two rows. All that follows is compare-and-swap of the state, whose serial counts up with each change: who
 * loads a key goes on only if the row is still in the state that it has made. The other words are written in state
 * writing, by who has made that state alone, before the state says ready; they are read between two reads of the
 * same state. The block is the heap's, so that a view of one that has been evicted meanwhile is refused. All
 * operations on rows are Atomics', in one order for all threads.
 *
 * A worker that dies while it loads leaves its key loading, or writing: evict ends that for whoever waits. As nobody
 * can know whether a writer is dead or slow, a row that is evicted in state writing is never used again, and its
 * key takes another. Nobody holds a lock.
 */
import { isWord, show } from '../api/check.js';
import { WallocError, WallocStaleView } from '../api/errors.js';
import { HEAP } from '../api/layout.js';
import { fetchInto } from '../assets.js';

/** @typedef {import('../assets.js').Bytes} Bytes */

const ROW = 8;
const STATE = 2;
const REF = 3;

const NONE = 0;
const LOADING = 1;
const READY = 2;
const WRITING = 3;
const KINDS = 3;

/** A state and a hash that nothing else has. */
const DEAD = -1;
const BURIED = -1n;

/** Milliseconds until who waits looks again by itself. */
const SLICE = 250;
const SLICE_WITHOUT_WAKING = 4;

/** FNV-1a. Keys are told apart by 64 bits of it, never 0 or BURIED. @param {string} key */
function hashOf(key) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(key)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  const signed = BigInt.asIntN(64, hash);
  return signed === 0n || signed === BURIED ? 1n : signed;
}

/**
 * Until a word is no longer what it was, or a while.
 *
 * @param {Int32Array} words
 * @param {number} at
 * @param {number} value
 */
async function change(words, at, value) {
  const waitAsync = /** @type {any} */ (Atomics).waitAsync;
  try {
    await waitAsync.call(Atomics, words, at, value, SLICE).value;
  } catch {
    // No such function, or memory that is not shared.
    await new Promise((resolve) => setTimeout(resolve, SLICE_WITHOUT_WAKING));
  }
}

export class AssetTable {
  #walloc;
  #words;
  #hashes;

  /**
   * Made by create and open.
   *
   * @param {import('../api/walloc.js').Walloc} walloc
   * @param {import('../api/views.js').AnyView} rows
   */
  constructor(walloc, rows) {
    this.#walloc = walloc;
    this.#words = /** @type {Int32Array} */ (rows.array);
    this.#hashes = new BigInt64Array(
      this.#words.buffer,
      this.#words.byteOffset,
      this.#words.length / 2,
    );
    /** What another thread opens it by. Plain data. @readonly */
    this.handle = rows.ref;
  }

  /**
   * A new table, for this thread and all that open it. It stays for as long as the heap does. Throws
   * as heap.alloc.
   *
   * @param {import('../api/walloc.js').Walloc} walloc
   * @param {{ capacity: number }} options keys that can ever be used, evicted ones included
   */
  static create(walloc, { capacity }) {
    const rows = walloc.heap.alloc(Int32Array, isWord(capacity) ? capacity * ROW : NaN);
    rows.array.fill(0);
    return new AssetTable(walloc, rows);
  }

  /**
   * The table that another thread has created. Throws as walloc.view.
   *
   * @param {import('../api/walloc.js').Walloc} walloc
   * @param {import('../api/view.js').Ref} handle from table.handle
   */
  static open(walloc, handle) {
    return new AssetTable(walloc, walloc.view(handle));
  }

  /**
   * The asset of a key; where there is none it is fetched, by the first thread that asks, for all that ask meanwhile.
   * Rejects as fetchInto into the heap, and then the key is as before, and the next who waits tries; WallocError:
   * LIMIT for a new key when all rows are used. Who waits for another thread looks at its own signal only.
   *
   * @param {string} key
   * @param {import('../assets.js').FetchOptions & { url?: string | URL }} [options] url: default, the key
   * @returns {Promise<Bytes>}
   */
  async load(key, { url = key, ...options } = {}) {
    for (;;) {
      options.signal?.throwIfAborted();
      const at = this.#row(key, true) + STATE;
      const state = Atomics.load(this.#words, at);
      const kind = state & KINDS;
      if (kind === LOADING || kind === WRITING) {
        await change(this.#words, at, state);
        continue;
      }
      const view = kind === READY && this.#viewOf(at, state);
      if (view) return view;
      const loading = this.#move(at, state, LOADING);
      if (loading === undefined) continue;
      const loaded = await this.#load(at, loading, url, options);
      if (loaded) return loaded;
    }
  }

  /**
   * The asset of a key, if it is there now.
   *
   * @param {string} key
   * @returns {Bytes | undefined}
   */
  get(key) {
    const at = this.#row(key, false) + STATE;
    if (at < STATE) return undefined;
    const state = Atomics.load(this.#words, at);
    return (state & KINDS) === READY ? this.#viewOf(at, state) : undefined;
  }

  /**
   * Frees a key's asset: its views go stale, everywhere. One that is being loaded is loaded anew, by whoever waits
   * for it; so this is also what to do when a worker has died in it.
   *
   * @param {string} key
   * @returns {boolean} whether there was one
   */
  evict(key) {
    const at = this.#row(key, false) + STATE;
    if (at < STATE) return false;
    for (;;) {
      const state = Atomics.load(this.#words, at);
      const kind = state & KINDS;
      if (kind === NONE || state === DEAD) return false;
      const view = kind === READY && this.#viewOf(at, state);
      if (kind === WRITING) {
        if (Atomics.compareExchange(this.#words, at, state, DEAD) !== state) continue;
        Atomics.notify(this.#words, at);
      } else if (this.#move(at, state, NONE) === undefined) continue;
      if (view) this.#walloc.heap.free(view);
      return true;
    }
  }

  /**
   * Where a key's row is; -1 where it has none.
   *
   * @param {string} key
   * @param {boolean} mayTake
   */
  #row(key, mayTake) {
    const hash = hashOf(key);
    const rows = this.#hashes.length / (ROW / 2);
    const first = Number(BigInt.asUintN(32, hash)) % rows;
    for (let i = 0; i < rows; i++) {
      const row = (first + i) % rows;
      const at = (row * ROW) / 2;
      let found = Atomics.load(this.#hashes, at);
      if (found === 0n && mayTake) {
        found = Atomics.compareExchange(this.#hashes, at, 0n, hash) || hash;
      }
      if (found === hash && Atomics.load(this.#words, row * ROW + STATE) === DEAD) {
        Atomics.compareExchange(this.#hashes, at, hash, BURIED);
        found = BURIED;
      }
      if (found === hash) return row * ROW;
      if (found === 0n) return -ROW;
    }
    if (!mayTake) return -ROW;
    throw new WallocError(
      'LIMIT',
      `The table has rows for ${rows} keys, and ${show(key)} is one more: create it larger.`,
    );
  }

  /**
   * The next state of a row, if it is in this one.
   *
   * @param {number} at
   * @param {number} state
   * @param {number} kind
   * @returns {number | undefined} undefined: it is in another
   */
  #move(at, state, kind) {
    const next = ((state & ~KINDS) + KINDS + 1 + kind) | 0;
    if (Atomics.compareExchange(this.#words, at, state, next) !== state) return undefined;
    Atomics.notify(this.#words, at);
    return next;
  }

  /**
   * @param {number} at
   * @param {number} state ready
   * @returns {Bytes | undefined} undefined: not in this state any more
   */
  #viewOf(at, state) {
    const [address, length, low, high] = [0, 1, 2, 3].map(
      (i) => Atomics.load(this.#words, at - STATE + REF + i) >>> 0,
    );
    if (Atomics.load(this.#words, at) !== state) return undefined;
    try {
      return this.#walloc.view({ arena: HEAP, type: 'Uint8Array', address, length, low, high });
    } catch (error) {
      if (error instanceof WallocStaleView) return undefined;
      throw error;
    }
  }

  /**
   * @param {number} at
   * @param {number} loading the state that this call has made
   * @param {string | URL} url
   * @param {import('../assets.js').FetchOptions} options
   * @returns {Promise<Bytes | undefined>} undefined: evicted meanwhile
   */
  async #load(at, loading, url, options) {
    const { heap } = this.#walloc;
    /** @type {Bytes} */
    let view;
    try {
      view = await fetchInto(heap, url, options);
    } catch (error) {
      this.#move(at, loading, NONE);
      throw error;
    }
    const writing = this.#move(at, loading, WRITING);
    const { address, length, low, high } = view.ref;
    if (writing === undefined) return void heap.free(view);
    [address, length, low, high].forEach((word, i) =>
      Atomics.store(this.#words, at - STATE + REF + i, word | 0),
    );
    if (this.#move(at, writing, READY) !== undefined) return view;
    return void heap.free(view);
  }
}
