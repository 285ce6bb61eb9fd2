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
import { ARENA, HANDLE, NOT_INITIALIZED, TYPE, errorFrom } from './errors.js';
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
import { Thread } from './thread.js';
import { createMemory, load, requireSharedMemory } from '../load.js';

/**
 * What another thread needs to join. Send it by postMessage; make nothing of its contents.
 *
 * @typedef {object} Handle
 * @property {string} walloc version
 * @property {WebAssembly.Memory} memory
 * @property {WebAssembly.Module} module
 * @property {number} control address of the control block: see docs/map.md
 */

/**
 * @param {number} error
 * @param {string} asked
 */
function check(error, asked) {
  if (error) throw errorFrom(error, `Walloc: ${asked}`);
}

export class Walloc {
  /** @type {Thread} */
  #thread;
  /** @type {WebAssembly.Module} */
  #module;
  /** @type {Map<number, Queue>} this thread's, by handle */
  #queues = new Map();

  /**
   * Made by create and attach.
   *
   * @param {Thread} thread that has started
   * @param {WebAssembly.Module} module
   */
  constructor(thread, module) {
    this.#thread = thread;
    this.#module = module;
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
   * Throws WallocUnsupported where memory cannot be shared; WallocRangeError: CONFIG; WallocError: LOAD
   * when walloc.wasm cannot be had, TYPE; WallocOutOfMemory. Cost: fetching and compiling walloc.wasm
   * once; memory takes room when it is used.
   *
   * @param {import('./config.js').WallocOptions} [options]
   */
  static async create(options) {
    requireSharedMemory();
    const config = wallocConfig(options);
    // What walloc may obtain, and beside it the module's data and the threads' stacks.
    const pages = MODULE_PAGES + THREADS_MAX + Math.ceil((config[0] || Infinity) / WASM_PAGE);
    const memory = createMemory(MODULE_PAGES, Math.min(pages, MOST_PAGES));
    const walloc = await Walloc.#enter(memory, options?.wasm, config);
    for (const name of TIERS) walloc[name].onPressure = options?.tiers?.[name]?.onPressure;
    return walloc;
  }

  /**
   * Joins the memory of a handle. Any thread, any number of them at the same time; waits for nobody.
   * Each takes 64 KiB for its stack. Throws WallocError: TYPE for what is not a handle of this version,
   * NOT_INITIALIZED after shutdown; WallocOutOfMemory; WallocUnsupported.
   *
   * @param {Handle} handle from walloc.handle
   */
  static async attach(handle) {
    requireSharedMemory();
    const { walloc, memory, module } = handle ?? {};
    if (walloc !== VERSION || !(memory instanceof WebAssembly.Memory)) {
      throw errorFrom(TYPE, `attach to what is not a handle of walloc ${VERSION}`);
    }
    return Walloc.#enter(memory, module);
  }

  /**
   * @param {WebAssembly.Memory} memory
   * @param {import('./config.js').WallocOptions['wasm']} source
   * @param {number[]} [config] of the thread that creates walloc
   */
  static async #enter(memory, source, config) {
    const thread = new Thread(memory);
    const [module, instance] = await load(source, thread.imports);
    try {
      thread.start(instance);
      if (config) {
        thread.scratch.set(config);
        check(thread.wasm.init(), 'create');
      }
      return new Walloc(thread, module);
    } catch (error) {
      thread.detach();
      throw error;
    }
  }

  /**
   * What to send to threads that shall attach.
   *
   * @returns {Handle}
   */
  get handle() {
    const { memory, wasm } = this.#thread;
    const control = wasm.walloc_control.value >>> 0;
    return { walloc: VERSION, memory, module: this.#module, control };
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
   * Ends this thread's part: gives its stack back. Its blocks stay. All its objects throw DETACHED from
   * now on; typed arrays from view.array go on working. Call it before a thread ends. Again: nothing
   * happens. Throws WallocError: CALLBACK within an onPressure callback.
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
    return (arenas[handle % SLOTS] = new Arena(this.#thread, handle, name, cursor));
  }
}
