/**
 * A worker's part of the flight: builds and reads sections, moves what moves above the live ones, bends the
 * dragons, keeps the sparks.
 *
 * Called by workers only: it blocks in Atomics.wait until the page ends the flight.
 *
 * What protects what is read here: blocks of the render and entity tier, and the live sections, are recycled by
 * the page only while every worker is between two frames (see frame-gate.js). Reading a whole section takes
 * longer than a frame, so it is done under a pin.
 */
import { FrameGate, KIND, ORDER } from '../frame-gate.js';
import { ENTITY_PERIOD } from '../plan.js';
import { moveParticles } from '../jobs/particles.js';
import { boneMatrices, skinVertices } from '../jobs/skinning.js';
import { COMMAND, SectionBoard } from './board.js';
import { moveMovers } from './movers.js';
import { LIVE_AHEAD, MATRIX_FLOATS, RING, sectionParts } from './plan.js';
import { SectionBuilder, SectionReader } from './section-work.js';
import { SPARK_FLOATS, spawnSparks } from './sparks.js';

/**
 * @typedef {import('../../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../plan.js').Flight} Flight
 * @typedef {import('../plan.js').Skinned} Skinned
 * @typedef {import('../jobs/streaming.js').ModelRefs} ModelRefs
 *
 * @typedef {{gate: any, board: any, workers: number, worker: number, flight: Flight,
 *   skinned: {index: number, item: Skinned, refs: ModelRefs}[], movers: [number, number],
 *   sparks: [number, number]}} FlightShare what one worker is to do
 *
 * @typedef {{frames: number, built: number, read: number, moved: number, drawn: number,
 *   scratchStale: number, scratchValid: number}} FlightReport
 */

export class FlightWork {
  #walloc;
  #share;
  #gate;
  #board;
  /** @type {FlightReport} */
  #report = {
    ...{ frames: 0, built: 0, read: 0, moved: 0, drawn: 0, scratchStale: 0, scratchValid: 0 },
  };
  /** By slot. @type {(SectionBuilder | SectionReader | null)[]} */
  #works = Array(RING).fill(null);
  /** @type {import('../../../workers/api/views.js').ViewOf<Float32ArrayConstructor> | null} */
  #sparks = null;

  /** @param {Walloc} walloc @param {FlightShare} share */
  constructor(walloc, share) {
    this.#walloc = walloc;
    this.#share = share;
    this.#gate = new FrameGate(walloc.view(share.gate).array, share.workers);
    this.#board = new SectionBoard(walloc.view(share.board).array);
  }

  /** Runs until the page ends the flight. @returns {FlightReport} */
  run() {
    let frame = 0;
    try {
      for (;;) {
        frame = this.#gate.waitForFrame(frame);
        if (frame === 0) return this.#report;
        this.#runFrame(frame - 1);
        this.#gate.finish();
      }
    } catch (error) {
      this.#gate.fail();
      throw error;
    }
  }

  /** @param {number} index of the frame, from 0 */
  #runFrame(index) {
    const { orders } = this.#gate;
    const time = orders[ORDER.TIME];
    this.#gate.clearRecords(this.#share.worker);
    for (let slot = 0; slot < RING; slot++) this.#workOnSection(slot);
    this.#moveMovers(time);
    this.#skin(time);
    this.#moveSparks(index, time, orders[ORDER.STEP]);
    this.#report.frames++;
  }

  /** @param {number} slot */
  #workOnSection(slot) {
    const { worker, flight } = this.#share;
    const entry = this.#board.read(slot);
    const before = this.#works[slot];
    if (before?.isDone) this.#endWork(slot, before);
    if (entry.worker === worker && !this.#works[slot]) {
      if (entry.command === COMMAND.BUILD)
        this.#works[slot] = new SectionBuilder(this.#walloc, slot, entry, flight);
      else if (entry.command === COMMAND.READ)
        this.#works[slot] = new SectionReader(this.#walloc, slot, entry);
    }
    this.#works[slot]?.runFrame(this.#gate, worker);
  }

  /** A frame later: by now the page has taken what was made. @param {number} slot @param {SectionBuilder | SectionReader} work */
  #endWork(slot, work) {
    this.#works[slot] = null;
    if (work instanceof SectionReader) {
      this.#report.read++;
      return;
    }
    this.#report.built++;
    if (work.isScratchStale) this.#report.scratchStale++;
    else this.#report.scratchValid++;
  }

  /** @param {number} time */
  #moveMovers(time) {
    const { worker, flight, movers } = this.#share;
    const { orders } = this.#gate;
    const [first, last] = movers;
    const most = (last - first) * (LIVE_AHEAD + 1);
    const matrices = this.#walloc.render.alloc(Float32Array, most * MATRIX_FLOATS);
    const { array } = matrices;
    const planes = orders.subarray(ORDER.PLANES, ORDER.PLANES + 24);
    const given = { time, planes, detail: orders[ORDER.DETAIL] };
    let drawn = 0;
    for (let slot = 0; slot < RING; slot++) {
      const { command, ref } = this.#board.read(slot);
      if (command !== COMMAND.MOVE) continue;
      const block = this.#walloc.view({ ...ref, type: 'Float32Array' }).array; // throws when stale
      drawn = moveMovers(sectionParts(block, flight).movers, first, last, given, array, drawn);
      this.#report.moved += last - first;
    }
    this.#report.drawn += drawn;
    this.#gate.writeRecord(worker, KIND.MOVERS, worker, matrices, drawn);
  }

  /** @param {number} time */
  #skin(time) {
    const { worker, skinned } = this.#share;
    for (const { index, item, refs } of skinned) {
      const [fromPositions, fromNormals] = [refs.positions, refs.normals].map(
        (ref) => this.#walloc.view(ref).array,
      );
      const positions = this.#walloc.render.alloc(Float32Array, fromPositions.length);
      const normals = this.#walloc.render.alloc(Float32Array, fromNormals.length);
      const bones = boneMatrices(item, time);
      skinVertices(item, bones, fromPositions, fromNormals, positions.array, normals.array);
      this.#gate.writeRecord(worker, KIND.POSITIONS, index, positions);
      this.#gate.writeRecord(worker, KIND.NORMALS, index, normals);
    }
  }

  /** @param {number} index @param {number} time @param {number} step */
  #moveSparks(index, time, step) {
    const { worker, sparks } = this.#share;
    if (index % ENTITY_PERIOD === 0 || !this.#sparks) {
      this.#sparks = this.#walloc.entity.alloc(
        Float32Array,
        (sparks[1] - sparks[0]) * SPARK_FLOATS,
      );
      spawnSparks(this.#sparks.array, sparks[0], time);
    } else {
      moveParticles(this.#sparks.array, step);
    }
    this.#gate.writeRecord(worker, KIND.PARTICLES, worker, this.#sparks);
  }
}
