/**
 * What is checked while the frames run: each frame's blocks, the textures' two checksums, a sample
 * of the skinned vertices, the picture itself, and at the end what the workers report.
 *
 * Page only. Reads, never writes.
 */
import { KIND } from './frame-gate.js';
import { ENTITY_PERIOD, SCENE_PERIOD, TEXTURES } from './plan.js';
import { boneMatrices, skinVertices } from './jobs/skinning.js';
import { MAKING_FRAMES, READING_FRAMES } from './jobs/textures.js';
import { Random } from '../shared/random.js';

/**
 * @typedef {import('./simulation.js').Run} Run
 * @typedef {import('./startup-phase.js').Model} Model
 * @typedef {import('./frame-gate.js').BlockRecord} BlockRecord
 * @typedef {import('./jobs/frames.js').FrameReport} FrameReport
 * @typedef {import('../../workers/walloc.js').View<any>} View
 */

export const FRAME_CHECKS = {
  frames: 'Every frame was filled by all workers and drawn',
  picture: 'The picture is not blank',
  overlap: 'No two blocks of a frame overlap, and all are aligned as their tier says',
  skinned: 'Skinned vertices are what the page computes for them',
  generation: 'No tier was reset while a worker was using it',
  stale: 'Every view from before a reset is refused as stale',
  entityResets: `The entity tier was reset every ${ENTITY_PERIOD}th frame, its records intact until then`,
  compactions: `The scene tier was compacted to the models every ${SCENE_PERIOD}th frame`,
  textures: 'Textures of 4, 16 and 64 MiB refilled it; a second worker reads what the first wrote',
};

const ALIGNMENTS = { render: 128, scene: 64, entity: 8 };
const PICTURE_PERIOD = 30;

/** The blocks of one frame. */
class FrameBlocks {
  /** @type {{start: number, end: number}[]} */
  #intervals = [];
  #verifier;
  #time;

  /** @param {FrameVerifier} verifier @param {number} time that the workers computed for */
  constructor(verifier, time) {
    this.#verifier = verifier;
    this.#time = time;
  }

  /** @param {BlockRecord} record @param {View} view */
  add(record, view) {
    const start = view.address;
    this.#intervals.push({ start, end: start + view.byteLength });
    const tier = record.kind === KIND.PARTICLES ? 'entity' : 'render';
    if (start % ALIGNMENTS[tier] !== 0) this.#verifier.misplaced++;
    if (record.kind === KIND.POSITIONS) this.#verifier.sampleVertex(record, view, this.#time);
  }

  end() {
    const sorted = this.#intervals.sort((a, b) => a.start - b.start);
    for (let i = 1; i < sorted.length; i++) {
      if (sorted[i].start < sorted[i - 1].end) this.#verifier.misplaced++;
    }
    this.#verifier.blocks += sorted.length;
  }
}

export class FrameVerifier {
  #run;
  #models;
  #random;

  misplaced = 0;
  blocks = 0;
  #samples = 0;
  #wrongSamples = 0;
  #pictures = 0;
  #blankPictures = 0;
  #refills = 0;
  #made = TEXTURES.map(() => 0);
  #read = TEXTURES.map(() => 0);
  #checksums = TEXTURES.map(() => 0);
  #wrongTextures = 0;
  /** @type {View | null} */
  #old = null;
  #staleRefused = 0;
  #staleAccepted = 0;

  /** @param {Run} run @param {Model[]} models */
  constructor(run, models) {
    this.#run = run;
    this.#models = models;
    this.#random = new Random(run.seed);
  }

  /** @param {number} time @returns {FrameBlocks} */
  beginFrame(time) {
    if (this.#old) {
      if (this.#old.valid) this.#staleAccepted++;
      else this.#staleRefused++;
    }
    this.#old = null;
    return new FrameBlocks(this, time);
  }

  /**
   * Computes one vertex of a skinned copy again: the worker must have come to the same numbers.
   *
   * @param {BlockRecord} record @param {View} view @param {number} time
   */
  sampleVertex(record, view, time) {
    this.#old = view;
    const item = this.#run.workload.skinned[record.item];
    const model = this.#models.find(({ name }) => name === item.model);
    if (!model) throw new Error(`no model ${item.model}`);
    const positions = this.#run.walloc.view(model.refs.positions).array;
    const normals = this.#run.walloc.view(model.refs.normals).array;
    const vertex = this.#random.below(model.vertices);
    const expected = new Float32Array(3);
    const bones = boneMatrices(item, time);
    skinVertices(
      item,
      bones,
      positions,
      normals,
      expected,
      new Float32Array(3),
      vertex,
      vertex + 1,
    );
    this.#samples++;
    if (expected.some((value, axis) => value !== view.array[vertex * 3 + axis])) {
      this.#wrongSamples++;
    }
  }

  /** Right after drawing, while the picture can still be read. @param {number} frame */
  afterDrawing(frame) {
    if (frame % PICTURE_PERIOD !== 0) return;
    this.#pictures++;
    if (this.#run.stage.countColours() < 8) this.#blankPictures++;
  }

  beginRefill() {
    this.#refills++;
  }

  /** @param {number} index @param {number} checksum */
  textureMade(index, checksum) {
    this.#made[index]++;
    this.#checksums[index] = checksum;
  }

  /** @param {number} index @param {number} checksum */
  textureRead(index, checksum) {
    this.#read[index]++;
    if (checksum !== this.#checksums[index]) this.#wrongTextures++;
  }

  /**
   * @param {FrameReport[]} reports one of each worker
   * @param {{frames: number, entityResets: number, compactions: number}} page
   */
  finish(reports, { frames, entityResets, compactions }) {
    const { checks, log } = this.#run;
    const sum = (/** @type {keyof FrameReport} */ key) =>
      reports.reduce((total, report) => total + report[key], 0);
    const staleAccepted = sum('staleAccepted') + this.#staleAccepted;
    const staleRefused = sum('staleRefused') + this.#staleRefused;
    checks.report(
      'frames',
      reports.every((report) => report.frames === frames),
      `${frames} frames by ${reports.length} workers, ${sum('blocks').toLocaleString('en')} blocks`,
    );
    checks.report('picture', this.#blankPictures === 0, `${this.#pictures} pictures looked at`);
    checks.report(
      'overlap',
      this.misplaced === 0 && this.blocks > 0,
      `${this.blocks.toLocaleString('en')} blocks compared, ${this.misplaced} misplaced`,
    );
    checks.report(
      'skinned',
      this.#wrongSamples === 0 && this.#samples > 0,
      `${this.#samples} vertices computed again, ${this.#wrongSamples} differ`,
    );
    const changes = sum('generationChanges');
    checks.report('generation', changes === 0, `${changes} resets seen in the middle of a frame`);
    checks.report(
      'stale',
      staleAccepted === 0 && staleRefused > 0,
      `${staleRefused} stale views refused, ${staleAccepted} accepted`,
    );
    checks.report(
      'entityResets',
      entityResets === Math.ceil(frames / ENTITY_PERIOD) && sum('damaged') === 0,
      `${entityResets} resets, ${sum('entities').toLocaleString('en')} records, ${sum('damaged')} damaged`,
    );
    checks.report(
      'compactions',
      compactions === Math.ceil(frames / SCENE_PERIOD),
      `${compactions} compactions`,
    );
    this.#reportTextures(frames);
    log(`${frames} frames drawn, ${(sum('bytes') / 2 ** 20).toFixed(0)} MiB allocated by workers`);
  }

  /** @param {number} frames */
  #reportTextures(frames) {
    // The last refill may have had too few frames to be finished.
    const due = Math.floor((frames - MAKING_FRAMES - READING_FRAMES) / SCENE_PERIOD) + 1;
    const made = Math.min(...this.#made);
    const read = Math.min(...this.#read);
    this.#run.checks.report(
      'textures',
      made >= due && read >= due && due > 0 && this.#wrongTextures === 0,
      `${made} of ${this.#refills} refills finished, ${read} read again, ${this.#wrongTextures} differ`,
    );
  }
}
