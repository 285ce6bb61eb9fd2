/**
 * Start-up: streams model files from the network straight into the scene tier.
 *
 * Called by workers, several at once; each file is one worker's. Nothing is collected or copied on
 * the way: every piece that arrives is written to its final place in shared memory.
 */
import { CHECKSUM_START, checksumArray, checksumText } from '../../shared/checksum.js';

/**
 * @typedef {import('../../../workers/walloc.js').Arena} Arena
 * @typedef {import('../../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../plan.js').ModelEntry} ModelEntry
 * @typedef {{positions: any, normals: any, indices: any}} ModelRefs references to blocks
 * @typedef {{name: string, refs: ModelRefs, pieces: number, milliseconds: number}} LoadedModel
 */

/** Takes the pieces of a stream and puts them, one behind the other, into several byte arrays. */
class Scatter {
  #targets;
  #target = 0;
  #filled = 0;

  /** @param {Uint8Array[]} targets */
  constructor(targets) {
    this.#targets = targets;
  }

  get isFull() {
    return this.#target === this.#targets.length;
  }

  /** @param {Uint8Array} piece */
  write(piece) {
    let rest = piece;
    while (rest.length > 0) {
      if (this.isFull) throw new Error('the file is longer than the manifest says');
      const target = this.#targets[this.#target];
      const part = rest.subarray(0, target.length - this.#filled);
      target.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === target.length) {
        this.#target++;
        this.#filled = 0;
      }
    }
  }
}

/**
 * @param {Arena} scene
 * @param {URL} folder of the models
 * @param {ModelEntry} model
 * @returns {Promise<LoadedModel>}
 */
export async function streamModel(scene, folder, model) {
  const started = performance.now();
  const positions = scene.alloc(Float32Array, model.vertices * 3);
  const normals = scene.alloc(Float32Array, model.vertices * 3);
  const indices = scene.alloc(Uint32Array, model.triangles * 3);
  const parts = [positions, normals, indices].map((view) => view.array);

  const response = await fetch(new URL(model.file, folder));
  if (!response.ok || !response.body) throw new Error(`${model.file}: HTTP ${response.status}`);
  const scatter = new Scatter(
    parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)),
  );
  let pieces = 0;
  const reader = response.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    scatter.write(read.value);
    pieces++;
  }
  if (!scatter.isFull) throw new Error(`${model.file}: shorter than the manifest says`);

  const refs = { positions: positions.ref, normals: normals.ref, indices: indices.ref };
  const found = modelChecksum(parts);
  if (found !== model.checksum) {
    throw new Error(`${model.file}: checksum ${found}, the manifest says ${model.checksum}`);
  }
  return { name: model.name, refs, pieces, milliseconds: performance.now() - started };
}

/** @param {ArrayBufferView[]} parts positions, normals, indices @returns {string} */
function modelChecksum(parts) {
  return checksumText(parts.reduce(checksumArray, CHECKSUM_START));
}

/**
 * The checksum of a model as it is in shared memory now. Throws when a reference is stale.
 *
 * @param {Walloc} walloc
 * @param {ModelRefs} refs
 */
export function checksumOfModel(walloc, { positions, normals, indices }) {
  return modelChecksum([positions, normals, indices].map((ref) => walloc.view(ref).array));
}
