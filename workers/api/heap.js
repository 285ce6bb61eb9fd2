/**
 * The general heap: blocks that are freed one by one. As views, which notice that their block has been freed:
 *
 *     const view = walloc.heap.alloc(Float32Array, 100);       worker.postMessage(view.ref);
 *     walloc.heap.free(view);                                  // stale everywhere from here on
 *
 * and by their address, for JavaScript that hands memory to C: bytes from the start of walloc.memory's buffer,
 * without a check of use after free. One object for each thread; any thread may free any block.
 *
 * Every method throws WallocError: DETACHED after detach.
 */
import { isWord, show } from './check.js';
import { ALIGNMENT, MISUSE, REF, SIZE, STALE, TYPE, WallocStaleView, errorFrom } from './errors.js';
import { HEAP, SLOT, readHeapStats } from './layout.js';
import { View } from './view.js';
import { typeNamed, viewClassOf } from './views.js';

/**
 * What a view of a block of the heap has in place of an arena: the word that counts up when the block is
 * freed, by which the view notices that.
 */
export class Slot {
  handle = HEAP;
  name = 'heap';

  /** @param {import('./thread.js').Thread} thread @param {number} slot its number */
  constructor(thread, slot) {
    const word = slot * SLOT + 4;
    this._thread = thread;
    this._cursor = new Uint32Array(thread.bufferUpTo(word + 4), word, 1);
  }

  get generation() {
    return this._cursor[0] >>> 8;
  }
}

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
   * A block for `length` elements, its contents whatever was there before, as a view that goes stale when the
   * block is freed, by whatever thread: also in C, and by its address. Throws WallocOutOfMemory;
   * WallocRangeError: SIZE; WallocError: TYPE, BUSY.
   *
   * @template {import('./views.js').ElementType} T
   * @param {T} Type such as Float32Array
   * @param {number} length in elements
   * @returns {import('./views.js').ViewOf<T>}
   */
  alloc(Type, length) {
    const { wasm, scratch } = this.#thread;
    const asked = `alloc(${show(Type)}, ${show(length)})`;
    const bytes = length * Type?.BYTES_PER_ELEMENT;
    if (!viewClassOf(Type)) throw errorFrom(TYPE, asked);
    if (!isWord(length) || !isWord(bytes)) throw errorFrom(SIZE, asked);
    const address = wasm.malloc_ref(bytes) >>> 0;
    if (!address) throw errorFrom(wasm.last_error(), asked);
    return this.#view(Type, address, length, scratch[0], scratch[1]);
  }

  /**
   * The view that a ref describes: see walloc.view.
   *
   * @param {import('./view.js').Ref} ref
   */
  _viewOf({ address, length, type, low, high }) {
    const [Type] = typeNamed(type);
    const size = Type?.BYTES_PER_ELEMENT ?? NaN;
    const bytes = length * size;
    const asked = `view of ${show(type)}(${show(length)}) at ${show(address)}`;
    const words = [address, length, bytes, low, high].every(isWord) && address % size === 0;
    const state = words ? this.#thread.wasm.ref_state(low, high, address, bytes) : 0;
    if (state === 1) throw new WallocStaleView('STALE', `${asked}: it has been freed.`);
    if (!Type || state !== 3) throw errorFrom(REF, asked);
    return this.#view(Type, address, length, low, high);
  }

  /**
   * Gives a block back: a view's of alloc, or of a part of it, or one by its address, where 0 is allowed. Throws
   * WallocStaleView when the view's is gone; WallocError: TYPE for a view of an arena, MISUSE when it is
   * none, as far as that is seen.
   *
   * @param {number | View<any>} block
   */
  free(block) {
    if (block instanceof View) this.#freeView(block);
    else this.#freeAddress(block);
  }

  /** @param {View<any>} view */
  #freeView(view) {
    if (!(/** @type {unknown} */ (view.arena instanceof Slot))) throw errorFrom(TYPE, 'heap.free');
    view._confirm();
    const error = this.#thread.wasm.free_ref(view._low, view._high);
    if (error) throw errorFrom(STALE, view._name);
  }

  /**
   * @param {import('./views.js').ElementType} Type
   * @param {number} address
   * @param {number} length
   * @param {number} low
   * @param {number} high
   */
  #view(Type, address, length, low, high) {
    const thread = this.#thread;
    const Class = /** @type {any} */ (viewClassOf(Type));
    const end = address + length * Type.BYTES_PER_ELEMENT;
    const elements = new Type(thread.bufferUpTo(end), address, length);
    return new Class(new Slot(thread, low), elements, high >>> 8, low, high);
  }

  /** @param {number} address */
  #freeAddress(address) {
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
