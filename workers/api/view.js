/**
 * Views: typed windows on blocks, which notice an index that is out of range and a block that has been
 * thrown away.
 *
 * A view knows the generation of its arena in which its block was seen alive. While the arena's cursor
 * shows the same one, the block is there: one plain read and a comparison. When the generation has
 * changed, the module is asked once: it knows what a compact, rewind or mark left in place. If the block
 * is there, the view remembers the newer generation; else it throws WallocStaleView.
 *
 * This is detection, not synchronisation. The block can be thrown away right after the check, and
 * nothing here orders one thread's writes before another's reads: use Atomics on view.array, messages,
 * or a frame barrier for that.
 *
 * A view belongs to the thread that made it; send view.ref, and make another from it by walloc.view().
 *
 * Fields whose names begin with _ are not part of the API. They are not #private because reading such a
 * field takes 2.7 times as long in get(), where it matters; see bench/javascript.mjs.
 */
import { isWord, show } from './check.js';
import { INDEX, WallocStaleView, errorFrom } from './errors.js';

/**
 * @typedef {Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array |
 *   Uint32Array | Float32Array | Float64Array | BigInt64Array | BigUint64Array} TypedArray
 */

/**
 * What one element is in JavaScript.
 *
 * @template {TypedArray} A
 * @typedef {A extends BigInt64Array | BigUint64Array ? bigint : number} Element
 */

/**
 * What each class of views has besides View.
 *
 * @template {TypedArray} A
 * @typedef {object} Accessors
 * @property {(index: number) => Element<A>} get One element. Throws WallocRangeError unless `index` is
 *   a whole number from 0 to length - 1, WallocStaleView. Costs little more than array[index]
 * @property {(index: number, value: Element<A>) => void} set Writes one element, converted as typed
 *   arrays convert. Cost and errors as get; TypeError for a number instead of a bigint or the reverse
 */

/**
 * A block that can be sent to another thread. Plain data.
 *
 * @typedef {object} Ref
 * @property {number} arena its handle
 * @property {number} address in bytes
 * @property {number} length in elements
 * @property {string} type the typed array's name, such as 'Float32Array'
 * @property {number} low the place where the block ends, its lower
 * @property {number} high and upper half, which holds the generation
 */

/**
 * Where isOff says yes: throws, or remembers that the block has survived.
 *
 * @param {View} view
 * @param {number} index
 */
export function makeReady(view, index) {
  view._confirm();
  if (!(isWord(index) && index < view.length)) {
    throw errorFrom(INDEX, `${view._name}[${show(index)}]`);
  }
}

/**
 * @param {View} view
 * @param {string} method
 * @param {number} begin
 * @param {number} end
 * @param {number} length
 */
function checkRange(view, method, begin, end, length) {
  if (isWord(begin) && isWord(end) && begin <= end && end <= length) return;
  throw errorFrom(INDEX, `${view._name}.${method}: ${show(begin)} to ${show(end)} of ${length}`);
}

/**
 * The part that all views have in common. Made by arena.alloc and walloc.view, as one of the classes in
 * views.js, which add get and set: see Accessors.
 *
 * @abstract
 * @template {TypedArray} [A=TypedArray]
 */
export class View {
  /**
   * @param {import('./arena.js').Arena} arena
   * @param {A} elements
   * @param {number} generation in which the block was alive
   * @param {number} low of the place where the block ends
   * @param {number} high
   */
  constructor(arena, elements, generation, low, high) {
    this.arena = arena;
    this._array = elements;
    this._seen = generation << 8;
    /** In elements. Good for stale views too. @readonly */
    this.length = elements.length;
    this._low = low;
    this._high = high;
  }

  /**
   * The block as a typed array of fixed length, always the same object; it lies in the shared memory.
   * For loops and for the GPU: the check for staleness is made here, once, and not when elements are
   * used. Throws WallocStaleView.
   *
   * @returns {A}
   */
  get array() {
    this._confirm();
    return this._array;
  }

  /** Whether the block is still there. Throws DETACHED only. */
  get valid() {
    return this.arena.generation === this._seen >>> 8 || this._survives();
  }

  /** In bytes. Good for stale views too. */
  get byteLength() {
    return this._array.byteLength;
  }

  /** Where the block is in the memory, in bytes: what C would see. Good for stale views too. */
  get address() {
    return this._array.byteOffset;
  }

  /**
   * The block as plain data, for other threads. Costs an object. Throws WallocStaleView.
   *
   * @returns {Ref}
   */
  get ref() {
    return {
      arena: this.arena.handle,
      address: this.address,
      length: this.length,
      type: this.array.constructor.name,
      low: this._low,
      high: this._high,
    };
  }

  /**
   * A view of the elements from begin up to, but without, end. The same block: it goes stale with it.
   * Throws WallocRangeError unless 0 <= begin <= end <= length, WallocStaleView.
   *
   * @param {number} [begin]
   * @param {number} [end]
   * @returns {this}
   */
  subview(begin = 0, end = this.length) {
    const elements = this.array;
    checkRange(this, 'subview', begin, end, this.length);
    const Class = /** @type {any} */ (this.constructor);
    const part = elements.subarray(begin, end);
    return new Class(this.arena, part, this._seen >>> 8, this._low, this._high);
  }

  /**
   * Copies all elements of an array, typed array or view into this one. Throws WallocRangeError when
   * they do not fit behind `offset` (in elements), WallocStaleView; TypeError when it is none of these.
   *
   * @param {ArrayLike<Element<A>> | View<TypedArray>} source
   * @param {number} [offset]
   */
  copyFrom(source, offset = 0) {
    const from = source instanceof View ? source.array : source;
    checkRange(this, 'copyFrom', offset, offset + from.length, this.length);
    this.array.set(/** @type {any} */ (from), offset);
  }

  /**
   * Copies all elements into a typed array or view, from its element `offset` on. Throws
   * WallocRangeError when they do not fit, WallocStaleView; TypeError when it is none of these.
   *
   * @param {TypedArray | View<TypedArray>} target
   * @param {number} [offset]
   */
  copyTo(target, offset = 0) {
    const to = target instanceof View ? target.array : target;
    checkRange(this, 'copyTo', offset, offset + this.length, to.length);
    to.set(/** @type {any} */ (this.array), offset);
  }

  /** For messages. */
  get _name() {
    return `${this.arena.name}: ${this._array.constructor.name}(${this.length})`;
  }

  /** Throws WallocStaleView unless the block is still there. */
  _confirm() {
    if (this.valid) return;
    throw new WallocStaleView(
      'STALE',
      `${this._name} was made in generation ${this._high >>> 8} and has been thrown away since; the ` +
        `current one is ${this.arena.generation}. Allocate again, or keep the block with compact().`,
    );
  }

  /**
   * Asks the module. The generation is read before: were it read after, a reset in between would make
   * the block look alive in a generation that never had it.
   */
  _survives() {
    const { _thread: thread, handle, generation } = this.arena;
    const survives = thread.wasm.place_valid(handle, this._low, this._high) !== 0;
    if (survives) this._seen = generation << 8;
    return survives;
  }
}
