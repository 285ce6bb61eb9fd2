/**
 * A kill storm: workers that allocate are terminated at random while the others go on; whoever is gone is replaced.
 * After each round
 *
 * - every survivor must complete an operation that it began after the kill; else the storm has found a hang;
 * - each block that the dead held is looked at to its last byte and freed by the storm, as the program that had
 *   it in a list of its own would do. What a worker had in hand at that instant is lost, and counted.
 *
 * The same in Node and in browsers, and for any allocator: see walloc.js and dlmalloc.js for what differs.
 */
import {
  BLOCKS,
  IN_HAND,
  PROGRESS,
  REST,
  STOP,
  VIOLATIONS,
  blocksOf,
  createLedger,
  isStamped,
  randomFrom,
  readEntry,
} from './ledger.js';

/**
 * What a storm needs to know of the allocator.
 *
 * @typedef {object} Allocator
 * @property {WebAssembly.Memory} memory
 * @property {(worker: any, index: number) => unknown} handleFor what worker.js joins with
 * @property {(worker: any) => Promise<boolean>} terminate until it is certain to be dead, and recovered from
 * @property {(address: number) => void} free from the storm's own thread, which must never sleep: it is the one that
 * notices who hangs
 * @property {() => number} obtained bytes
 * @property {number} [queue]
 */

/**
 * @typedef {object} Settings
 * @property {() => any} startWorker makes a worker that runs worker.js
 * @property {Allocator} allocator
 * @property {number} workers
 * @property {number} kills in all
 * @property {number} batch how many at once
 * @property {number} seed
 * @property {number} [patience] milliseconds until a worker that does nothing counts as hanging
 */

/** @typedef {{ worker: any, ledger: import('./ledger.js').Ledger, done: Promise<string[]>, index: number }} Member */

/** Milliseconds that starting and ending may take at most, on a busy machine. */
const STARTING = 120_000;

const sleep = (/** @type {number} */ milliseconds) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Whether the worker has done so many operations in time.
 *
 * @param {Member} member
 * @param {number} wanted
 * @param {number} patience
 */
async function reaches({ ledger }, wanted, patience) {
  for (let seen; (seen = Atomics.load(ledger, PROGRESS)) < wanted;) {
    const { value } = /** @type {any} */ (Atomics).waitAsync(ledger, PROGRESS, seen, patience);
    if ((await value) === 'timed-out') return false;
  }
  return true;
}

export class Storm {
  /** @type {Member[]} */
  #members = [];
  #tag = 0;
  #wasHasty = false;

  /** @param {Settings} settings */
  constructor(settings) {
    this.settings = { patience: 60_000, ...settings };
    this.random = randomFrom(settings.seed);
    this.blocks = blocksOf(settings.allocator.memory);
    this.result = {
      kills: 0,
      /** Of these, workers that had attached; that had a block in hand; bytes of all these blocks. */
      attached: 0,
      inHand: 0,
      lost: 0,
      freed: 0,
      operations: 0,
      hangs: 0,
      /** @type {string[]} */
      violations: [],
      /** Bytes obtained after half of the kills, when all workers have had all they want at once; and in the end. */
      before: 0,
      after: 0,
    };
  }

  /** @returns what has been seen; no hang and no violation is a pass */
  async run() {
    const { allocator } = this.settings;
    try {
      await this.#rounds();
    } finally {
      await Promise.all(this.#members.map(({ worker }) => allocator.terminate(worker)));
    }
    this.result.after = allocator.obtained();
    return this.result;
  }

  async #rounds() {
    const { workers, kills, allocator } = this.settings;
    const { result } = this;
    await this.#fill(Array.from({ length: workers }, (_, index) => index));
    if (result.hangs) throw new Error('Workers did not start, before anybody was killed.');
    while (result.kills < kills && !result.hangs && !result.violations.length) {
      await this.#round();
      if (!result.before || result.kills <= kills / 2) result.before = allocator.obtained();
    }
    for (const { ledger } of this.#members) Atomics.store(ledger, STOP, 1);
    if (result.hangs) return;
    result.hangs++; // until all have ended in time
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, STARTING); // only where one hangs: it stays counted as a hang
      Promise.all(this.#members.map((member) => this.#end(member))).then(() => {
        result.hangs--;
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }

  /**
   * @param {number} index
   * @param {number} rest
   * @returns {Member}
   */
  #start(index, rest) {
    const { allocator, startWorker } = this.settings;
    const worker = startWorker();
    const ledger = createLedger();
    ledger[REST] = rest;
    const tag = (this.#tag = (this.#tag + 1) % 16000);
    const done = new Promise((resolve) => {
      worker.onmessage = worker.onerror = (/** @type {any} */ event) =>
        resolve(event.data?.failures ?? [`a worker failed: ${event.message ?? event}`]);
      // Node's workers are no event targets.
      worker.once?.('message', (/** @type {any} */ data) => resolve(data.failures));
      worker.once?.('error', (/** @type {any} */ error) => resolve([String(error)]));
    });
    const job = { ledger, seed: this.random(2 ** 32), tag, queue: allocator.queue };
    worker.postMessage({ handle: allocator.handleFor(worker, index), job });
    return { worker, ledger, done, index };
  }

  /** Some die, all others go on, and the dead are replaced. */
  async #round() {
    const { batch, kills, workers } = this.settings;
    await sleep(this.random(4)); // chooses the instant of the kill, waits for nothing
    const count = Math.min(batch, kills - this.result.kills);
    const first = this.random(workers);
    const victims = Array.from({ length: count }, (_, i) => this.#members[(first + i) % workers]);
    const survivors = this.#members.filter((member) => !victims.includes(member));
    await Promise.all(victims.map((victim) => this.#kill(victim)));
    await this.#goesOn(survivors, 2);
    if (this.result.hangs) return;
    for (const victim of victims) {
      await this.#settle(victim);
      if (this.result.hangs) return;
    }
    await this.#fill(victims.map(({ index }) => index));
  }

  /**
   * Starts workers for these places. Mostly the others sleep meanwhile, as starting takes long enough, and the new ones
   * sleep until all are there; now and then, but never twice in a row, nobody is waited for, and the next kill may find them starting.
   *
   * @param {number[]} places
   */
  async #fill(places) {
    const isHasty = this.result.kills > 0 && !this.#wasHasty && this.random(8) === 0;
    this.#wasHasty = isHasty;
    if (!isHasty) this.#rest(1);
    for (const index of places) this.#members[index] = this.#start(index, Number(!isHasty));
    if (isHasty) return;
    await this.#haveReached(
      places.map((index) => [this.#members[index], 1]),
      STARTING,
    );
    this.#rest(0);
    await this.#goesOn(this.#members, 2);
  }

  /** @param {0 | 1} rest */
  #rest(rest) {
    for (const { ledger } of this.#members.filter(Boolean)) {
      Atomics.store(ledger, REST, rest);
      Atomics.notify(ledger, REST);
    }
  }

  /** @param {Member} victim */
  async #kill({ worker, ledger }) {
    const { result } = this;
    const wasAttached = await this.settings.allocator.terminate(worker);
    result.kills++;
    result.attached += Number(wasAttached);
    result.operations += ledger[PROGRESS];
    result.inHand += Number(ledger[IN_HAND] !== 0);
    result.lost += ledger[IN_HAND];
  }

  /**
   * @param {Member[]} members
   * @param {number} operations that each must do from now on
   */
  async #goesOn(members, operations) {
    await this.#haveReached(
      members.map((member) => [member, Atomics.load(member.ledger, PROGRESS) + operations]),
    );
    const violated = members.filter(({ ledger }) => ledger[VIOLATIONS] > 0);
    for (const { ledger } of violated) Atomics.store(ledger, STOP, 1);
    for (const member of violated) this.result.violations.push(...(await this.#failures(member)));
  }

  /**
   * Of a member that was told to stop. One that does not hangs, as it may where another malloc's lock is a dead worker's.
   *
   * @param {Member} member
   * @returns {Promise<string[]>}
   */
  #failures({ done }) {
    return new Promise((resolve) => {
      const late = () => {
        this.result.hangs++;
        resolve(['a worker that had found something did not stop']);
      };
      const timer = setTimeout(late, this.settings.patience);
      done.then((failures) => {
        clearTimeout(timer);
        resolve(failures);
      });
    });
  }

  /**
   * @param {[Member, number][]} wanted how many operations each shall have done
   * @param {number} [patience]
   */
  async #haveReached(wanted, patience = this.settings.patience) {
    const all = wanted.map(([member, operations]) => reaches(member, operations, patience));
    this.result.hangs += (await Promise.all(all)).filter((reached) => !reached).length;
  }

  /**
   * What a dead worker held.
   *
   * @param {Member} member
   */
  async #settle({ ledger }) {
    if (ledger[VIOLATIONS]) this.result.violations.push('one that its finder took to the grave');
    for (let i = 0; i < BLOCKS; i++) {
      const { address, bytes, stamp } = readEntry(ledger, i);
      if (!address) continue;
      if (stamp && !isStamped(this.blocks(address, bytes), stamp)) {
        this.result.violations.push(`a dead worker's block at ${address} was overwritten`);
      }
      if (!(await this.#free(address))) return;
    }
  }

  /**
   * Tried again, once whoever has the lock, or its recovery, had a turn; a lock that nobody leaves is a hang.
   *
   * @param {number} address
   */
  async #free(address) {
    const { allocator, patience } = this.settings;
    const end = performance.now() + patience;
    while (isBusy(() => allocator.free(address))) {
      if (performance.now() > end) {
        this.result.hangs++;
        return false;
      }
      await sleep(1);
    }
    this.result.freed++;
    return true;
  }

  /** @param {Member} member */
  async #end({ done, ledger }) {
    this.result.violations.push(...(await done));
    this.result.operations += ledger[PROGRESS];
  }
}

/** @param {() => void} call */
function isBusy(call) {
  try {
    call();
    return false;
  } catch (error) {
    if (/** @type {any} */ (error).code === 'BUSY') return true;
    throw error;
  }
}
