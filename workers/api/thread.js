/**
 * One thread's instance of the module, on the memory that all threads share.
 *
 * The instance's code is shared; its stack and thread-local data are the thread's own and lie in a
 * block of the shared memory that the thread takes when it starts and gives back when it ends, unless it is a
 * seat that its watcher keeps for it (recovery.js):
 *
 *     block:  | thread-local data | ...free...  <- stack | block + 64 KiB
 *
 * Invariants: `wasm` is called only between start and detach, so never without a stack. What the module
 * writes into `scratch` is read before the next call of it. Nothing that a callback throws passes
 * through the module's own frames.
 *
 * In an Emscripten program that walloc is linked into, a thread has its stack already: it enters, and leaves
 * nothing behind.
 *
 * One object of each kind here belongs to one JavaScript thread.
 */
import { BUSY, CALLBACK, DETACHED, OUT_OF_MEMORY, errorFrom } from './errors.js';
import { LANE, SCRATCH, SLOTS, THREAD_BLOCK } from './layout.js';

/**
 * What the module exports. Addresses, sizes and handles come back as signed numbers: `>>> 0`.
 *
 * @typedef {object} Exports
 * @property {WebAssembly.Global} __stack_pointer
 * @property {WebAssembly.Global} walloc_control
 * @property {(address: number) => void} __wasm_init_tls
 * @property {() => number} thread_claim
 * @property {(canWait: number, block: number) => number} thread_start
 * @property {(block: number) => void} thread_release
 * @property {(block: number) => number} thread_lost
 * @property {() => number} scratch
 * @property {() => number} enter in Emscripten programs
 * @property {() => number} init
 * @property {() => number} reset_all
 * @property {(page: number) => number} page
 * @property {() => number} shutdown
 * @property {(tier: number) => number} tier
 * @property {() => number} arena_create
 * @property {(arena: number) => number} arena_destroy
 * @property {(arena: number, size: number, alignment: number) => number} alloc
 * @property {() => number} last_error
 * @property {(arena: number) => number} reset
 * @property {(arena: number, preserve: number) => number} compact
 * @property {(arena: number) => number} set_mark
 * @property {(arena: number, low: number, high: number) => number} rewind
 * @property {(arena: number) => number} preserve
 * @property {(arena: number, bytes: number) => number} reserve
 * @property {(arena: number) => number} trim
 * @property {(arena: number, address: number, low: number, high: number) => boolean} take_back
 * @property {(arena: number, low: number, high: number) => number} place_valid
 * @property {(arena: number) => number} used
 * @property {(arena: number) => number} available
 * @property {(arena: number) => number} arena_stats
 * @property {() => number} memory_stats
 * @property {(arena: number) => number} cursor
 * @property {(arena: number, address: number, length: number) => boolean} owns
 * @property {(size: number, alignment: number) => number} malloc
 * @property {(count: number, size: number) => number} calloc
 * @property {(block: number, size: number) => number} realloc
 * @property {(block: number) => void} free
 * @property {(size: number) => number} malloc_ref
 * @property {(low: number, high: number) => number} free_ref
 * @property {(low: number, high: number, address: number, length: number) => number} ref_state
 * @property {() => number} misuse
 * @property {(block: number) => number} usable_size
 * @property {() => number} heap_reset
 * @property {() => void} heap_stats
 * @property {() => void} thread_end
 * @property {() => number} thread
 * @property {(arena: number) => number} pin
 * @property {(arena: number) => number} unpin
 * @property {() => number} frames_create
 * @property {(frames: number) => number} frames_destroy
 * @property {(frames: number) => number} frames_advance
 * @property {(frames: number) => number} frames_arena
 * @property {(frames: number, frame: number) => number} frames_pin
 * @property {(frames: number) => number} frames_stats
 * @property {(arena: number, flags: number) => number} context_create
 * @property {(context: number) => number} context_retain
 * @property {(context: number) => number} context_release
 * @property {(context: number) => number} context_arena
 * @property {(capacity: number, latest: number) => number} queue_create
 * @property {(queue: number) => number} queue_destroy
 * @property {(queue: number) => number} queue_close
 * @property {(queue: number) => number} queue_count
 * @property {(queue: number, arena: number, address: number, size: number, low: number, high: number,
 *   tag: number) => number} queue_publish
 * @property {(queue: number) => number} queue_poll
 * @property {(queue: number) => number} queue_event
 * @property {(queue: number) => number} queue_arm
 */

/** The exports of a detached thread: whatever is called throws. */
const gone = /** @type {Exports} */ (
  new Proxy(
    {},
    {
      get() {
        throw errorFrom(DETACHED, 'walloc');
      },
    },
  )
);

/** The cursor of a detached thread's arenas: views made by it go and ask, and so find out. */
const NO_CURSOR = Uint32Array.of(0xffffffff);

/** A lane from which nothing can be had. */
export const NO_ROOM = new Uint32Array(LANE / 4);

/** 1 when this thread may sleep: a browser's main thread, worklets and service workers may not, 0. */
function canWait() {
  try {
    // The value is not the one waited for, so that this never sleeps.
    return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1) && 1;
  } catch {
    return 0;
  }
}

export class Thread {
  /** @type {number} address of the block */
  #block = 0;
  /** @type {(() => void) | undefined} leaves the seat */
  #leave;
  /** Callbacks that are running, one inside the other. */
  #callbacks = 0;

  /** @param {WebAssembly.Memory} memory */
  constructor(memory) {
    this.memory = memory;
    this.buffer = memory.buffer;
    /** False: see single.js. */
    this.isShared = true;
    /** The length of `buffer`; the memory may have grown beyond it. */
    this.size = this.buffer.byteLength;
    /** @type {Exports} */
    this.wasm = gone;
    this.scratch = NO_CURSOR;
    /** @type {(import('./arena.js').Arena | undefined)[]} this thread's, by slot */
    this.arenas = [];
    this.imports = {
      env: { memory },
      walloc: {
        pressure: this.#pressure.bind(this),
      },
    };
  }

  /**
   * Takes a stack, after which everything may be called. Throws OUT_OF_MEMORY, BUSY; then detach.
   *
   * @param {WebAssembly.Instance} instance made with `imports`
   * @param {number} [block] of a seat
   * @param {() => void} [leave] the seat
   */
  start(instance, block, leave) {
    // A copy, since calling a module's own frozen export object is slower.
    const wasm = /** @type {Exports} */ ({ .../** @type {any} */ (instance.exports) });
    wasm.__stack_pointer.value = 0; // whatever used a stack now would trap
    this.#block = block ?? wasm.thread_claim() >>> 0;
    this.#leave = leave;
    if (this.#block === 0) throw errorFrom(OUT_OF_MEMORY, 'a stack for this thread');
    this.wasm = wasm;
    wasm.__stack_pointer.value = this.#block + THREAD_BLOCK;
    wasm.__wasm_init_tls(this.#block);
    if (!wasm.thread_start(canWait(), this.#block)) throw errorFrom(BUSY, 'attach');
    this.refresh();
  }

  /**
   * Uses what an Emscripten program exports, on the stack that its thread has.
   *
   * @param {Exports} wasm
   */
  enter(wasm) {
    this.wasm = wasm;
    this.refresh();
  }

  /** Looks at the memory anew: memory that is not shared leaves all earlier arrays behind when it grows. */
  refresh() {
    this.buffer = this.memory.buffer;
    this.size = this.buffer.byteLength;
    const scratch = this.wasm.scratch() >>> 0;
    this.scratch = new Uint32Array(this.bufferUpTo(scratch + SCRATCH), scratch, SCRATCH / 4);
  }

  get isAttached() {
    return this.wasm !== gone;
  }

  /** Gives the stack back. Everything this thread does with walloc throws DETACHED from now on. */
  detach() {
    if (!this.isAttached) return;
    this.requireIdle('detach');
    for (const arena of this.arenas) {
      if (arena) [arena._cursor, arena._lane] = [NO_CURSOR, NO_ROOM];
    }
    const { thread_end, thread_release } = this.wasm;
    if (this.#block) thread_end();
    this.wasm = gone;
    if (this.#leave) this.#leave();
    else if (this.#block) thread_release(this.#block);
  }

  /** From now on this thread is told BUSY where it would sleep for a lock. */
  neverSleep() {
    this.wasm.thread_start(0, this.#block);
  }

  /**
   * Throws CALLBACK where a callback runs, whose caller still needs the stack.
   *
   * @param {string} asked
   */
  requireIdle(asked) {
    if (this.#callbacks > 0) throw errorFrom(CALLBACK, asked);
  }

  /**
   * The memory, at least up to an address. A buffer does not follow the memory's growth, but stays
   * good for what it covers: so a new one is fetched only for an address beyond it.
   *
   * @param {number} end
   */
  bufferUpTo(end) {
    if (end > this.size && this.isShared) {
      // Growth by another thread reaches memory.buffer late in some engines; growing by nothing
      // brings it up to date.
      this.memory.grow(0);
      this.buffer = this.memory.buffer;
      this.size = this.buffer.byteLength;
    }
    return this.buffer;
  }

  /**
   * The module's import: asks the program, in this thread, within its call of alloc.
   *
   * @param {number} handle
   * @param {number} needed
   * @param {number} level
   */
  #pressure(handle, needed, level) {
    const arena = this.arenas[handle & (SLOTS - 1)];
    if (arena?.handle !== handle >>> 0 || !arena.onPressure) return 0;
    this.#callbacks++;
    try {
      return Number(arena.onPressure(arena, needed >>> 0, level ? 'hard' : 'soft') === true);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
      return 0;
    } finally {
      this.#callbacks--;
    }
  }
}
