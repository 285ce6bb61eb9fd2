/**
 * Workers that end, at whatever instruction: what they held is taken back.
 *
 *     worker.postMessage(walloc.handleFor(worker));     there: Walloc.attach(handle), as with walloc.handle
 *     await walloc.terminate(worker);                   ends it; then nothing of it is left
 *     await walloc.ended(worker);                       or: when it has ended by itself, or was ended otherwise
 *
 * The thread that makes such a handle, its watcher, takes the worker's stack beforehand: a seat. It gives the
 * seat back when the worker is certain to be dead, and before that nobody else gets it. So it need not be told
 * who the worker is, and it makes no difference how far the worker has come.
 *
 *     state   VACANT ──attach──► TAKEN ──detach──► OVER           the worker, while it holds the lock
 *             VACANT ──terminate or death─────────► OVER           the watcher: too late for an attach
 *
 * Certain is: in Node the worker's exit event. In browsers a Web Lock with a name of its own, which the worker
 * holds from before it attaches until after it has detached, and which the browser grants to the watcher when the worker
 * has stopped, not when that is asked for: Chromium lets it run for two more seconds. The lock is requested
 * when the seat is not vacant any more; TAKEN is written by who holds it.
 *
 * A watcher that dies takes nothing back. Browsers and Node end its own workers with it.
 */
import { show } from './check.js';
import { BUSY, HANDLE, OUT_OF_MEMORY, TYPE, WallocUnsupported, errorFrom } from './errors.js';

const VACANT = 0;
const TAKEN = 1;
const OVER = 2;

/**
 * Milliseconds between two attempts to recover, while the lock of the memory is held; and where the state cannot be
 * awaited, between two looks at it.
 */
const PAUSE = 20;

/**
 * Part of a handle for one worker.
 *
 * @typedef {object} Seat
 * @property {number} block address of its stack
 * @property {Int32Array<SharedArrayBuffer>} state one of the above
 * @property {string} [lock] the name of its Web Lock, in browsers
 * @property {number} [threadId] the worker's, in Node
 */

/**
 * A worker of a browser, or of Node.
 *
 * @typedef {object} AnyWorker
 * @property {() => unknown} terminate
 * @property {(event: any, listener: () => void) => unknown} [once] Node's
 * @property {number} [threadId] Node's, -1 when it has ended
 */

/**
 * A thread that has ended, and has not been recovered from.
 *
 * @typedef {object} Dead
 * @property {number} block of its seat
 * @property {(value: undefined) => void} resolve
 * @property {(error: unknown) => void} reject
 */

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The lock, when it is held: how to leave it. Undefined: another has it.
 *
 * @param {string} name
 * @returns {Promise<(() => void) | undefined>}
 */
const hold = (name) =>
  new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) =>
        lock ? new Promise((leave) => resolve(() => leave(undefined))) : resolve(undefined),
      )
      .catch(reject);
  });

/** In Node. Asked for in this way, bundlers for browsers see no import. */
const ownThreadId = () =>
  /** @type {any} */ (globalThis).process.getBuiltinModule('node:worker_threads').threadId;

/**
 * For the worker, before it attaches. Throws HANDLE when the seat is another's, taken or over.
 *
 * @param {Seat} seat
 * @returns {Promise<() => void>} to be called when it has detached
 */
export async function takeSeat({ state, lock, threadId }) {
  const leave = lock ? await hold(lock) : threadId === ownThreadId() && (() => {});
  if (!leave || Atomics.compareExchange(state, 0, VACANT, TAKEN) !== VACANT) {
    if (leave) leave();
    throw errorFrom(HANDLE, 'attach with a handle for one worker, once');
  }
  Atomics.notify(state, 0);
  return () => {
    Atomics.store(state, 0, OVER);
    leave();
  };
}

/**
 * In Node: until the worker has ended.
 *
 * @param {AnyWorker} worker
 */
const exit = (worker) =>
  new Promise((resolve) => {
    if (worker.threadId === -1) resolve(undefined);
    else worker.once?.('exit', () => resolve(undefined));
  });

/**
 * In browsers: until the thread in the seat has ended, or detached, or will not attach any more.
 *
 * @param {Seat} seat
 */
async function unlocked({ state, lock = '' }) {
  while (Atomics.load(state, 0) === VACANT) {
    await (Atomics.waitAsync?.(state, 0, VACANT).value ?? sleep(PAUSE));
  }
  await navigator.locks.request(lock, () => {});
}

export class Watcher {
  #thread;
  /** @type {WeakMap<AnyWorker, { seat: Seat, ended: Promise<boolean> }[]>} */
  #watched = new WeakMap();
  /** @type {Set<Dead>} */
  #dead = new Set();

  /** @param {import('./thread.js').Thread} thread */
  constructor(thread) {
    this.#thread = thread;
  }

  /**
   * @param {AnyWorker} worker
   * @returns {Seat}
   */
  seatFor(worker) {
    if (typeof worker?.terminate !== 'function') {
      throw errorFrom(TYPE, `handleFor(${show(worker)})`);
    }
    const isOfNode = typeof worker.once === 'function';
    if (!isOfNode && !globalThis.navigator?.locks) {
      throw new WallocUnsupported('UNSUPPORTED', 'handleFor: there are no Web Locks here.');
    }
    const block = this.#thread.wasm.thread_claim() >>> 0;
    if (block === 0) throw errorFrom(OUT_OF_MEMORY, 'handleFor: a stack for the worker');
    this.#thread.neverSleep();
    const state = new Int32Array(new SharedArrayBuffer(4));
    const { threadId } = worker;
    const seat = isOfNode
      ? { block, state, threadId }
      : { block, state, lock: `walloc ${crypto.randomUUID()}` };
    const ended = this.#recover(seat, isOfNode ? exit(worker) : unlocked(seat));
    ended.catch(() => {}); // for whoever asks
    this.#watched.set(worker, [...(this.#watched.get(worker) ?? []), { seat, ended }]);
    return seat;
  }

  /** @param {AnyWorker} worker */
  terminate(worker) {
    for (const { seat } of this.#known(worker, 'terminate')) {
      Atomics.compareExchange(seat.state, 0, VACANT, OVER);
      Atomics.notify(seat.state, 0);
    }
    worker.terminate();
    return this.ended(worker);
  }

  /** @param {AnyWorker} worker */
  async ended(worker) {
    const all = await Promise.all(this.#known(worker, 'ended').map(({ ended }) => ended));
    return all.includes(true);
  }

  /**
   * @param {AnyWorker} worker
   * @param {string} asked
   */
  #known(worker, asked) {
    const watched = this.#watched.get(worker);
    if (watched) return watched;
    throw errorFrom(TYPE, `${asked}(${show(worker)}), for which there was no handleFor`);
  }

  /**
   * @param {Seat} seat
   * @param {Promise<unknown>} death
   * @returns {Promise<boolean>} whether the thread had not detached
   */
  async #recover({ block, state }, death) {
    await death;
    Atomics.compareExchange(state, 0, VACANT, OVER);
    await new Promise((resolve, reject) => {
      this.#dead.add({ block, resolve, reject });
      if (this.#dead.size === 1) this.#recoverAll();
    });
    return Atomics.load(state, 0) === TAKEN;
  }

  /**
   * BUSY for as long as another thread recovers, or one that has died, too, holds the lock of the memory: its death
   * comes to be known as well. So all are tried in one turn, and the pause begins behind the last: if each had a timer
   * of its own, those of some that try for milliseconds would always be due, and Node, which runs timers for as long as
   * one is due, would never tell of that death.
   */
  async #recoverAll() {
    while (this.#dead.size) {
      for (const dead of this.#dead) {
        if (this.#isRecovered(dead)) this.#dead.delete(dead);
      }
      if (this.#dead.size) await sleep(PAUSE);
    }
  }

  /** @param {Dead} dead */
  #isRecovered({ block, resolve, reject }) {
    try {
      const error = this.#thread.wasm.thread_lost(block);
      if (error === BUSY) return false;
      if (error) throw errorFrom(error, 'recovery');
      resolve(undefined);
    } catch (error) {
      reject(error); // also when this thread has detached
    }
    return true;
  }
}
