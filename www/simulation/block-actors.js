/**
 * What is drawn of the blocks that workers hand in each frame: skinned copies, instances, particles.
 *
 * Page only. A block of the render or entity tier is valid for one frame: it is uploaded by the render call that
 * follows `setBlock`, and nothing reads it after that. After a lost context three.js would upload again from what
 * may be recycled by now, so all is hidden then until it is handed in again.
 */
import {
  BufferAttribute,
  BufferGeometry,
  DynamicDrawUsage,
  Group,
  InstancedBufferAttribute,
  InstancedMesh,
  InterleavedBuffer,
  InterleavedBufferAttribute,
  Mesh,
  Points,
} from 'three';
import { KIND } from './frame-gate.js';
import { PARTICLE_FLOATS } from './jobs/particles.js';

/**
 * @typedef {import('./frame-gate.js').BlockRecord} BlockRecord
 * @typedef {{instance: import('three').BufferGeometry, render: import('three').Material,
 *   entity: import('three').Material, indexOf: (item: number) => BufferAttribute | null}} Looks
 *   what an instance looks like, the materials by tier, and the triangles of a copy
 */

export class BlockActors {
  /** The skinned copies and the instances. */
  group = new Group();
  /** Apart, as they may move with something else. */
  particles = new Group();

  #looks;
  /** @type {Map<number, Mesh>} */
  #copies = new Map();
  /** By worker. @type {Map<number, InstancedMesh>} */
  #instances = new Map();
  /** By worker. @type {Map<number, Points>} */
  #points = new Map();

  /** @param {Looks} looks */
  constructor(looks) {
    this.#looks = looks;
  }

  /** The skinned copies. @returns {Iterable<Mesh>} */
  get copies() {
    return this.#copies.values();
  }

  /**
   * Draws a block from the next render call on, until the next block in its place.
   *
   * @param {BlockRecord} record
   * @param {Float32Array} array
   */
  setBlock({ kind, item, extra }, array) {
    if (kind === KIND.POSITIONS) replaceArray(this.#copyOf(item), 'position', array);
    else if (kind === KIND.NORMALS) replaceArray(this.#copyOf(item), 'normal', array);
    else if (kind === KIND.GEMS || kind === KIND.MOVERS) this.#setInstances(item, extra, array);
    else if (kind === KIND.PARTICLES) this.#setParticles(item, array);
  }

  /** Draws nothing until it is handed in again. */
  hide() {
    for (const map of [this.#copies, this.#instances, this.#points]) {
      for (const object of map.values()) object.visible = false;
    }
  }

  dispose() {
    for (const instances of this.#instances.values()) instances.dispose();
    for (const copy of this.#copies.values()) copy.geometry.dispose();
    for (const points of this.#points.values()) points.geometry.dispose();
    for (const map of [this.#copies, this.#instances, this.#points]) map.clear();
    this.group.clear();
    this.particles.clear();
  }

  /** @param {number} item in the list of skinned copies */
  #copyOf(item) {
    let copy = this.#copies.get(item);
    if (!copy) {
      const geometry = new BufferGeometry();
      geometry.setIndex(this.#looks.indexOf(item)); // the scene tier's, uploaded once
      copy = new Mesh(geometry, this.#looks.render);
      copy.frustumCulled = false;
      this.#copies.set(item, copy);
      this.group.add(copy);
    }
    copy.visible = true;
    return copy;
  }

  /** @param {number} worker @param {number} visible @param {Float32Array} matrices */
  #setInstances(worker, visible, matrices) {
    let instances = this.#instances.get(worker);
    if (!instances) {
      instances = new InstancedMesh(this.#looks.instance, this.#looks.render, 0);
      instances.instanceMatrix = new InstancedBufferAttribute(matrices, 16).setUsage(
        DynamicDrawUsage,
      );
      instances.frustumCulled = false;
      this.#instances.set(worker, instances);
      this.group.add(instances);
    }
    const attribute = instances.instanceMatrix;
    attribute.array = matrices;
    attribute.clearUpdateRanges();
    attribute.addUpdateRange(0, visible * 16); // the rest of the block has nothing in it
    attribute.needsUpdate = true;
    instances.count = visible;
    instances.visible = visible > 0;
  }

  /** @param {number} worker @param {Float32Array} array */
  #setParticles(worker, array) {
    let points = this.#points.get(worker);
    if (!points) {
      const buffer = new InterleavedBuffer(array, PARTICLE_FLOATS).setUsage(DynamicDrawUsage);
      const geometry = new BufferGeometry();
      geometry.setAttribute('position', new InterleavedBufferAttribute(buffer, 3, 0));
      points = new Points(geometry, this.#looks.entity);
      points.frustumCulled = false;
      this.#points.set(worker, points);
      this.particles.add(points);
    }
    const position = /** @type {InterleavedBufferAttribute} */ (
      points.geometry.attributes.position
    );
    position.data.array = array;
    position.data.needsUpdate = true;
    points.visible = true;
  }
}

/**
 * Puts another array in place of an attribute's, of the same length after the first time.
 *
 * @param {Mesh} mesh @param {string} name @param {Float32Array} array
 */
function replaceArray({ geometry }, name, array) {
  const attribute = /** @type {BufferAttribute | undefined} */ (geometry.attributes[name]);
  if (attribute) {
    attribute.array = array;
    attribute.needsUpdate = true;
  } else {
    const created = new BufferAttribute(array, 3).setUsage(DynamicDrawUsage);
    geometry.setAttribute(name, created);
  }
}
