/**
 * Walloc: one thread's access to the shared memory, and the three tiers in it.
 */
import { isWord, show } from './check.js';
import { Arena } from './arena.js';
import { Heap } from './heap.js';
import { arenaConfig, framesConfig, queueConfig, wallocConfig } from './config.js';
import { Context } from './context.js';
import { Frames } from './frames.js';
import { Queue } from './queue.js';
import { Watcher, takeSeat } from './recovery.js';
import { ARENA, HANDLE, INITIALIZED, NOT_INITIALIZED, TYPE, errorFrom } from './errors.js';
import {
  HEAP,
  MODULE_PAGES,
  MOST_PAGES,
  SLOTS,
  THREADS_MAX,
  TIERS,
  VERSION,
  WASM_PAGE,
  readMemoryStats,
} from './layout.js';
import { enterLinked } from './linked.js';
import { readMap } from './map.js';
import { SINGLE_MAXIMUM, obtainAll } from './single.js';
import { NO_ROOM, Thread } from './thread.js';
import { canShare, createMemory, load, unsupported } from '../load.js';

/**
 * What another thread needs to join. Send it by postMessage; make nothing of its contents.
 *
 * @typedef {object} Handle
 * @property {string} walloc version
 * @property {WebAssembly.Memory} memory
 * @property {WebAssembly.Module} module
 * @property {import('./recovery.js').Seat} [seat] of the one worker that it is for
 * @property {number} control address of the control block: see docs/map.md
 */

/** Of walloc_config, where the program does not say. */
const DEFAULT_RESERVE = 16 << 20;

/**
 * @param {number} error
 * @param {string} asked
 */
function check(error, asked) {
  if (error) throw errorFrom(error, `Walloc: ${asked}`);
}

/**
 * How this walloc runs. `shared`: on memory that any thread can attach to. `single`: the page cannot share memory,
 * and walloc is this thread's alone. `linked`: in an Emscripten program, whose threads call Walloc.from.
 *
 * @typedef {'shared' | 'single' | 'linked'} Mode
 */

export class Walloc {
  /** @type {WeakMap<import('./linked.js').LinkedModule, Walloc>} */
  static #linked = new WeakMap();

  /** @type {Thread} */
  #thread;
  /** @type {WebAssembly.Module | undefined} */
  #module;
  /** @type {Map<number, Queue>} this thread's, by handle */
  #queues = new Map();
  /** @type {Watcher} */
  #watcher;

  /**
   * Made by create, attach and from.
   *
   * @param {Thread} thread that has started
   * @param {Mode} mode
   * @param {WebAssembly.Module} [module]
   */
  constructor(thread, mode, module) {
    this.#thread = thread;
    this.#module = module;
    this.#watcher = new Watcher(thread);
    /** How it runs: see Mode. @readonly */
    this.mode = mode;
    check(thread.wasm.memory_stats(), 'attach');
    /** Bytes that walloc may obtain: what was asked for, or less where there was no room for it. @readonly */
    this.maximum = readMemoryStats(thread.scratch).maximum;
    /** Data of one frame, such as what is uploaded to the GPU. 128-byte aligned. @readonly */
    this.render = this.#tier(0);
    /** Data that lives as long as a scene. 64-byte aligned. @readonly */
    this.scene = this.#tier(1);
    /** Small short-lived things. 8-byte aligned. @readonly */
    this.entity = this.#tier(2);
    /** The general heap: views that are freed one by one, and blocks by address. @readonly */
    this.heap = new Heap(thread);
  }

  /**
   * Makes a new shared memory with walloc in it, for this thread and all that attach. Any thread; in
   * browsers the page or a worker of a cross-origin isolated page.
   *
   * Where the system has no room for a memory with that maximum, half of it is tried, and so on down to the
   * reserve: `walloc.maximum` says what it is. Without isolation walloc runs in this thread alone, on memory that
   * is not shared, of which it obtains all that it may at once (`maximum`, default 256 MiB): `walloc.mode` is
   * 'single', and `walloc.handle` throws.
   *
   * Throws WallocUnsupported where `wasm` is a compiled module, which needs shared memory, and there is none;
   * WallocRangeError: CONFIG; WallocError: LOAD when walloc.wasm cannot be had, TYPE; WallocOutOfMemory. Cost:
   * fetching and compiling walloc.wasm once; memory takes room when it is used.
   *
   * @param {import('./config.js').WallocOptions} [options]
   */
  static async create(options) {
    const config = wallocConfig(options);
    const isShared = canShare();
    if (!isShared) config[0] ||= SINGLE_MAXIMUM;
    // Beside what walloc may obtain: the module's data and the threads' stacks.
    const beside = MODULE_PAGES + (isShared ? THREADS_MAX : 1);
    const pagesFor = (/** @type {number} */ bytes) =>
      Math.min(beside + Math.ceil(bytes / WASM_PAGE), MOST_PAGES);
    const wanted = pagesFor(config[0] || Infinity);
    const least = Math.min(wanted, pagesFor(config[1] || DEFAULT_RESERVE));
    const [memory, pages] = createMemory(MODULE_PAGES, wanted, least, isShared);
    if (pages < wanted) config[0] = (pages - beside) * WASM_PAGE;
    const mode = isShared ? 'shared' : 'single';
    const walloc = await Walloc.#enter(memory, mode, options?.wasm, config);
    walloc.#listen(options);
    return walloc;
  }

  /**
   * Joins the memory of a handle. Any thread, any number of them at the same time; waits for nobody.
   * Each takes 64 KiB for its stack. Throws WallocError: TYPE for what is not a handle of this version,
   * NOT_INITIALIZED after shutdown, HANDLE for one of handleFor that has been used; WallocOutOfMemory;
   * WallocUnsupported.
   *
   * @param {Handle} handle from walloc.handle or handleFor
   */
  static async attach(handle) {
    if (!canShare()) throw unsupported();
    const { walloc, memory, module, seat } = handle ?? {};
    if (walloc !== VERSION || !(memory instanceof WebAssembly.Memory)) {
      throw errorFrom(TYPE, `attach to what is not a handle of walloc ${VERSION}`);
    }
    return Walloc.#enter(memory, 'shared', module, undefined, seat);
  }

  /**
   * The walloc of an Emscripten program, linked with libwalloc_javascript.a, for the calling one of its threads:
   * its main thread, or a pthread, each with its own Module. The same object each time, until it detaches.
   * Starts walloc where C has not called walloc_init, with the options, of which maximum is the program's affair
   * (-sMAXIMUM_MEMORY) and `wasm` means nothing; where it has, there must be none.
   *
   * Throws WallocError: TYPE for what is not such a Module, or has not started yet, INITIALIZED;
   * WallocRangeError: CONFIG; WallocOutOfMemory. What the heap does on misuse is the program's: see
   * walloc_heap_on_misuse in walloc.h.
   *
   * @param {import('./linked.js').LinkedModule} Module
   * @param {import('./config.js').WallocOptions} [options]
   */
  static from(Module, options) {
    const known = Walloc.#linked.get(Module);
    if (known && known.#thread.isAttached) return known;
    const config = wallocConfig(options);
    const [thread, isRunning] = enterLinked(Module);
    if (isRunning && options) throw errorFrom(INITIALIZED, 'Walloc.from with options');
    if (!isRunning) {
      thread.scratch.set(config);
      check(thread.wasm.init(), 'from');
    }
    const walloc = new Walloc(thread, 'linked');
    walloc.#listen(options);
    Walloc.#linked.set(Module, walloc);
    return walloc;
  }

  /** @param {import('./config.js').WallocOptions | undefined} options */
  #listen(options) {
    for (const name of TIERS) this[name].onPressure = options?.tiers?.[name]?.onPressure;
  }

  /**
   * @param {WebAssembly.Memory} memory
   * @param {Mode} mode
   * @param {import('./config.js').WallocOptions['wasm']} source
   * @param {number[]} [config] of the thread that creates walloc
   * @param {import('./recovery.js').Seat} [seat]
   */
  static async #enter(memory, mode, source, config, seat) {
    const thread = new Thread(memory);
    const [module, instance] = await load(source, thread.imports, mode === 'shared');
    const leave = seat && (await takeSeat(seat));
    try {
      thread.start(instance, seat?.block, leave);
      if (config) {
        thread.scratch.set(config);
        check(thread.wasm.init(), 'create');
        if (mode === 'single') obtainAll(thread);
      }
      return new Walloc(thread, mode, module);
    } catch (error) {
      thread.detach();
      throw error;
    }
  }

  /**
   * What to send to threads that shall attach. Throws WallocUnsupported where mode is not 'shared'.
   *
   * @returns {Handle}
   */
  get handle() {
    if (this.mode === 'linked')
      throw unsupported('Threads of this program call Walloc.from(Module).');
    if (this.mode === 'single' || !this.#module) throw unsupported();
    const { memory, wasm } = this.#thread;
    const control = wasm.walloc_control.value >>> 0;
    return { walloc: VERSION, memory, module: this.#module, control };
  }

  /** The memory itself. Typed arrays on its buffer are not checked by anybody. */
  get memory() {
    return this.#thread.memory;
  }

  /**
   * A handle for one attach in this worker, after which this thread watches over it: when the worker has
   * ended, in whatever way, what it held is taken back, and its stack serves another. The stack (64 KiB) is taken
   * here. The worker's Walloc is an ordinary one; once it has detached, the handle is used up.
   *
   * From now on this thread does not sleep for locks, since it is the one that frees those of the dead: where one is
   * held for long it is told BUSY, as a browser's main thread always is. Use it on the thread that made
   * the worker. Throws WallocOutOfMemory; WallocError: TYPE for what is no worker; WallocUnsupported.
   *
   * @param {import('./recovery.js').AnyWorker} worker
   * @returns {Handle}
   */
  handleFor(worker) {
    return { ...this.handle, seat: this.#watcher.seatFor(worker) };
  }

  /**
   * Terminates a worker that handleFor was called for, wherever it is; the same as worker.terminate() and
   * ended(worker). Takes as long as the platform does: Node and Firefox some milliseconds, Chromium two
   * seconds. Of several that are terminated at once none waits for another.
   *
   * @param {import('./recovery.js').AnyWorker} worker
   * @returns {Promise<boolean>} as ended
   */
  async terminate(worker) {
    return this.#watcher.terminate(worker);
  }

  /**
   * When what the worker held has been taken back, after it has ended, by terminate or otherwise, or, in browsers,
   * after it has detached: docs/recovery.md says what is lost at most. Rejects with WallocError: TYPE for a
   * worker that handleFor was not called for, DETACHED.
   *
   * @param {import('./recovery.js').AnyWorker} worker
   * @returns {Promise<boolean>} whether it was attached until it ended
   */
  async ended(worker) {
    return this.#watcher.ended(worker);
  }

  /**
   * A tier by its name. Throws WallocError: ARENA.
   *
   * @param {'render' | 'scene' | 'entity'} name
   */
  tier(name) {
    if (TIERS.includes(name)) return this[name];
    throw errorFrom(ARENA, `tier(${show(name)})`);
  }

  /**
   * An arena of the program's own. Throws WallocRangeError: CONFIG; WallocOutOfMemory; WallocError: LIMIT
   * when there are 32 already, tiers included, TYPE, BUSY.
   *
   * @param {import('./config.js').ArenaOptions} [options]
   */
  createArena(options) {
    const thread = this.#thread;
    const { wasm } = thread;
    thread.scratch.set(arenaConfig(options, 'options'));
    const arena = this.#arena(wasm.arena_create() >>> 0, 'createArena', wasm.last_error());
    arena.onPressure = options?.onPressure;
    return arena;
  }

  /**
   * The arena that another thread created, by its arena.handle. The same object each time. Throws
   * WallocError: ARENA when there is none.
   *
   * @param {number} handle
   */
  arena(handle) {
    return this.#arena(handle, `arena(${show(handle)})`, ARENA);
  }

  /**
   * The block of a ref that another thread sent, typed as it was there. Nothing in the ref is believed.
   * Throws WallocStaleView when the block is gone; WallocError: ARENA when its arena is gone or it names
   * none, REF for anything else that view.ref would not say. Cost: a few calls into the module, and a
   * look at the map entry of each of the block's pages of 4 KiB.
   *
   * @param {import('./view.js').Ref} ref from view.ref
   * @returns {import('./views.js').AnyView}
   */
  view(ref) {
    return (ref?.arena === HEAP ? this.heap : this.arena(ref?.arena))._viewOf(ref);
  }

  /**
   * A queue, by which views go from any threads to any others. Throws WallocRangeError: CONFIG;
   * WallocOutOfMemory; WallocError: LIMIT when there are 64 already, BUSY.
   *
   * @param {import('./config.js').QueueOptions} [options]
   */
  createQueue(options) {
    const { wasm } = this.#thread;
    const handle = wasm.queue_create(...queueConfig(options)) >>> 0;
    return this.#queue(handle, 'createQueue', wasm.last_error());
  }

  /**
   * The queue that another thread created, by its queue.handle. The same object each time. Throws
   * WallocError: HANDLE when there is none.
   *
   * @param {number} handle
   */
  queue(handle) {
    return this.#queue(handle, `queue(${show(handle)})`, HANDLE);
  }

  /**
   * A context of an arena, with one reference; or the reference that another thread has sent, by its
   * context.handle: see context.js. Throws WallocError: HANDLE when it has been released, LIMIT when there are
   * 1024, ARENA.
   *
   * @param {Arena | number} of
   * @param {import('./context.js').ContextOptions} [options]
   */
  context(of, options) {
    const thread = this.#thread;
    const { wasm } = thread;
    const isNew = of instanceof Arena;
    const handle = isNew
      ? wasm.context_create(of.handle, Number(Boolean(options?.resets))) >>> 0
      : of;
    if (!handle || !isWord(handle)) {
      throw errorFrom(isNew ? wasm.last_error() : HANDLE, `context(${show(of)})`);
    }
    const context = new Context(this, thread, handle);
    if (!isNew) void context.arena; // throws when it is not there
    return context;
  }

  /**
   * An arena with several frames in flight: see frames.js. Throws WallocRangeError: CONFIG;
   * WallocOutOfMemory; WallocError: LIMIT when there are 8 such, or no arenas for their storages, BUSY.
   *
   * @param {import('./config.js').FramesOptions} [options]
   */
  createFrames(options) {
    const thread = this.#thread;
    const { wasm } = thread;
    thread.scratch.set(framesConfig(options));
    const handle = wasm.frames_create() >>> 0;
    if (!handle) throw errorFrom(wasm.last_error(), 'createFrames');
    return new Frames(this, thread, handle);
  }

  /**
   * The frames that another thread created, by their frames.handle. Throws WallocError: HANDLE.
   *
   * @param {number} handle
   */
  frames(handle) {
    const frames = new Frames(this, this.#thread, isWord(handle) ? handle : 0);
    frames.stats(); // throws when they are not there
    return frames;
  }

  /** The number by which frames.stats().lastHolder would name this thread. */
  get threadNumber() {
    return this.#thread.wasm.thread() >>> 0;
  }

  /** Counters of the memory, the heap and the three tiers; exact when nobody is at work. Costs objects. */
  stats() {
    const thread = this.#thread;
    check(thread.wasm.memory_stats(), 'stats');
    return {
      memory: readMemoryStats(thread.scratch),
      heap: this.heap.stats(),
      tiers: {
        render: this.render.stats(),
        scene: this.scene.stats(),
        entity: this.entity.stats(),
      },
    };
  }

  /**
   * Who owns what of the memory, by ascending address; out of date at once while others are at work. Cost: a call
   * into the module for each 4 KiB.
   */
  memoryMap() {
    const thread = this.#thread;
    return readMap(thread.wasm.page, thread.memory.buffer.byteLength);
  }

  /**
   * Empties every arena, tiers included, and the heap: all views are stale; arenas, contexts, frames and queues
   * stay. Alone: no other thread may be using walloc. Throws WallocError: PINNED or BUSY where one of them could
   * not be emptied; all others are.
   */
  reset() {
    check(this.#thread.wasm.reset_all(), 'reset');
  }

  /**
   * Ends this thread's part: gives its stack back. Its blocks stay. All its objects throw DETACHED from
   * now on; typed arrays from view.array go on working. Call it before a thread ends. Again: nothing
   * happens. In an Emscripten program the thread's C code goes on, and its pins stay. Throws WallocError: CALLBACK within an onPressure callback.
   */
  detach() {
    this.#thread.detach();
  }

  /**
   * Ends walloc for all threads, and detaches this one. All arenas are gone and all views stale. Alone:
   * no other thread may be using walloc; those attached should detach. Throws WallocError: BUSY, CALLBACK,
   * PINNED.
   */
  shutdown() {
    const thread = this.#thread;
    thread.requireIdle('shutdown');
    check(thread.wasm.shutdown(), 'shutdown');
    thread.detach();
  }

  /**
   * @param {number} handle
   * @param {string} asked
   * @param {number} error when there is no such queue
   */
  #queue(handle, asked, error) {
    const thread = this.#thread;
    const event = isWord(handle) && thread.wasm.queue_event(handle) >>> 0;
    if (!event) throw errorFrom(error, asked);
    const queue = this.#queues.get(handle) ?? new Queue(this, thread, handle, event);
    this.#queues.set(handle, queue);
    return queue;
  }

  /** @param {0 | 1 | 2} id */
  #tier(id) {
    const handle = this.#thread.wasm.tier(id) >>> 0;
    return this.#arena(handle, 'attach', NOT_INITIALIZED, TIERS[id]);
  }

  /**
   * This thread's object for an arena; a new one where the slot held none or another arena.
   *
   * @param {number} handle
   * @param {string} asked
   * @param {number} error when there is no such arena
   * @param {string} [name]
   */
  #arena(handle, asked, error, name = `arena ${handle}`) {
    const { wasm, arenas } = this.#thread;
    const cursor = isWord(handle) && wasm.cursor(handle) >>> 0;
    if (!cursor) throw errorFrom(error, asked);
    const known = arenas[handle % SLOTS];
    if (known?.handle === handle) return known;
    if (known) known._lane = NO_ROOM; // the slot's lane will be the new one's
    return (arenas[handle % SLOTS] = new Arena(this.#thread, handle, name, cursor));
  }
}
