/**
 * Queues: handing blocks from one thread to another, without messages. Any number of threads publish views,
 * any number take them; each is taken once, in the order in which they were published. All that a thread
 * has written before it publishes is visible to whoever takes the view.
 *
 *     const queue = walloc.createQueue({ capacity: 16 });       worker.postMessage(queue.handle);
 *     const queue = walloc.queue(handle);                       // the other thread
 *
 *     queue.publish(view);                                      // false: full
 *     const view = queue.poll();                                // undefined: empty
 *     const view = await queue.next();                          // any thread, never blocks it
 *     const view = queue.wait(100);                             // a worker: sleeps
 *     for await (const view of queue) draw(view);               // until it is closed
 *
 * With `latest`, a full queue throws its oldest view away for the newest: with capacity 1, its default then,
 * it is a slot that holds only the latest value.
 *
 * Taking has four more outcomes than a view. Empty is undefined. Closed, once nothing is left, is a
 * WallocError with code CLOSED. Stale is a WallocStaleView: the block was thrown away between publishing and
 * taking; the queue is rid of it, and the next call goes on. HANDLE: the queue was destroyed.
 *
 * Nobody holds a lock: a worker that is terminated at any moment stops nobody.
 *
 * How a promise waits: Atomics.waitAsync, and where there is none, or no shared memory, a timer of 4 ms. In both cases it also
 * looks every 250 ms, since a worker may have been terminated between publishing and waking. In Node a wait
 * keeps its thread alive.
 *
 * Every method throws WallocError: NOT_INITIALIZED after shutdown, DETACHED after detach.
 */
import { show } from './check.js';
import { EMPTY, FULL, STALE, TYPE, WallocError, WallocStaleView, errorFrom } from './errors.js';
import { Slot } from './heap.js';
import { HEAP } from './layout.js';
import { View } from './view.js';
import { typeNamed } from './views.js';

/** @typedef {import('./views.js').AnyView} AnyView */
/** @typedef {Required<Exclude<ReturnType<typeof typeNamed>, []>>} Kind */

/** The element types, in the order of walloc_element. A view publishes its type's place here as the tag. */
const TYPES = [
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
];
const KINDS = /** @type {Kind[]} */ (TYPES.map(typeNamed));

/**
 * Element type and class for a tag; those of bytes for any other.
 *
 * @param {number} tag
 * @param {number} address
 */
function kindFor(tag, address) {
  const size = KINDS[tag]?.[0]?.BYTES_PER_ELEMENT;
  return KINDS[size && address % size === 0 ? tag : 0];
}

/** Milliseconds until a sleeper looks again by itself. */
const SLICE = 250;
const SLICE_WITHOUT_WAKING = 4;

export class Queue {
  #walloc;
  #thread;
  #event;
  /** What promises of this thread wait for the event word to change. @type {Set<() => void>} */
  #waiting = new Set();
  /** Atomics.waitAsync, where it can be used. @type {((...args: any) => any) | undefined} */
  #waitAsync;
  /** Whether it has been called for them. */
  #isAsleep = false;

  /** Stale views that iterations of this object have passed over. */
  stale = 0;

  /**
   * Made by walloc.createQueue and walloc.queue.
   *
   * @param {import('./walloc.js').Walloc} walloc
   * @param {import('./thread.js').Thread} thread
   * @param {number} handle of a queue
   * @param {number} event its event word's address
   */
  constructor(walloc, thread, handle, event) {
    this.#walloc = walloc;
    this.#thread = thread;
    this.#event = new Int32Array(thread.bufferUpTo(event + 4), event, 1);
    if (thread.isShared) this.#waitAsync = /** @type {any} */ (Atomics).waitAsync;
    /** A number that stands for this queue on every thread. @readonly */
    this.handle = handle;
  }

  /** Views in the queue; out of date at once while others are at work. 0 for a queue that is gone. */
  get count() {
    return this.#thread.wasm.queue_count(this.handle) >>> 0;
  }

  /**
   * Puts a view's block behind all others. False when the queue is full, or, also with `latest`, when all
   * its spare places (at least 16) are in the hands of threads that are just publishing or taking. Throws
   * WallocError: CLOSED, TYPE for what is not a view of this memory; WallocStaleView. Cost: a call into the
   * module, which takes three atomic operations.
   *
   * @param {AnyView} view
   * @returns {boolean}
   */
  publish(view) {
    if (!(view instanceof View) || view.arena._thread !== this.#thread) {
      throw this.#error(TYPE, `publish(${show(view)})`);
    }
    const { arena, array, _low: low, _high: high } = view; // array: throws when stale
    const error = this.#thread.wasm.queue_publish(
      this.handle,
      arena.handle,
      array.byteOffset,
      array.byteLength,
      low,
      high,
      TYPES.indexOf(array.constructor.name),
    );
    if (error && error !== FULL) throw this.#error(error, 'publish');
    return !error;
  }

  /**
   * Takes the oldest view; returns at once. What C has published is of the type that its tag says, where it
   * is aligned to that, else bytes. Throws CLOSED, WallocStaleView. Cost: a call into the module, which takes
   * four atomic operations, or none when the queue is empty, and the making of a view.
   *
   * @returns {AnyView | undefined} undefined: empty
   */
  poll() {
    const { wasm, scratch } = this.#thread;
    const error = wasm.queue_poll(this.handle);
    if (error === EMPTY) return undefined;
    if (error) throw this.#error(error, 'poll');
    const address = scratch[1];
    const size = scratch[2];
    const low = scratch[4];
    const high = scratch[5];
    const [Type, Class] = kindFor(scratch[3], address);
    const home = scratch[0] === HEAP ? new Slot(this.#thread, low) : this.#walloc.arena(scratch[0]);
    const length = Math.floor(size / Type.BYTES_PER_ELEMENT);
    const elements = new Type(this.#thread.bufferUpTo(address + size), address, length);
    return new Class(/** @type {any} */ (home), elements, high >>> 8, low, high);
  }

  /**
   * The oldest view, as soon as there is one. Any thread; nothing blocks. Rejects as poll throws, and with
   * the signal's reason. A view that has been taken is never lost to a timeout or a signal.
   *
   * @param {{ timeout?: number, signal?: AbortSignal }} [options] timeout: milliseconds, default for ever
   * @returns {Promise<AnyView | undefined>} undefined: still empty after the timeout
   */
  async next({ timeout = Infinity, signal } = {}) {
    const end = performance.now() + timeout;
    /** @type {number | undefined} */
    let event;
    for (;;) {
      signal?.throwIfAborted();
      const view = this.poll();
      if (view) return view;
      const left = end - performance.now();
      if (event !== undefined) {
        if (!(left > 0)) return undefined;
        const slice = this.#waitAsync ? SLICE : SLICE_WITHOUT_WAKING;
        await this.#change(event, Math.min(left, slice), signal);
      }
      event = this.#thread.wasm.queue_arm(this.handle);
    }
  }

  /**
   * The oldest view; sleeps while there is none. Workers only: where a thread may not sleep (a browser's
   * main thread) it throws BUSY when it would have to. Throws as poll.
   *
   * @param {number} [timeout] milliseconds, default for ever
   * @returns {AnyView | undefined} undefined: still empty after the timeout
   */
  wait(timeout = Infinity) {
    const end = performance.now() + timeout;
    /** @type {number | undefined} */
    let event;
    for (;;) {
      const view = this.poll();
      if (view) return view;
      const left = end - performance.now();
      if (event !== undefined) {
        if (!(left > 0)) return undefined;
        this.#sleep(event, Math.min(left, SLICE));
      }
      event = this.#thread.wasm.queue_arm(this.handle);
    }
  }

  /**
   * All views, as they come, until the queue is closed and nothing is left. Passes over stale ones, and
   * counts them in `stale`.
   *
   * @returns {AsyncGenerator<AnyView, void, void>}
   */
  async *[Symbol.asyncIterator]() {
    for (;;) {
      let view;
      try {
        view = await this.next();
      } catch (error) {
        if (error instanceof WallocError && error.code === 'CLOSED') return;
        if (!(error instanceof WallocStaleView)) throw error;
        this.stale++;
      }
      if (view) yield view;
    }
  }

  /**
   * From now on publish throws CLOSED, on all threads. What is in the queue can still be taken; then taking
   * throws CLOSED too. Wakes all who wait. Again: nothing happens.
   */
  close() {
    this.#call('queue_close');
  }

  /**
   * Gives its memory back. No other thread may be using it, nor wait in it: close it first, and destroy it when they
   * have come out of it with CLOSED. What this thread itself waits for ends with HANDLE. Throws BUSY.
   */
  destroy() {
    this.#call('queue_destroy');
  }

  /** @param {'queue_close' | 'queue_destroy'} name */
  #call(name) {
    const error = this.#thread.wasm[name](this.handle);
    if (error) throw this.#error(error, name.slice(6));
  }

  /**
   * Until the event word is no longer what it was, or so many milliseconds, or the signal.
   *
   * @param {number} event
   * @param {number} milliseconds
   * @param {AbortSignal} [signal]
   */
  #change(event, milliseconds, signal) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve(undefined);
      };
      const timer = setTimeout(done, milliseconds);
      signal?.addEventListener('abort', done);
      this.#waiting.add(done);
      this.#listen(event);
    });
  }

  /**
   * All promises of this thread share one call of Atomics.waitAsync, which cannot be taken back: it stays
   * until the word changes. One that is there already serves for a later value too, as all are woken.
   *
   * @param {number} event
   */
  async #listen(event) {
    if (this.#isAsleep) return;
    if (!this.#waitAsync) return;
    const { async: isAsync, value } = this.#waitAsync.call(Atomics, this.#event, 0, event | 0);
    this.#isAsleep = isAsync;
    await value;
    this.#isAsleep = false;
    for (const done of [...this.#waiting]) done();
  }

  /**
   * @param {number} event
   * @param {number} milliseconds
   */
  #sleep(event, milliseconds) {
    try {
      Atomics.wait(this.#event, 0, event | 0, milliseconds);
    } catch (cause) {
      const message = 'queue.wait: this thread may not sleep; use await queue.next().';
      throw new WallocError('BUSY', message, { cause });
    }
  }

  /**
   * @param {number} error
   * @param {string} asked
   */
  #error(error, asked) {
    const name = `queue ${this.handle}.${asked}`;
    if (error !== STALE) return errorFrom(error, name);
    return new WallocStaleView('STALE', `${name}: the block has been thrown away since.`);
  }
}
