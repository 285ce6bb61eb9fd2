/**
 * The general heap: blocks by their address, for JavaScript that hands memory to C or keeps it beyond any
 * arena. Addresses are bytes from the start of walloc.memory's buffer; there is no view and no check of
 * use after free. One object for each thread; any thread may free any block.
 *
 * Every method throws WallocError: DETACHED after detach.
 */
import { isWord, show } from './check.js';
import { ALIGNMENT, MISUSE, SIZE, errorFrom } from './errors.js';
import { readHeapStats } from './layout.js';

export class Heap {
  #thread;

  /** @param {import('./thread.js').Thread} thread */
  constructor(thread) {
    this.#thread = thread;
  }

  /**
   * At least `bytes` bytes, uninitialised, aligned to 16 or to `align`, a power of two. Zero gives a block
   * too. Throws WallocOutOfMemory; WallocRangeError: SIZE, ALIGNMENT; WallocError: BUSY.
   *
   * @param {number} bytes
   * @param {{ align: number }} [options]
   * @returns {number} its address
   */
  malloc(bytes, options) {
    const align = options === undefined ? 0 : options?.align;
    const asked = `malloc(${show(bytes)}, ${show(align)})`;
    if (!isWord(align) || (options && !align)) throw errorFrom(ALIGNMENT, asked);
    return this.#block(asked, [bytes], 'malloc', bytes, align);
  }

  /**
   * The same, all bytes 0.
   *
   * @param {number} count
   * @param {number} size of each, in bytes
   * @returns {number} its address
   */
  calloc(count, size) {
    const asked = `calloc(${show(count)}, ${show(size)})`;
    return this.#block(asked, [count, size], 'calloc', count, size);
  }

  /**
   * The block at a new size, where it was or elsewhere with its bytes. Address 0 is a new block. Throws as
   * malloc, and then the old block stays; WallocError: MISUSE.
   *
   * @param {number} address
   * @param {number} bytes above 0
   * @returns {number} its address
   */
  realloc(address, bytes) {
    const asked = `realloc(${show(address)}, ${show(bytes)})`;
    if (!isWord(address)) throw errorFrom(MISUSE, asked);
    if (bytes === 0) throw errorFrom(SIZE, asked);
    return this.#block(asked, [bytes], 'realloc', address, bytes);
  }

  /**
   * Gives a block back; 0 is allowed. Throws WallocError: MISUSE when it is none, as far as that is seen.
   *
   * @param {number} address
   */
  free(address) {
    const asked = `free(${show(address)})`;
    if (!isWord(address)) throw errorFrom(MISUSE, asked);
    this.#thread.wasm.free(address);
    this.#check(asked);
  }

  /**
   * The bytes of a block that may be used.
   *
   * @param {number} address
   */
  usableSize(address) {
    if (!isWord(address)) throw errorFrom(MISUSE, `usableSize(${show(address)})`);
    return this.#thread.wasm.usable_size(address) >>> 0;
  }

  /** All blocks are gone. Alone: no thread may be using the heap. Throws WallocError: BUSY. */
  reset() {
    const error = this.#thread.wasm.heap_reset();
    if (error) throw errorFrom(error, 'reset');
  }

  /** What the heap holds. Cost: a look at the page map. */
  stats() {
    this.#thread.wasm.heap_stats();
    return readHeapStats(this.#thread.scratch);
  }

  /** @param {string} asked */
  #check(asked) {
    if (this.#thread.wasm.misuse()) throw errorFrom(MISUSE, asked);
  }

  /**
   * @param {string} asked
   * @param {unknown[]} sizes
   * @param {'malloc' | 'calloc' | 'realloc'} name
   * @param {number} first
   * @param {number} second
   */
  #block(asked, sizes, name, first, second) {
    if (!sizes.every(isWord)) throw errorFrom(SIZE, asked);
    const { wasm } = this.#thread;
    const address = wasm[name](first, second) >>> 0;
    this.#check(asked);
    if (!address) throw errorFrom(wasm.last_error(), asked);
    return address;
  }
}
