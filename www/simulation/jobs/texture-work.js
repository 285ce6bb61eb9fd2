/**
 * One texture of a refill: made by one worker a slice each frame, then read by another.
 *
 * Each object belongs to one worker. Making and reading never overlap in time: the reader starts
 * when the page has published the finished texture, by way of the frame gate.
 */
import { KIND } from '../frame-gate.js';
import { TEXTURES } from '../plan.js';
import {
  CHECKSUM_START,
  MAKING_FRAMES,
  READING_FRAMES,
  checksumRows,
  fillRows,
  rowsOfStep,
  textureLook,
} from './textures.js';

/**
 * @typedef {import('../../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../frame-gate.js').FrameGate} FrameGate
 */

export class TextureMaker {
  #index;
  #look;
  #view;
  #step = 0;
  #checksum = CHECKSUM_START;

  /** Allocates the texture. @param {Walloc} walloc @param {number} index @param {number} epoch */
  constructor(walloc, index, epoch) {
    this.#index = index;
    this.#look = textureLook(index, epoch);
    this.#view = walloc.tier('scene').alloc(Uint32Array, TEXTURES[index].bytes / 4);
  }

  /** @param {FrameGate} gate @param {number} worker */
  runFrame(gate, worker) {
    if (this.#step === MAKING_FRAMES) return;
    const { size } = TEXTURES[this.#index];
    const [first, last] = rowsOfStep(size, this.#step++, MAKING_FRAMES);
    const texels = this.#view.array; // throws when the texture is stale
    fillRows(texels, size, first, last, this.#look);
    this.#checksum = checksumRows(this.#checksum, texels, size, first, last);
    if (this.#step === MAKING_FRAMES) {
      gate.writeRecord(worker, KIND.TEXTURE, this.#index, this.#view, this.#checksum);
    }
  }
}

export class TextureReader {
  #walloc;
  #index;
  #step = 0;
  #checksum = CHECKSUM_START;

  /** @param {Walloc} walloc @param {number} index */
  constructor(walloc, index) {
    this.#walloc = walloc;
    this.#index = index;
  }

  /** @param {FrameGate} gate @param {number} worker */
  runFrame(gate, worker) {
    const published = gate.readTexture(this.#index);
    if (!published || this.#step === READING_FRAMES) return;
    const view = this.#walloc.view({ ...published, type: 'Uint32Array' });
    const { size } = TEXTURES[this.#index];
    const [first, last] = rowsOfStep(size, this.#step++, READING_FRAMES);
    this.#checksum = checksumRows(this.#checksum, view.array, size, first, last);
    if (this.#step === READING_FRAMES) {
      gate.writeRecord(worker, KIND.TEXTURE_READ, this.#index, view, this.#checksum);
    }
  }
}
