/**
 * The control block of src/exports/control.h, found in the shared memory by its address alone.
 *
 * No call into the module: what is read here can be read while every thread of the program hangs. All
 * reads are plain, of words that other threads may be writing: a number may be a moment old, or belong
 * to a moment after that of its neighbour.
 */
import { WallocError } from '../api/errors.js';

const MAGIC = 0x50414d57;
const VERSION = 1;

/** The fields of version 1, in their order; each is one word. */
const FIELDS = /** @type {const} */ ([
  'magic',
  'version',
  'size',
  'pageSize',
  'mapLow',
  'mapLowCount',
  'mapHigh',
  'state',
  'arenas',
  'arenaCount',
  'arenaSize',
  'chunksMax',
  'levelsMax',
  'cursor',
  'alignmentMask',
  'softBudget',
  'hardBudget',
  'serial',
  'preserved',
  'counters',
  'chunks',
  'start',
  'history',
  'historySize',
  'threads',
  'threadsMax',
  'threadBlockSize',
  'laneSize',
  'lanes',
  'maximum',
]);

/**
 * What the map is read from: walloc.handle is one.
 *
 * @typedef {{memory: WebAssembly.Memory, control: number}} MapSource
 *
 * @typedef {Record<typeof FIELDS[number], number>} ControlBlock
 */

export class Control {
  #memory;
  #address;

  /**
   * Throws WallocError (LAYOUT) where there is no control block of this version.
   *
   * @param {MapSource} source
   */
  constructor({ memory, control }) {
    this.#memory = memory;
    this.#address = control;
    const { magic, version, size } = this.read();
    if (magic !== MAGIC || version !== VERSION || size < FIELDS.length * 4) {
      throw new WallocError(
        'LAYOUT',
        `There is no control block of version ${VERSION} at ${control}: use the map that came with this walloc.wasm.`,
      );
    }
  }

  /** The memory as it is now. @returns {ArrayBufferLike} */
  get buffer() {
    this.#memory.grow(0); // by nothing: brings `buffer` up to date in every engine
    return this.#memory.buffer;
  }

  /** @returns {ControlBlock} */
  read() {
    const words = new Uint32Array(this.#memory.buffer, this.#address, FIELDS.length);
    return /** @type {ControlBlock} */ (
      Object.fromEntries(FIELDS.map((name, i) => [name, words[i]]))
    );
  }
}
