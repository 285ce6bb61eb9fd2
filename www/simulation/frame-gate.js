/**
 * How a frame goes from the page to its workers and back: one small block of shared memory.
 *
 *   page                                     worker
 *   ----                                     ------
 *   write the orders                         sleep on FRAME (Atomics.wait)
 *   open(n): DONE = 0, FRAME = n, wake       wake, read the orders
 *   isComplete()? (once per animation        allocate, fill, write records of the blocks
 *   frame; the page never waits)             finish(): DONE + 1
 *   read the records, upload, draw
 *   reset the tiers, open(n + 1)
 *
 * So the tiers are reset only between the last use of a frame's blocks and the first allocation of
 * the next frame, and every plain write is ordered by DONE or FRAME before the plain read that
 * depends on it. Orders and records are written by one side at a time.
 *
 * @typedef {import('../../workers/walloc.js').View<any>} View
 *
 * @typedef {{kind: number, item: number, extra: number, arena: number, address: number,
 *   length: number, low: number, high: number}} BlockRecord `length` in elements
 */

const FRAME = 0;
const DONE = 1;
const FAILED = 2;
const ENDED = -1;

const ORDERS = 16; // in words; the gate has a cache line to itself
const TEXTURE_TABLE = 80;
const TEXTURE_WORDS = 8;
const RECORDS = 128;
const RECORD_WORDS = 8;
const RECORDS_MAX = 63;
const WORKER_WORDS = (RECORDS_MAX + 1) * RECORD_WORDS;

/** What a record's block holds. */
export const KIND = {
  POSITIONS: 1, // of the skinned copy `item`
  NORMALS: 2, // of the skinned copy `item`
  GEMS: 3, // matrices, `extra` of them visible
  PARTICLES: 4, // place and speed
  TEXTURE: 5, // texture `item` is complete, `extra` is its checksum
  TEXTURE_READ: 6, // texture `item` was read by another worker, with the checksum `extra`
  SECTION: 7, // the section in arena `item` of the ring is built, `extra` is its checksum
  SECTION_READ: 8, // it was read before it is recycled, with the checksum `extra`
  MOVERS: 9, // matrices, `extra` of them visible
};

/** Words of the orders, all float32 but the last ones. */
export const ORDER = { TIME: 0, STEP: 1, PLANES: 2, EPOCH: 32, DETAIL: 33 };

export class FrameGate {
  #words;
  #workers;

  /** @param {number} workers @returns {number} 32-bit words that a gate needs */
  static words(workers) {
    return RECORDS + workers * WORKER_WORDS;
  }

  /**
   * @param {Int32Array} words in shared memory, zero at first
   * @param {number} workers
   */
  constructor(words, workers) {
    this.#words = words;
    this.#workers = workers;
    const { buffer, byteOffset } = words;
    /** @type {Float32Array} what the workers are to do; see ORDER */
    this.orders = new Float32Array(buffer, byteOffset + ORDERS * 4, TEXTURE_TABLE - ORDERS);
  }

  // ---- the page's side ----

  /** @param {number} frame 1 or more, another one each time */
  open(frame) {
    Atomics.store(this.#words, DONE, 0);
    Atomics.store(this.#words, FRAME, frame);
    Atomics.notify(this.#words, FRAME);
  }

  /** True when all workers have finished the frame; their records can be read then. */
  isComplete() {
    return Atomics.load(this.#words, DONE) === this.#workers;
  }

  /** True when some worker has given up; it has told why in the answer to its call. */
  hasFailed() {
    return Atomics.load(this.#words, FAILED) !== 0;
  }

  /** No more frames: the workers leave their loops. */
  end() {
    Atomics.store(this.#words, FRAME, ENDED);
    Atomics.notify(this.#words, FRAME);
  }

  /**
   * @param {number} worker
   * @returns {BlockRecord[]}
   */
  readRecords(worker) {
    const base = RECORDS + worker * WORKER_WORDS;
    return Array.from({ length: this.#words[base] }, (_, i) => {
      const at = base + (i + 1) * RECORD_WORDS;
      const [kind, item, extra, arena, address, length, low, high] = this.#words.subarray(
        at,
        at + RECORD_WORDS,
      );
      return {
        kind,
        item,
        extra: extra >>> 0,
        arena: arena >>> 0,
        address: address >>> 0,
        length: length >>> 0,
        low: low >>> 0,
        high: high >>> 0,
      };
    });
  }

  /** @param {number} index @param {BlockRecord} record of a complete texture, for its reader */
  publishTexture(index, { arena, address, length, low, high }) {
    this.#words.set([1, arena, address, length, low, high], this.#textureAt(index));
  }

  /** Takes all published textures back. */
  withdrawTextures() {
    this.#words.fill(0, TEXTURE_TABLE, RECORDS);
  }

  // ---- the workers' side ----

  /**
   * Sleeps until there is another frame than the last.
   *
   * @param {number} last
   * @returns {number} the frame, or 0 when there are no more
   */
  waitForFrame(last) {
    let frame = last;
    while (frame === last) {
      Atomics.wait(this.#words, FRAME, last);
      frame = Atomics.load(this.#words, FRAME);
    }
    return frame === ENDED ? 0 : frame;
  }

  /** Empties this worker's records, at the start of its frame. @param {number} worker */
  clearRecords(worker) {
    this.#words[RECORDS + worker * WORKER_WORDS] = 0;
  }

  /**
   * @param {number} worker
   * @param {number} kind
   * @param {number} item
   * @param {View} view
   * @param {number} [extra]
   */
  writeRecord(worker, kind, item, view, extra = 0) {
    const base = RECORDS + worker * WORKER_WORDS;
    const count = this.#words[base] + 1;
    if (count > RECORDS_MAX) throw new Error('too many blocks for the records of one frame');
    const { arena, address, length, low, high } = view.ref;
    this.#words.set(
      [kind, item, extra, arena, address, length, low, high],
      base + count * RECORD_WORDS,
    );
    this.#words[base] = count;
  }

  /** This worker has done its part of the frame. */
  finish() {
    Atomics.add(this.#words, DONE, 1);
  }

  /** This worker cannot go on. */
  fail() {
    Atomics.store(this.#words, FAILED, 1);
  }

  /**
   * @param {number} index
   * @returns {{arena: number, address: number, length: number, low: number, high: number} | null}
   *   a published texture
   */
  readTexture(index) {
    const at = this.#textureAt(index);
    const [published, arena, address, length, low, high] = new Uint32Array(
      this.#words.slice(at, at + TEXTURE_WORDS).buffer,
    );
    return published ? { arena, address, length, low, high } : null;
  }

  /** @param {number} index */
  #textureAt(index) {
    return TEXTURE_TABLE + index * TEXTURE_WORDS;
  }
}
