/**
 * Arenas: where blocks come from. Blocks are not freed one by one: the arena is thrown away as a whole
 * (reset), or all of it behind a place (compact, rewind), at the same cost whatever is in use. Each of
 * these begins a new generation of the arena, by which views notice that their block is gone.
 *
 * The three tiers are arenas: render for what lives for a frame (blocks aligned to 128 bytes), scene
 * (64), entity (8).
 *
 * Every thread may call everything at any time, for the same arena too, except destroy. On a browser's
 * main thread nothing waits: where another thread holds a lock for longer than a bounded spin, the call
 * throws a WallocError with code BUSY and may be tried again.
 *
 * Every method throws WallocError, besides what it says itself: ARENA when the arena has been
 * destroyed, NOT_INITIALIZED after shutdown, DETACHED after detach. `used` and `available` are 0 for an
 * arena that has been destroyed.
 */
import { isWord, show } from './check.js';
import { ALIGNMENT, ARENA, PRESERVE, REF, SIZE, TYPE, errorFrom } from './errors.js';
import { LANE, PLACE_UNIT, SLOTS, readArenaStats } from './layout.js';
import { Pin } from './frames.js';
import { NO_ROOM } from './thread.js';
import { typeNamed, viewClassOf } from './views.js';

/**
 * A place between all blocks allocated before it and all after. Plain data: send it, keep it, drop it.
 *
 * @typedef {object} Mark
 * @property {number} arena its handle
 * @property {number} low
 * @property {number} high
 */

/** @typedef {import('./config.js').PressureCallback} PressureCallback */

/**
 * A block from this thread's lane, as the module's own fast way takes it (src/arena/allocate.c), but without a call:
 *
 *     lane:  | place of its end : 64 | address of its end : 32 | room before it : 32 |
 *
 * Only this thread reads and writes its lanes, here or in the module, and one store commits the block. The cursor
 * is a plain read: what this thread did before, or synchronised with, it sees; all else is concurrent with this
 * call. 0: the module is to be asked.
 *
 * @param {Arena} arena
 * @param {number} bytes anything: what is no size is the module's to refuse
 */
function bump(arena, bytes) {
  const lane = arena._lane;
  const room = lane[3];
  const serves =
    bytes >>> 0 === bytes && (bytes - 1) >>> 0 < room && (lane[1] ^ arena._cursor[0]) >>> 8 === 0; // of one generation
  if (!serves) return 0;
  lane[3] = room - ((bytes + arena._mask) & ~arena._mask);
  return lane[2] - room;
}

export class Arena {
  /**
   * Called for allocations that this thread makes, where the arena was created with `pressure` or
   * `onPressure`; config.js says what it may do. Null: none.
   *
   * @type {PressureCallback | null | undefined}
   */
  onPressure;

  /**
   * Made by Walloc: walloc.render, .scene, .entity, createArena, arena.
   *
   * @param {import('./thread.js').Thread} thread
   * @param {number} handle of a live arena
   * @param {string} name
   * @param {number} cursor its address
   */
  constructor(thread, handle, name, cursor) {
    this._thread = thread;
    /** A number that stands for this arena on every thread. @readonly */
    this.handle = handle;
    /** For messages. @readonly */
    this.name = name;
    /** The upper half of the cursor: generation and chunk. */
    this._cursor = new Uint32Array(thread.bufferUpTo(cursor + 8), cursor + 4, 1);
    const [lane, mask] = thread.scratch; // as the call that told the cursor left them
    /** This thread's lane: see bump. */
    this._lane = lane ? new Uint32Array(thread.bufferUpTo(lane + LANE), lane, LANE / 4) : NO_ROOM;
    this._mask = mask;
  }

  /**
   * A block for `length` elements, aligned as the arena says (at least to 8 bytes), its contents
   * whatever was there before. Throws
   *
   * - WallocRangeError: SIZE for a length that is not a whole number from 1 to what 4 GiB holds, ALIGNMENT
   * - WallocOutOfMemory: OUT_OF_MEMORY, BUDGET, after all recycling that the arena's settings ask for
   * - WallocError: TYPE, LIMIT, BUSY
   *
   * Cost: a call into the module, which is a few instructions while the thread's lane has room and one
   * atomic operation after that, and the making of a typed array and a view, which is most of it.
   *
   * @template {import('./views.js').ElementType} T
   * @param {T} Type such as Float32Array
   * @param {number} length in elements
   * @param {{ align: number }} [options] align: of this block only, in bytes, a power of two up to
   *   65536. Refused without it, so that a misspelt option is not silently the arena's alignment
   * @returns {import('./views.js').ViewOf<T>}
   */
  alloc(Type, length, options) {
    const Class = viewClassOf(Type);
    if (!Class) throw this.#error(TYPE, 'alloc', [Type]);
    const thread = this._thread;
    const bytes = length * Type.BYTES_PER_ELEMENT;
    const align = options === undefined ? 0 : options?.align;
    let address = align === 0 && isWord(length) ? bump(this, bytes) : 0;
    // The block's own place: by now, the cursor may be in another generation.
    let low = this._lane[0] - this._lane[3] / PLACE_UNIT;
    let high = this._lane[1];
    if (address === 0) {
      let error = isWord(align) ? 0 : ALIGNMENT;
      if (!isWord(length) || !isWord(bytes)) error = SIZE;
      address = error ? 0 : thread.wasm.alloc(this.handle, bytes, align) >>> 0;
      if (address === 0) {
        throw this.#error(error || thread.wasm.last_error(), 'alloc', [Type, length, align]);
      }
      low = thread.scratch[0];
      high = thread.scratch[1];
    }
    const elements = new Type(thread.bufferUpTo(address + bytes), address, length);
    return new Class(this, elements, high >>> 8, low, high);
  }

  /**
   * The same as alloc(Uint8Array, bytes, options).
   *
   * @param {number} bytes
   * @param {{ align: number }} [options]
   */
  allocBytes(bytes, options) {
    return this.alloc(Uint8Array, bytes, options);
  }

  /**
   * The address of a new block of so many bytes, without a view and its checks: for C, or for typed arrays of the
   * program's own on walloc.memory's buffer. Throws as alloc. Cost: a call into the module, and little more.
   *
   * @param {number} bytes
   * @returns {number}
   */
  allocAddress(bytes) {
    let address = bump(this, bytes);
    if (address) return address;
    const { wasm } = this._thread;
    address = isWord(bytes) ? wasm.alloc(this.handle, bytes, 0) >>> 0 : 0;
    if (address) return address;
    throw this.#error(isWord(bytes) ? wasm.last_error() : SIZE, 'allocAddress', [bytes]);
  }

  /** Throws all blocks away. One atomic operation, whatever is in use; never waits. Throws PINNED. */
  reset() {
    this.#call('reset');
  }

  /**
   * Throws away all behind the arena's first `preserve` bytes (counted as in `used`, and rounded up to
   * the alignment); blocks that lie wholly before stay valid. Also sets the place of preserve(). Throws
   * WallocRangeError: PRESERVE for more than is used; WallocError: LIMIT when compacts that each preserve
   * more than the one before are nested more than 32 deep, BUSY. Constant time.
   *
   * @param {number} preserve bytes
   */
  compact(preserve) {
    if (!isWord(preserve)) throw this.#error(PRESERVE, 'compact', [preserve]);
    this.#call('compact', preserve);
  }

  /**
   * A mark at the present place, for rewind on any thread. Throws WallocError: BUSY.
   *
   * @returns {Mark}
   */
  mark() {
    this.#call('set_mark');
    const [low, high] = this._thread.scratch;
    return { arena: this.handle, low, high };
  }

  /**
   * Throws away all blocks allocated after the mark. Throws WallocError: STALE when the mark's own place
   * is gone, ARENA for what is not a mark of this arena, LIMIT, BUSY. Constant time.
   *
   * @param {Mark} mark
   */
  rewind(mark) {
    const { arena, low, high } = mark ?? {};
    if (arena !== this.handle || !isWord(low) || !isWord(high)) {
      throw this.#error(ARENA, 'rewind', [mark]);
    }
    this.#call('rewind', low, high);
  }

  /**
   * Declares all allocated so far the part below which `recycle: 'to-mark'` never goes. Forgotten by a
   * reset, and by a compact or rewind to a place before it. Throws WallocError: BUSY.
   */
  preserve() {
    this.#call('preserve');
  }

  /**
   * Makes room in one piece now, so that blocks of together `bytes` do not grow the arena later. Throws
   * as alloc does.
   *
   * @param {number} bytes each block rounded up to the alignment, lanes counted whole
   */
  reserve(bytes) {
    if (!isWord(bytes)) throw this.#error(SIZE, 'reserve', [bytes]);
    this.#call('reserve', bytes);
  }

  /** Gives chunks behind the one in use back, for other arenas. Throws WallocError: BUSY. */
  trim() {
    this.#call('trim');
  }

  /**
   * Gives all memory of the arena back; its views go stale everywhere. Nobody else may be using the
   * arena. Throws WallocError: ARENA for tiers, BUSY.
   */
  destroy() {
    this.#call('arena_destroy');
    this._thread.arenas[this.handle % SLOTS] = undefined;
    this._lane = NO_ROOM;
  }

  /**
   * Until the pin ends, nothing of this arena is recycled: see frames.js. Throws WallocError: LIMIT for an
   * eighth arena of this thread, BUSY. The first pin in an arena's life takes its smallest block.
   */
  pin() {
    this.#call('pin');
    return new Pin(this);
  }

  /** Bytes from the arena's start to its cursor: blocks, padding, lanes, unused ends of chunks. */
  get used() {
    return this._thread.wasm.used(this.handle) >>> 0;
  }

  /** Bytes that could still be allocated at most. An estimate while other threads work. */
  get available() {
    return this._thread.wasm.available(this.handle) >>> 0;
  }

  /** Counts up with each reset, compact, rewind and mark, and wraps after 2^24. One plain read. */
  get generation() {
    return this._cursor[0] >>> 8;
  }

  /** Counters of all threads; exact when nobody else is at work. Costs an object. */
  stats() {
    this.#call('arena_stats');
    return readArenaStats(this._thread.scratch);
  }

  /**
   * Gives back the block of a view that nobody else has seen, if nothing was allocated since.
   *
   * @param {import('./views.js').AnyView} view
   */
  _takeBack({ address, _low, _high }) {
    return this._thread.wasm.take_back(this.handle, address, _low, _high);
  }

  /**
   * The view that a ref describes: see walloc.view. Nothing in the ref is believed: it must lie within
   * one chunk of this arena, so that a damaged one cannot reach other memory.
   *
   * @param {import('./view.js').Ref} ref
   */
  _viewOf({ address, length, type, low, high }) {
    const [Type, Class] = typeNamed(type);
    const thread = this._thread;
    const size = Type?.BYTES_PER_ELEMENT ?? NaN;
    const end = address + length * size;
    let view;
    if (
      Type &&
      Class &&
      [address, length, low, high].every(isWord) &&
      address % size === 0 &&
      end <= thread.bufferUpTo(end).byteLength
    ) {
      // A generation that matches nothing yet: the view asks the module.
      view = new Class(this, new Type(thread.buffer, address, length), -1, low, high);
      view._confirm(); // before owns, as the pages of a block that is gone may be another's
    }
    if (view && thread.wasm.owns(this.handle, address, end - address)) return view;
    throw this.#error(REF, 'view', [type, length, address]);
  }

  /**
   * @param {'reset' | 'compact' | 'set_mark' | 'rewind' | 'preserve' | 'reserve' | 'trim' |
   *   'arena_destroy' | 'arena_stats' | 'pin'} name of a function that returns an error
   * @param {number[]} words
   */
  #call(name, ...words) {
    const wasm = /** @type {any} */ (this._thread.wasm);
    const error = wasm[name](this.handle, ...words);
    if (error) throw this.#error(error, name, words);
  }

  /**
   * @param {number} error
   * @param {string} name of what was called
   * @param {unknown[]} values
   */
  #error(error, name, values) {
    const { used, available } = this;
    return errorFrom(
      error,
      `${this.name}.${name}(${values.map(show).join(', ')}) with ${used} bytes used, ${available} available`,
    );
  }
}
