/**
 * A worker's work on one section: building it, or reading all of it again before it is recycled. A slice each
 * frame, so that no frame waits for a whole section.
 *
 * Each object belongs to one worker, and each arena of the ring has one builder at a time.
 */
import { KIND } from '../frame-gate.js';
import { CHECKSUM_START, checksumWords } from '../../shared/checksum.js';
import { fillCrystals, fillGrid, fillLand, fillMovers, gridIn } from './land.js';
import { scratchWords, sectionParts, sectionWords } from './plan.js';

/**
 * @typedef {import('../../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../frame-gate.js').FrameGate} FrameGate
 * @typedef {import('../plan.js').Flight} Flight
 * @typedef {import('./board.js').Entry} Entry
 */

/** Frames over which a section is built, and over which it is read. */
export const BUILDING_FRAMES = 3;
export const READING_FRAMES = 2;

/** @param {Float32Array} block */
const wordsOf = ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length);

/** The checksum of a section's block. @param {Float32Array} block */
const checksumOf = (block) => checksumWords(CHECKSUM_START, wordsOf(block));

export class SectionBuilder {
  #arena;
  #flight;
  #section;
  #slot;
  #block;
  #scratch;
  #step = 0;

  /**
   * Takes the section's block, declares it what is to be preserved, and takes scratch behind it: the compact
   * that follows keeps the one and throws the other away.
   *
   * @param {Walloc} walloc @param {number} slot @param {Entry} entry @param {Flight} flight
   */
  constructor(walloc, slot, { arena, section }, flight) {
    this.#arena = walloc.arena(arena);
    this.#flight = flight;
    this.#section = section;
    this.#slot = slot;
    this.#block = this.#arena.alloc(Float32Array, sectionWords(flight));
    this.#arena.preserve();
    this.#scratch = this.#arena.alloc(Float32Array, scratchWords(flight));
  }

  get isDone() {
    return this.#step === BUILDING_FRAMES;
  }

  /** Whether what was needed for building is known to be gone. For when the page has compacted the arena. */
  get isScratchStale() {
    return !this.#scratch.valid;
  }

  /** @param {FrameGate} gate @param {number} worker */
  runFrame(gate, worker) {
    const block = this.#block.array;
    const parts = sectionParts(block, this.#flight);
    const grid = gridIn(this.#scratch.array);
    if (this.#step === 0) {
      block.fill(0); // the gaps between the parts too: the checksum covers them
      fillGrid(grid, this.#section, this.#flight);
    } else if (this.#step === 1) {
      fillLand(parts, grid, this.#section, this.#flight);
    } else {
      fillCrystals(parts.crystals, this.#section);
      fillMovers(parts.movers, this.#section);
      gate.writeRecord(worker, KIND.SECTION, this.#slot, this.#block, checksumOf(block));
    }
    this.#step++;
  }
}

/**
 * Reads a section from its first frame to its last under a pin: in between the page may ask for the arena to
 * be reset, and is refused.
 */
export class SectionReader {
  #slot;
  #view;
  #pin;
  #checksum = CHECKSUM_START;
  #step = 0;

  /** @param {Walloc} walloc @param {number} slot @param {Entry} entry */
  constructor(walloc, slot, { ref }) {
    this.#slot = slot;
    this.#pin = walloc.arena(ref.arena).pin();
    this.#view = walloc.view({ ...ref, type: 'Float32Array' }); // behind the pin: valid until it ends
  }

  get isDone() {
    return this.#step === READING_FRAMES;
  }

  /** @param {FrameGate} gate @param {number} worker */
  runFrame(gate, worker) {
    const words = wordsOf(this.#view.array);
    const first = Math.floor((words.length * this.#step) / READING_FRAMES);
    const last = Math.floor((words.length * ++this.#step) / READING_FRAMES);
    this.#checksum = checksumWords(this.#checksum, words.subarray(first, last));
    if (!this.isDone) return;
    gate.writeRecord(worker, KIND.SECTION_READ, this.#slot, this.#view, this.#checksum);
    this.#pin.unpin();
  }
}
