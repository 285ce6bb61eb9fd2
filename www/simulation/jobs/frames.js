/**
 * A worker's part of the frames: waits at the gate, fills its share of the render tier, keeps its
 * particles and records in the entity tier, makes and reads textures in the scene tier.
 *
 * Called by workers only: it blocks in Atomics.wait until the page ends the frames.
 *
 * All tiers are reset by the page while every worker is between two frames (see frame-gate.js). So
 * the generation that a worker sees at the start of a frame must be the one at its end, and every
 * block of an earlier one must be refused: both are checked here, each frame.
 */
import { WallocStaleView } from '../../../workers/walloc.js';
import { FrameGate, KIND, ORDER } from '../frame-gate.js';
import { ENTITY_PERIOD, SCENE_PERIOD, TEXTURES } from '../plan.js';
import { Random, seedFor } from '../../shared/random.js';
import { EntityRecords } from './entity-records.js';
import { fillGems, gemTraits } from './gems.js';
import { PARTICLE_FLOATS, moveParticles, spawnParticles } from './particles.js';
import { boneMatrices, skinVertices } from './skinning.js';
import { TextureMaker, TextureReader } from './texture-work.js';

/**
 * @typedef {import('../../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../../../workers/walloc.js').View<any>} View
 * @typedef {import('../../../workers/api/views.js').ViewOf<Float32ArrayConstructor>} Floats
 * @typedef {import('../plan.js').Skinned} Skinned
 * @typedef {import('./streaming.js').ModelRefs} ModelRefs
 *
 * @typedef {{gate: any, workers: number, worker: number, seed: number,
 *   skinned: {index: number, item: Skinned, refs: ModelRefs}[], gems: [number, number],
 *   particles: [number, number], entities: number}} FrameShare what one worker is to do
 *
 * @typedef {{frames: number, blocks: number, bytes: number, entities: number, damaged: number,
 *   staleRefused: number, staleAccepted: number, generationChanges: number}} FrameReport
 */

export class FrameWork {
  #walloc;
  #share;
  #gate;

  /** @type {FrameReport} */
  #report = {
    frames: 0,
    blocks: 0,
    bytes: 0,
    entities: 0,
    damaged: 0,
    staleRefused: 0,
    staleAccepted: 0,
    generationChanges: 0,
  };

  /** @type {Floats | null} a block of the frame before, to be refused now */
  #old = null;
  /** @type {View | null} */
  #particles = null;
  #records;
  #traits;
  /** @type {(TextureMaker | TextureReader)[]} */
  #textureWork = [];

  /** @param {Walloc} walloc @param {FrameShare} share */
  constructor(walloc, share) {
    this.#walloc = walloc;
    this.#share = share;
    this.#gate = new FrameGate(walloc.view(share.gate).array, share.workers);
    this.#traits = gemTraits(...share.gems);
    const random = new Random(seedFor(share.seed, share.worker));
    this.#records = new EntityRecords(walloc.tier('entity'), share.worker, random);
  }

  /** Runs until the page ends the frames. @returns {FrameReport} */
  run() {
    let frame = 0;
    try {
      for (;;) {
        frame = this.#gate.waitForFrame(frame);
        if (frame === 0) break;
        this.#runFrame(frame - 1);
        this.#gate.finish();
      }
    } catch (error) {
      this.#gate.fail();
      throw error;
    }
    return { ...this.#report, entities: this.#records.made, damaged: this.#records.damaged };
  }

  /** @param {number} index of the frame, from 0 */
  #runFrame(index) {
    const { worker } = this.#share;
    const render = this.#walloc.tier('render');
    const generation = render.generation;
    this.#gate.clearRecords(worker);
    this.#checkOldBlock();

    const time = this.#gate.orders[ORDER.TIME];
    const step = this.#gate.orders[ORDER.STEP];
    this.#skin(time);
    this.#placeGems(time);
    this.#moveParticles(index, time, step);
    this.#records.runFrame(index % ENTITY_PERIOD, this.#share.entities);
    this.#workOnTextures(index);

    if (render.generation !== generation) this.#report.generationChanges++;
    this.#report.frames++;
  }

  /**
   * @param {'render' | 'scene' | 'entity'} tier
   * @param {number} length in floats
   */
  #alloc(tier, length) {
    const view = this.#walloc.tier(tier).alloc(Float32Array, length);
    this.#report.blocks++;
    this.#report.bytes += view.byteLength;
    return view;
  }

  /** A block from before the reset must be noticed as stale. */
  #checkOldBlock() {
    if (!this.#old) return;
    try {
      this.#old.get(0);
      this.#report.staleAccepted++;
    } catch (error) {
      if (!(error instanceof WallocStaleView)) throw error;
      this.#report.staleRefused++;
    }
    this.#old = null;
  }

  /** @param {number} time */
  #skin(time) {
    const { worker, skinned } = this.#share;
    for (const { index, item, refs } of skinned) {
      const sourcePositions = this.#walloc.view(refs.positions).array;
      const sourceNormals = this.#walloc.view(refs.normals).array;
      const positions = this.#alloc('render', sourcePositions.length);
      const normals = this.#alloc('render', sourceNormals.length);
      skinVertices(
        item,
        boneMatrices(item, time),
        sourcePositions,
        sourceNormals,
        positions.array,
        normals.array,
      );
      this.#gate.writeRecord(worker, KIND.POSITIONS, index, positions);
      this.#gate.writeRecord(worker, KIND.NORMALS, index, normals);
    }
  }

  /** @param {number} time */
  #placeGems(time) {
    const { worker, gems } = this.#share;
    const matrices = this.#alloc('render', (gems[1] - gems[0]) * 16);
    const planes = this.#gate.orders.subarray(ORDER.PLANES, ORDER.PLANES + 24);
    const visible = fillGems(this.#traits, time, planes, matrices.array);
    this.#gate.writeRecord(worker, KIND.GEMS, worker, matrices, visible);
    this.#old = matrices;
  }

  /** @param {number} index @param {number} time @param {number} step */
  #moveParticles(index, time, step) {
    const { worker, particles } = this.#share;
    if (index % ENTITY_PERIOD === 0 || !this.#particles) {
      this.#particles = this.#alloc('entity', (particles[1] - particles[0]) * PARTICLE_FLOATS);
      spawnParticles(this.#particles.array, particles[0], time);
    } else {
      moveParticles(this.#particles.array, step);
    }
    this.#gate.writeRecord(worker, KIND.PARTICLES, worker, this.#particles);
  }

  /** @param {number} index */
  #workOnTextures(index) {
    const { worker, workers } = this.#share;
    const epoch = this.#gate.orders[ORDER.EPOCH];
    if (index % SCENE_PERIOD === 0) {
      this.#textureWork = TEXTURES.flatMap((_, texture) => {
        const maker = (texture + epoch) % workers;
        const reader = (maker + 1) % workers;
        return [
          ...(maker === worker ? [new TextureMaker(this.#walloc, texture, epoch)] : []),
          ...(reader === worker ? [new TextureReader(this.#walloc, texture)] : []),
        ];
      });
    }
    for (const work of this.#textureWork) work.runFrame(this.#gate, worker);
  }
}
