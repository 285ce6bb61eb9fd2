/**
 * Makes a trace out of a raw record (interpose.c): the format that replay.c reads, described in README.md.
 * Only sizes, order and thread numbers are left: addresses become the numbers of slots in a table.
 */

/** As in interpose.c. */
const MALLOC = 1;
const FREE = 2;
const CALLOC = 3;
const ALIGNED = 4;
const LEAVE = 5;
const ENTER = 6;

const HEADER_BYTES = 24;
const RECORD_BYTES = 24;

/** What an operation's number begins with: its lowest two bits; two more for the rarer ones. */
const OP = { malloc: 0, free: 1, realloc: 2, calloc: 3, aligned: 7, thread: 11 };

/** The limits of replay.c. */
export const SLOTS_MAX = 1 << 16;
const SIZE_MAX = 2 ** 28 - 1;

/** A signed number as an unsigned one: 0, -1, 1, -2, ... @param {number} value */
const zigzag = (value) => (value < 0 ? -2 * value - 1 : 2 * value);

/** Bytes that grow; 64 KiB are there at the beginning. */
class Bytes {
  bytes = new Uint8Array(1 << 16);
  length = 0;

  /** @param {number} value seven bits in each byte, the lowest first @returns {void} */
  varint(value) {
    if (this.length + 8 > this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    for (; value > 127; value = Math.floor(value / 128)) {
      this.bytes[this.length++] = (value % 128) | 128;
    }
    this.bytes[this.length++] = value;
  }

  /** @param {Uint8Array} bytes @returns {void} */
  append(bytes) {
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  get used() {
    return this.bytes.subarray(0, this.length);
  }
}

/**
 * Writes the operations, as the process did them. A freed slot is the next one to be used, and new ones
 * are used in order, so that an allocation need not name its slot. Any other operation names it by its
 * distance from the slot of the operation before.
 */
class Writer {
  stream = new Bytes();
  operations = 0;
  slots = 0;
  live = 0;
  peak = 0;
  threads = 0;
  foreign = 0; // frees by another thread than the one that allocated
  /** @type {Record<string, number>} */
  kinds = { malloc: 0, calloc: 0, aligned: 0, realloc: 0, free: 0 };
  /** @type {number[]} how many were asked for with 2 ** (i - 1) < size <= 2 ** i */
  sizes = [];
  #last = 0;
  #thread = 0;
  /** @type {number[]} */
  #free = [];
  /** @type {{ size: number, thread: number }[]} by slot; a size of -1 is none */
  #blocks = [];

  /** @param {number} thread */
  onThread(thread) {
    this.threads = Math.max(this.threads, thread + 1);
    if (thread === this.#thread) return;
    this.#thread = thread;
    this.stream.varint(thread * 16 + OP.thread);
  }

  /** @param {number} slot @param {number} size */
  #hold(slot, size) {
    if (size > SIZE_MAX) throw new Error(`A block of ${size} bytes is more than a trace can have`);
    this.#blocks[slot] = { size, thread: this.#thread };
    this.live += size;
    this.peak = Math.max(this.peak, this.live);
    const bits = size <= 1 ? 0 : 32 - Math.clz32(size - 1);
    this.sizes[bits] = (this.sizes[bits] ?? 0) + 1;
    this.#last = slot;
    this.operations++;
  }

  /**
   * @param {'malloc' | 'calloc' | 'aligned'} kind
   * @param {number} size
   * @param {number} [alignment]
   * @returns {number} its slot
   */
  allocate(kind, size, alignment = 0) {
    const slot = this.#free.pop() ?? this.slots++;
    if (slot >= SLOTS_MAX) throw new Error(`More than ${SLOTS_MAX} blocks are alive at once`);
    if (kind === 'malloc') {
      this.stream.varint(size * 4 + OP.malloc);
    } else if (kind === 'calloc') {
      this.stream.varint(size * 16 + OP.calloc);
    } else {
      this.stream.varint(Math.log2(alignment) * 16 + OP.aligned);
      this.stream.varint(size);
    }
    this.kinds[kind]++;
    this.#hold(slot, size);
    return slot;
  }

  /** @param {number} slot @param {number} size */
  reallocate(slot, size) {
    this.stream.varint(zigzag(slot - this.#last) * 4 + OP.realloc);
    this.stream.varint(size);
    this.live -= this.#blocks[slot].size;
    this.kinds.realloc++;
    this.#hold(slot, size);
  }

  /** @param {number} slot */
  release(slot) {
    const { size, thread } = this.#blocks[slot];
    this.stream.varint(zigzag(slot - this.#last) * 4 + OP.free);
    this.live -= size;
    this.foreign += Number(thread !== this.#thread);
    this.#blocks[slot].size = -1;
    this.#free.push(slot);
    this.#last = slot;
    this.kinds.free++;
    this.operations++;
  }

  /** Frees what is left, so that the trace can be repeated. */
  finish() {
    const left = this.#blocks.flatMap((block, slot) => (block.size < 0 ? [] : [slot]));
    for (const slot of left) this.release(slot);
    return left.length;
  }
}

/**
 * @typedef {object} RawRecord
 * @property {number} address
 * @property {number} size
 * @property {number} alignment
 * @property {number} thread
 * @property {number} kind
 */

/**
 * The records of a raw file, one after the other.
 *
 * @param {Buffer} raw
 * @returns {Generator<RawRecord>}
 */
function* records(raw) {
  if (raw.toString('latin1', 0, 8) !== 'WRECORD1') throw new Error('Not a record of interpose.c');
  const capacity = Number(raw.readBigUInt64LE(8));
  const count = Math.min(capacity, Number(raw.readBigUInt64LE(16)));
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + i * RECORD_BYTES;
    yield {
      address: Number(raw.readBigUInt64LE(at)),
      size: Number(raw.readBigUInt64LE(at + 8)),
      alignment: raw.readUInt32LE(at + 16),
      thread: raw.readUInt16LE(at + 20),
      kind: raw.readUInt16LE(at + 22),
    };
  }
}

/**
 * @typedef {object} Block one that is alive
 * @property {'malloc' | 'calloc' | 'aligned'} kind
 * @property {number} size
 * @property {number} alignment
 * @property {number} thread that allocated it
 * @property {number} [slot] in the trace, once that has begun
 */

/**
 * Follows the process from its beginning, and has the writer write from some point on what it does. What
 * is alive at that point is allocated first, oldest first, so that the part does not begin with an empty
 * heap.
 */
class Follower {
  /** @type {Map<number, Block>} by address, oldest first */
  #alive = new Map();
  /** @type {Map<number, { address: number, block?: Block }>} by thread: what its realloc works on */
  #moving = new Map();
  #writing = false;
  #writer;

  /** @param {Writer} writer */
  constructor(writer) {
    this.#writer = writer;
  }

  begin() {
    this.#writing = true;
    for (const block of this.#alive.values()) this.#write(block);
  }

  /** @param {Block} block */
  #write(block) {
    this.#writer.onThread(block.thread);
    block.slot = this.#writer.allocate(block.kind, block.size, block.alignment);
  }

  /** @param {number} address @param {Block} block */
  #enter(address, block) {
    if (this.#alive.has(address)) throw new Error('A block was given out twice');
    this.#alive.set(address, block);
    if (this.#writing) this.#write(block);
  }

  /** @param {number} address @param {number} thread */
  #release(address, thread) {
    const slot = this.#alive.get(address)?.slot;
    this.#alive.delete(address);
    if (slot === undefined) return;
    this.#writer.onThread(thread);
    this.#writer.release(slot);
  }

  /**
   * The end of a realloc: the block has its slot still, or it failed.
   *
   * @param {number} address @param {number} size @param {number} thread
   */
  #arrive(address, size, thread) {
    const { block, address: before } = this.#moving.get(thread) ?? { address: 0 };
    this.#moving.delete(thread);
    if (address === 0) {
      if (block) this.#alive.set(before, block);
    } else if (block?.slot === undefined) {
      this.#enter(address, { kind: 'malloc', size, alignment: 0, thread });
    } else {
      this.#alive.set(address, block);
      this.#writer.onThread(thread);
      this.#writer.reallocate(block.slot, size);
    }
  }

  /** @param {RawRecord} record */
  follow({ address, size, alignment, thread, kind }) {
    if (kind === FREE) this.#release(address, thread);
    else if (kind === MALLOC) this.#enter(address, { kind: 'malloc', size, alignment, thread });
    else if (kind === CALLOC) this.#enter(address, { kind: 'calloc', size, alignment, thread });
    else if (kind === ALIGNED) this.#enter(address, { kind: 'aligned', size, alignment, thread });
    else if (kind === ENTER) this.#arrive(address, size, thread);
    else if (kind === LEAVE) {
      this.#moving.set(thread, { address, block: this.#alive.get(address) });
      this.#alive.delete(address);
    }
  }
}

/**
 * @param {Buffer} raw a file of interpose.c
 * @param {object} options
 * @param {string} options.name of the program
 * @param {number} options.operations at most, before what is left is freed
 * @param {number} [options.skip] records before the part begins
 */
export function compact(raw, { name, operations, skip = 0 }) {
  const writer = new Writer();
  const follower = new Follower(writer);
  let index = 0;
  for (const record of records(raw)) {
    if (index++ === skip) follower.begin();
    if (writer.operations >= operations) break;
    follower.follow(record);
  }
  const left = writer.finish();

  const trace = new Bytes();
  trace.append(Buffer.from('WTRACE'));
  trace.varint(1); // the version
  const label = Buffer.from(name);
  trace.varint(label.length);
  trace.append(label);
  trace.varint(writer.operations);
  trace.varint(writer.slots);
  trace.varint(writer.peak);
  trace.varint(writer.threads);
  trace.varint(writer.stream.length);
  const { slots, peak, threads, foreign, kinds, sizes } = writer;
  return {
    trace: Buffer.concat([trace.used, writer.stream.used]),
    numbers: { operations: writer.operations, slots, peak, threads, foreign, left, kinds, sizes },
  };
}
