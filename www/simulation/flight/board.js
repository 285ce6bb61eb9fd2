/**
 * What the workers are to do with each arena of the ring: a table in shared memory.
 *
 * The page writes it between two frames, the workers read it during one; the frame gate's FRAME orders every
 * plain write before the reads (see frame-gate.js). Nobody else writes.
 *
 * @typedef {{arena: number, address: number, length: number, low: number, high: number}} BlockRef
 * @typedef {{command: number, section: number, worker: number, arena: number, ref: BlockRef}} Entry
 *   worker: who builds or reads; arena: where to build; ref: the block that is there
 */
import { RING } from './plan.js';

/** REST: nothing. BUILD: one worker builds. MOVE: all move its movers. READ: one worker reads all of it. */
export const COMMAND = { REST: 0, BUILD: 1, MOVE: 2, READ: 3 };

const ENTRY_WORDS = 16; // a cache line

export class SectionBoard {
  #words;

  static words = RING * ENTRY_WORDS;

  /** @param {Uint32Array} words in shared memory, zero at first */
  constructor(words) {
    this.#words = words;
  }

  /** Page only. @param {number} slot @param {number} command @param {number} section @param {number} worker @param {number} arena */
  order(slot, command, section, worker, arena) {
    this.#words.set([command, section, worker, arena], slot * ENTRY_WORDS);
  }

  /** Page only. @param {number} slot @param {BlockRef} ref of the section's block, once it is built */
  publish(slot, { arena, address, length, low, high }) {
    this.#words.set([arena, address, length, low, high], slot * ENTRY_WORDS + 4);
  }

  /** @param {number} slot @returns {Entry} */
  read(slot) {
    const at = slot * ENTRY_WORDS;
    const [command, section, worker, arena, owner, address, length, low, high] =
      this.#words.subarray(at, at + ENTRY_WORDS);
    return { command, section, worker, arena, ref: { arena: owner, address, length, low, high } };
  }
}
