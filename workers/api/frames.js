/**
 * Pins, and arenas with several frames in flight: for threads that read while others throw away.
 *
 *     using pin = walloc.scene.pin();                        // or pin.unpin() at the end
 *     draw(view.array);                                      // not recycled while the pin is there
 *
 *     const frames = walloc.createFrames({ frames: 3 });     worker.postMessage(frames.handle);
 *     const view = frames.alloc(Float32Array, 300);          // in the current frame
 *     frames.advance();                                      // the next begins; the oldest may go
 *
 *     using pin = walloc.frames(handle).pin();               // another thread: the current frame
 *
 * While an arena is pinned, reset, compact, rewind, destroy and shutdown throw PINNED on every thread, and
 * nobody waits. A pin is not a check: take view.array, or ask view.valid, behind it.
 *
 * Every method throws WallocError, besides what it says itself: HANDLE for a pin that has been unpinned, or
 * frames that have been destroyed; DETACHED after detach, which ends the thread's pins. A thread that ends
 * without it leaves them behind.
 */
import { isWord, show } from './check.js';
/// <reference lib="esnext.disposable" preserve="true" />
import { DISPOSE } from './dispose.js';
import { HANDLE, PINNED, STALE, errorFrom } from './errors.js';
import { NO_ARENA, readFramesStats } from './layout.js';

/** One pin of this thread on an arena. They nest; up to 7 arenas at the same time. */
export class Pin {
  #isPinned = true;

  /**
   * Made by arena.pin and frames.pin, with the pin taken.
   *
   * @param {import('./arena.js').Arena} arena
   */
  constructor(arena) {
    /** What is pinned. @readonly */
    this.arena = arena;
  }

  /** Ends it, once. */
  unpin() {
    const { wasm } = this.arena._thread;
    const error = this.#isPinned ? wasm.unpin(this.arena.handle) : HANDLE;
    if (error) throw errorFrom(error, 'unpin');
    this.#isPinned = false;
  }

  /** For `using`: ends what has not ended yet. */
  [DISPOSE]() {
    if (this.#isPinned) this.unpin();
  }
}

export class Frames {
  #walloc;
  #thread;

  /**
   * Made by walloc.createFrames and walloc.frames.
   *
   * @param {import('./walloc.js').Walloc} walloc
   * @param {import('./thread.js').Thread} thread
   * @param {number} handle
   */
  constructor(walloc, thread, handle) {
    this.#walloc = walloc;
    this.#thread = thread;
    /** A number that stands for these frames on every thread. @readonly */
    this.handle = handle;
  }

  /** The current frame's storage. What is allocated from it directly may be of a frame that has ended. */
  get arena() {
    return this.#arena(this.#thread.wasm.frames_arena(this.handle), 'arena');
  }

  /** The current frame's number. */
  get current() {
    return this.stats().current;
  }

  /**
   * A block of the frame that is current at a moment during the call, valid until as many frames as can be
   * in flight have begun after it. Throws as arena.alloc does.
   *
   * @template {import('./views.js').ElementType} T
   * @param {T} Type
   * @param {number} length
   * @param {{ align: number }} [options]
   */
  alloc(Type, length, options) {
    for (;;) {
      const { arena } = this;
      const view = arena.alloc(Type, length, options);
      if (this.arena === arena && view.valid) return view;
    }
  }

  /**
   * The next frame begins, in storage that is recycled or, where a pin holds that, spare. Never waits. Any
   * thread; where two advance at the same time one gets BUSY. Throws LIMIT or as createArena does when a
   * spare storage cannot be made.
   *
   * @returns {boolean} false: all storages are pinned, or in flight, and the frame goes on
   */
  advance() {
    const error = this.#thread.wasm.frames_advance(this.handle);
    if (error && error !== PINNED) throw errorFrom(error, 'frames.advance');
    return !error;
  }

  /**
   * Pins a frame. Throws STALE when its storage has been recycled, or it has not begun; LIMIT, BUSY.
   *
   * @param {number} [frame] its number; default: the current one
   * @returns {Pin}
   */
  pin(frame = 0) {
    if (!isWord(frame)) throw errorFrom(STALE, `frames.pin(${show(frame)})`);
    return new Pin(this.#arena(this.#thread.wasm.frames_pin(this.handle, frame), 'pin'));
  }

  /**
   * Counters: `advances` that began a frame; those that were `heldUp` by a pin, and took other storage;
   * those that were `refused`, as there was none; `lastHolder`, a thread whose pin the last of these met,
   * in the terms of walloc.threadNumber. Exact when nobody advances. Costs an object.
   */
  stats() {
    this.#check('frames_stats');
    return readFramesStats(this.#thread.scratch);
  }

  /** Gives all memory back. Nobody else may be using them. Throws PINNED, BUSY. */
  destroy() {
    this.#check('frames_destroy');
  }

  /** @param {'frames_stats' | 'frames_destroy'} name */
  #check(name) {
    const error = this.#thread.wasm[name](this.handle);
    if (error) throw errorFrom(error, name);
  }

  /**
   * @param {number} handle
   * @param {string} asked
   */
  #arena(handle, asked) {
    if (handle >>> 0 === NO_ARENA) {
      throw errorFrom(this.#thread.wasm.last_error(), `frames.${asked}`);
    }
    return this.#walloc.arena(handle >>> 0);
  }
}
