/**
 * One workload, three ways to get its memory: each frame every object gets a matrix, which lives for the frame and
 * the two after it. What is computed is the same, number by number.
 *
 * Each way belongs to one thread. `frame` fills all matrices and returns a checksum of them.
 *
 * @typedef {{frame: (time: number) => number, end: () => void}} Way
 */
import { Walloc } from '../../workers/walloc.js';

const FLOATS = 16;
const BYTES = FLOATS * 4;

/** Frames that a matrix outlives its own by. */
const IN_FLIGHT = 2;

/** Writes an object's matrix. @param {Float32Array} out @param {number} at @param {number} object @param {number} time */
export function writeMatrix(out, at, object, time) {
  const angle = object * 0.37 + time;
  const cosine = Math.fround(Math.cos(angle));
  const sine = Math.fround(Math.sin(angle));
  for (let i = 0; i < FLOATS; i++) out[at + i] = 0;
  out[at] = cosine;
  out[at + 2] = sine;
  out[at + 5] = 1;
  out[at + 8] = -sine;
  out[at + 10] = cosine;
  out[at + 12] = object % 64;
  out[at + 14] = object >> 6;
  out[at + 15] = 1;
}

/** @param {number} sum @param {Float32Array} floats @param {number} at */
const add = (sum, floats, at) => (sum * 31 + Math.round(floats[at] * 4096)) | 0;

/** A JavaScript object with an array of its own for each object: the engine collects them some time. */
export class Objects {
  #count;
  /** @type {{object: number, matrix: Float32Array}[][]} */
  #alive = [];

  /** @param {number} count */
  constructor(count) {
    this.#count = count;
  }

  /** @param {number} time */
  frame(time) {
    const made = [];
    for (let object = 0; object < this.#count; object++) {
      const matrix = new Float32Array(FLOATS);
      writeMatrix(matrix, 0, object, time);
      made.push({ object, matrix });
    }
    this.#alive.push(made);
    if (this.#alive.length > IN_FLIGHT) this.#alive.shift();
    return made.reduce((sum, { matrix }) => add(sum, matrix, 0), 0);
  }

  end() {
    this.#alive = [];
  }
}

/** malloc and free for each object, by address. */
export class Malloc {
  #count;
  #walloc;
  #floats;
  /** @type {Uint32Array[]} */
  #alive = [];

  /** @param {number} count @param {Walloc} walloc with all its memory obtained */
  constructor(count, walloc) {
    this.#count = count;
    this.#walloc = walloc;
    this.#floats = new Float32Array(walloc.handle.memory.buffer);
  }

  /** @param {number} count */
  static async start(count) {
    const heap = count * BYTES * (IN_FLIGHT + 2) * 1.25 + 2 ** 20;
    const walloc = await Walloc.create({ maximum: 2 * heap + 2 ** 22, reserve: heap });
    walloc.scene.allocBytes(BYTES); // the reserve's shares are the tiers'; the rest is the heap's
    const way = new Malloc(count, walloc);
    way.#obtain();
    return way;
  }

  /** Has the memory grow now, so that one array covers it later. */
  #obtain() {
    const { heap } = this.#walloc;
    const all = Array.from({ length: this.#count * (IN_FLIGHT + 1) }, () => heap.malloc(BYTES));
    for (const block of all) heap.free(block);
    const { memory } = this.#walloc.handle;
    memory.grow(0);
    this.#floats = new Float32Array(memory.buffer);
  }

  /** @param {number} time */
  frame(time) {
    const { heap } = this.#walloc;
    const made = new Uint32Array(this.#count);
    let sum = 0;
    for (let object = 0; object < this.#count; object++) {
      const address = (made[object] = heap.malloc(BYTES));
      writeMatrix(this.#floats, address >>> 2, object, time);
      sum = add(sum, this.#floats, address >>> 2);
    }
    this.#alive.push(made);
    if (this.#alive.length > IN_FLIGHT) {
      for (const address of this.#alive.shift() ?? []) heap.free(address);
    }
    return sum;
  }

  end() {
    this.#walloc.detach();
  }
}

/** Walloc as it is meant: arenas with three frames in flight, of which each takes one block for all objects. */
export class Tier {
  #count;
  #walloc;
  #frames;

  /** @param {number} count @param {Walloc} walloc */
  constructor(count, walloc) {
    this.#count = count;
    this.#walloc = walloc;
    this.#frames = walloc.createFrames({ frames: IN_FLIGHT + 1 });
  }

  /** @param {number} count */
  static async start(count) {
    return new Tier(count, await Walloc.create({ maximum: 2 ** 28 }));
  }

  /** @param {number} time */
  frame(time) {
    this.#frames.advance();
    const matrices = this.#frames.arena.alloc(Float32Array, this.#count * FLOATS).array;
    let sum = 0;
    for (let object = 0, at = 0; object < this.#count; object++, at += FLOATS) {
      writeMatrix(matrices, at, object, time);
      sum = add(sum, matrices, at);
    }
    return sum;
  }

  end() {
    this.#walloc.detach();
  }
}

/** @type {Record<'objects' | 'malloc' | 'tier', (count: number) => Promise<Way>>} */
export const WAYS = {
  objects: async (count) => new Objects(count),
  malloc: (count) => Malloc.start(count),
  tier: (count) => Tier.start(count),
};
