/**
 * Contexts: reference-counted handles on an arena, for parts of a program that share one and do not know when
 * the others are done.
 *
 *     using scene = walloc.context(walloc.scene);            // or scene.release() at the end
 *     const entity = scene.createEntity();                   // counted on its own
 *     const view = entity.alloc(Float32Array, 16);
 *     worker.postMessage(entity.retain().handle);            // a reference goes to another thread
 *     using entity = walloc.context(handle);                 // and is released there
 *
 * An object here is one reference, of the thread that has it. The count is the memory's: when the last
 * reference on any thread is released the context ends, and nothing happens to its arena unless it was made
 * with `resets`. A reference that is sent is the receiver's: the sender forgets the object it came from.
 * Without `using`, release it in a finally block; an object that is dropped is not released by anybody.
 *
 * Every method throws WallocError, besides what it says itself: HANDLE when the reference or the context has
 * been released, ARENA when the arena has been destroyed, DETACHED after detach.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { DISPOSE } from './dispose.js';
import { errorFrom } from './errors.js';
import { NO_ARENA } from './layout.js';

/**
 * @typedef {object} ContextOptions
 * @property {boolean} [resets] whether the last release resets the arena, with all that is in it; such an
 *   arena should have no other context
 */

export class Context {
  #walloc;
  #thread;

  /**
   * Made by walloc.context, create and retain; its reference is there already.
   *
   * @param {import('./walloc.js').Walloc} walloc
   * @param {import('./thread.js').Thread} thread
   * @param {number} handle
   */
  constructor(walloc, thread, handle) {
    this.#walloc = walloc;
    this.#thread = thread;
    /** A number that stands for this context on every thread; 0 when this reference has been released. */
    this.handle = handle;
  }

  /** Its arena, for everything that arenas can do. Cost: a call into the module. */
  get arena() {
    const { wasm } = this.#thread;
    const arena = wasm.context_arena(this.handle) >>> 0;
    if (arena === NO_ARENA) throw errorFrom(wasm.last_error(), 'context');
    return this.#walloc.arena(arena);
  }

  /**
   * arena.alloc, with its errors.
   *
   * @template {import('./views.js').ElementType} T
   * @param {T} Type
   * @param {number} length
   * @param {{ align: number }} [options]
   */
  alloc(Type, length, options) {
    return this.arena.alloc(Type, length, options);
  }

  /** Resets the arena, whoever else has references. Throws PINNED, BUSY. */
  reset() {
    this.arena.reset();
  }

  /**
   * A context of its own, with one reference; this one must be there, and is not held by it.
   *
   * @param {import('./arena.js').Arena} [arena] default: the same
   * @param {ContextOptions} [options]
   */
  create(arena = this.arena, options) {
    return this.arena && this.#walloc.context(arena, options);
  }

  /** The same, of the entity tier. */
  createEntity() {
    return this.create(this.#walloc.entity);
  }

  /** One reference more. Throws LIMIT above 65534. */
  retain() {
    this.#check(this.#thread.wasm.context_retain(this.handle), 'retain');
    return new Context(this.#walloc, this.#thread, this.handle);
  }

  /**
   * One reference less: this one. With the last the context ends, and resets its arena if it was made so;
   * throws PINNED or BUSY where that cannot be, and the reference stays.
   */
  release() {
    this.#check(this.#thread.wasm.context_release(this.handle), 'release');
    this.handle = 0;
  }

  /** For `using`: releases what is not released yet. */
  [DISPOSE]() {
    if (this.handle) this.release();
  }

  /**
   * @param {number} error
   * @param {string} asked
   */
  #check(error, asked) {
    if (error) throw errorFrom(error, `context.${asked}`);
  }
}
