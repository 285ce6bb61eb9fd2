/**
 * What a worker of a storm does until it is killed or told to stop: takes and gives back blocks of an allocator and,
 * with walloc, blocks of its heap that have references, and of its tiers, recycles these, makes them grow, publishes
 * and takes messages. Each block is full of one number, which nobody else writes; every one is looked at again.
 */
import {
  BLOCKS,
  IN_HAND,
  LARGE,
  PROGRESS,
  REST,
  SMALL,
  STOP,
  VIOLATIONS,
  blocksOf,
  clearEntry,
  enterBlock,
  enterStamp,
  isStamped,
  randomFrom,
  readEntry,
} from './ledger.js';

/** Refusals that belong to it: others pin, recycle, fill the queue and reach the budget. */
const EXPECTED = ['PINNED', 'STALE', 'BUDGET', 'BUSY'];

/**
 * @typedef {object} Heap
 * @property {(bytes: number) => number} malloc
 * @property {(address: number) => void} free
 * @property {(address: number, bytes: number) => number} [realloc]
 */

/**
 * @typedef {object} Job
 * @property {import('./ledger.js').Ledger} ledger
 * @property {number} seed
 * @property {number} tag no other worker's, below 2^15
 * @property {number} [queue] its handle
 */

/**
 * @param {Job} job
 * @param {Heap} heap
 * @param {WebAssembly.Memory} memory
 * @param {import('../../workers/walloc.js').Walloc} [walloc]
 */
export function work({ ledger, seed, tag, queue: handle }, heap, memory, walloc) {
  const random = randomFrom(seed);
  const block = blocksOf(memory);
  /** @type {string[]} */
  const failures = [];
  let count = 0;
  const nextStamp = () => (tag << 16) | (count = (count + 1) & 0xffff) | 0x40000000;

  /** @param {string} text */
  function violation(text) {
    Atomics.add(ledger, VIOLATIONS, 1);
    failures.push(`worker ${tag}: ${text}`);
  }

  /** @param {number} i @param {number} address @param {number} bytes */
  function stamp(i, address, bytes) {
    enterBlock(ledger, i, address, bytes);
    const number = nextStamp();
    block(address, bytes).fill(number);
    enterStamp(ledger, i, number);
  }

  /**
   * Of blocks that were taken as views: those have references, and lie elsewhere.
   *
   * @type {(import('../../workers/api/view.js').View | undefined)[]}
   */
  const views = [];

  /** @param {number} i @param {number} bytes */
  function take(i, bytes) {
    ledger[IN_HAND] = bytes;
    views[i] = walloc && random(2) ? walloc.heap.alloc(Int32Array, bytes / 4) : undefined;
    const address = (views[i]?.address ?? heap.malloc(bytes)) >>> 0;
    if (address) stamp(i, address, bytes);
    else violation(`no memory for ${bytes} bytes`);
    ledger[IN_HAND] = 0;
  }

  /** @param {number} i */
  function giveBack(i) {
    const { address, bytes, stamp: number } = readEntry(ledger, i);
    if (!isStamped(block(address, bytes), number)) {
      violation(`block of ${bytes} bytes at ${address} was overwritten`);
    }
    ledger[IN_HAND] = bytes;
    clearEntry(ledger, i);
    heap.free(address);
    if (views[i]?.valid) violation(`the view of ${bytes} bytes at ${address} outlives them`);
    ledger[IN_HAND] = 0;
  }

  /** @param {number} i @param {() => number} bytes */
  const change = (i, bytes) => (readEntry(ledger, i).address ? giveBack(i) : take(i, bytes()));

  const smallSize = () => 4 + 4 * random(random(4) ? 64 : 800);
  const largeSize = () => 33_000 + 4 * random(20_000);
  const small = () => change(random(SMALL), smallSize);
  const large = () => change(SMALL + random(LARGE), largeSize);

  function resize() {
    const i = random(SMALL);
    const { address, bytes, stamp: number } = readEntry(ledger, i);
    if (!address || views[i] || !heap.realloc) return;
    const wanted = smallSize();
    ledger[IN_HAND] = Math.max(bytes, wanted);
    clearEntry(ledger, i);
    const moved = heap.realloc(address, wanted) >>> 0;
    if (!isStamped(block(moved, Math.min(bytes, wanted)), number)) {
      violation(`block of ${bytes} bytes at ${address} lost its contents`);
    }
    stamp(i, moved, wanted);
    ledger[IN_HAND] = 0;
  }

  /** Operations, each as often as it stands here. */
  const operations = [small, small, small, small, small, large];
  if (heap.realloc) operations.push(resize);
  if (walloc) operations.push(...tierWork(walloc, random, nextStamp, violation));
  if (walloc && handle) operations.push(...queueWork(walloc, handle, random, nextStamp, violation));

  const step = () => {
    Atomics.add(ledger, PROGRESS, 1);
    Atomics.notify(ledger, PROGRESS);
    while (Atomics.load(ledger, REST)) Atomics.wait(ledger, REST, 1);
  };
  for (step(); !Atomics.load(ledger, STOP); step()) {
    try {
      operations[random(operations.length)]();
    } catch (error) {
      const { code } = /** @type {any} */ (error);
      if (!EXPECTED.includes(code)) violation(String(error));
    }
  }
  for (let i = 0; i < BLOCKS; i++) if (readEntry(ledger, i).address) giveBack(i);
  return failures;
}

/**
 * @param {import('../../workers/walloc.js').Walloc} walloc
 * @param {(below: number) => number} random
 * @param {() => number} nextStamp
 * @param {(text: string) => void} violation
 */
function tierWork({ render, scene, entity }, random, nextStamp, violation) {
  const tiers = [render, scene, entity];
  /** @type {import('../../workers/api/views.js').ViewOf<typeof Int32Array>[]} */
  const views = [];

  function take() {
    const view = tiers[random(3)].alloc(Int32Array, 1 + random(200));
    // Filled under a pin, or not at all: what has been recycled meanwhile is another's.
    const pin = arenaOf(view).pin();
    if (view.valid) {
      view.array.fill(nextStamp());
      views[random(16)] = view;
    }
    pin.unpin();
  }

  function look() {
    const view = views[random(16)];
    if (!view) return;
    const pin = arenaOf(view).pin();
    if (view.valid && !isStamped(view.array, view.array[0])) {
      violation(`view of ${view.length} words at ${view.address} was overwritten`);
    }
    pin.unpin();
  }

  /** @param {{ ref: { arena: number } }} view */
  const arenaOf = (view) => {
    const { arena } = view.ref; // throws STALE
    return tiers.find(({ handle }) => handle === arena) ?? scene;
  };

  function recycle() {
    const tier = tiers[random(3)];
    const how = random(8);
    if (how < 5) tier.reset();
    else if (how < 6) tier.rewind(tier.mark());
    else if (how < 7) tier.trim();
    else tier.reserve(100_000 + random(500_000));
  }

  return [take, take, look, () => void (random(8) || recycle())];
}

/**
 * @param {import('../../workers/walloc.js').Walloc} walloc
 * @param {number} handle
 * @param {(below: number) => number} random
 * @param {() => number} nextStamp
 * @param {(text: string) => void} violation
 */
function queueWork(walloc, handle, random, nextStamp, violation) {
  const queue = walloc.queue(handle);
  const { scene } = walloc;

  function publish() {
    const view = scene.alloc(Int32Array, 1 + random(50));
    const pin = scene.pin();
    if (view.valid) {
      view.array.fill(nextStamp());
      queue.publish(view);
    }
    pin.unpin();
  }

  function poll() {
    const pin = scene.pin();
    try {
      const view = queue.poll();
      if (view?.valid && !isStamped(/** @type {any} */ (view).array, view.get(0))) {
        violation(`message of ${view.length} words at ${view.address} was overwritten`);
      }
    } finally {
      pin.unpin();
    }
  }

  return [publish, poll];
}
