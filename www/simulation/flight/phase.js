/**
 * The flight on the page: the camera flies over level sections that workers build ahead of it and that are
 * recycled behind it. Once per animation frame it looks whether the workers are done; if so it draws what they
 * made, moves the camera on, and opens the next frame. It never waits.
 *
 * take-off: nothing is drawn until the first sections are there; flying; landing: the last sections leave.
 */
import { FrameGate, KIND, ORDER } from '../frame-gate.js';
import { ENTITY_PERIOD, shareOfRange, shareOut } from '../plan.js';
import { SectionBoard } from './board.js';
import { ADVANCE_MAX, LIVE_AHEAD } from './plan.js';
import { SectionRing } from './ring.js';
import { FlightVerifier } from './verifier.js';
import { FlightWorld } from './world.js';

/**
 * @typedef {import('../simulation.js').Run} Run
 * @typedef {import('../startup-phase.js').Model} Model
 * @typedef {import('./work.js').FlightReport} FlightReport
 */

/** Longest time that one frame may move the dragons and sparks on, however slow the machine. */
const STEP_MAX = 0.05;

export class FlightPhase {
  #run;
  #models;
  #flight;
  #control;
  #gate;
  #refs;
  #board;
  #world;
  #ring;
  #verifier;
  #frame = 0;
  #time = 0;
  #lastNow = 0;
  /** How far the camera is, in sections. */
  #at = 0;
  /** @type {'take-off' | 'flying' | 'landing' | 'landed'} */
  #state = 'take-off';
  /** @type {(value?: undefined) => void} */
  #resolve = () => {};
  /** @type {(error: unknown) => void} */
  #reject = () => {};

  /** @param {Run} run @param {Model[]} models */
  constructor(run, models) {
    const { walloc, group, stage } = run;
    this.#run = run;
    this.#models = models;
    this.#flight = { ...run.workload.flight, sections: run.sections };
    this.#control = walloc.createArena({ alignment: 64 });
    const gate = this.#control.alloc(Int32Array, FrameGate.words(group.size));
    const board = this.#control.alloc(Uint32Array, SectionBoard.words);
    gate.array.fill(0);
    board.array.fill(0);
    this.#refs = { gate: gate.ref, board: board.ref };
    this.#gate = new FrameGate(gate.array, group.size);
    this.#board = new SectionBoard(board.array);
    this.#world = new FlightWorld(stage, this.#flight);
    this.#ring = new SectionRing(walloc, this.#board, this.#world, group.size, this.#flight);
    this.#ring.onChange = run.onSection;
    this.#verifier = new FlightVerifier(run, this.#ring);
  }

  /** Starts the workers' loops; resolves when the last section is recycled and all have ended. */
  async run() {
    const { group, log, setFrameStep } = this.#run;
    const { sections, movers } = this.#flight;
    for (const slot of this.#ring.slots) this.#run.onSection(slot);
    const landed = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    /** @type {Promise<FlightReport[]>} */
    const reports = group.callAll('flight', (worker) => this.#shareOf(worker));
    reports.catch(this.#reject); // a worker that gives up ends the phase
    log(
      `Flying over ${sections} sections, ${(LIVE_AHEAD + 1) * movers} objects moving in those in sight`,
    );
    this.#lastNow = performance.now();
    this.#openNext(this.#lastNow);
    setFrameStep((now) => this.#tick(now));
    try {
      await landed;
    } finally {
      setFrameStep(null);
      this.#gate.end();
      this.#world.dispose();
    }
    this.#verifier.finish(await reports);
    this.#ring.destroy();
    this.#control.destroy();
    return this.#ring.counts;
  }

  /** @param {number} worker @returns {import('./work.js').FlightShare} */
  #shareOf(worker) {
    const { group } = this.#run;
    const { size } = group;
    const copies = this.#flight.skinned.map((item, index) => {
      const model = this.#models.find(({ name }) => name === item.model);
      if (!model) throw new Error(`no model ${item.model} to skin`);
      return { index, item, refs: model.refs, vertices: model.vertices };
    });
    return {
      ...this.#refs,
      workers: size,
      worker,
      flight: this.#flight,
      skinned: shareOut(copies, size, ({ vertices }) => vertices)[worker],
      movers: shareOfRange(this.#flight.movers, size, worker),
      sparks: shareOfRange(this.#flight.sparks, size, worker),
    };
  }

  /** @param {number} now in milliseconds */
  #tick(now) {
    if (this.#gate.hasFailed() || !this.#gate.isComplete()) return;
    try {
      this.#consume();
      if (this.#state === 'flying') this.#draw();
      this.#frame++;
      if (this.#state === 'landed') this.#resolve();
      else this.#openNext(now);
    } catch (error) {
      this.#reject(error);
    }
  }

  /** Takes the finished sections to the ring, and the blocks of the frame to the world. */
  #consume() {
    const { group, walloc } = this.#run;
    this.#verifier.frameCompleted();
    for (let worker = 0; worker < group.size; worker++) {
      for (const record of this.#gate.readRecords(worker)) {
        if (record.kind === KIND.SECTION) this.#ring.built(record);
        else if (record.kind === KIND.SECTION_READ) this.#ring.read(record);
        else this.#world.setBlock(record, walloc.view({ ...record, type: 'Float32Array' }).array);
      }
    }
  }

  #draw() {
    this.#run.stage.render();
    this.#verifier.afterDrawing(this.#frame);
  }

  /** @param {number} now */
  #openNext(now) {
    const { walloc, stage, onFlight } = this.#run;
    const elapsed = (now - this.#lastNow) / 1000;
    this.#lastNow = now;
    const step = Math.min(elapsed, STEP_MAX);
    this.#time += step;
    this.#move(elapsed);
    if (this.#state === 'flying') onFlight(Math.floor(this.#at), this.#flight.sections);

    walloc.render.reset();
    if (this.#frame % ENTITY_PERIOD === 0) walloc.entity.reset();
    const { orders } = this.#gate;
    orders[ORDER.TIME] = this.#time;
    orders[ORDER.STEP] = step;
    orders[ORDER.DETAIL] = stage.detail;
    this.#world.moveCamera(this.#at, this.#time);
    stage.cullingPlanes(orders.subarray(ORDER.PLANES, ORDER.PLANES + 24));
    this.#verifier.frameOpened(this.#state === 'flying');
    this.#gate.open(this.#frame + 1);
  }

  /** All workers are asleep at the gate: the moment to move on, and to recycle. @param {number} elapsed seconds */
  #move(elapsed) {
    const ring = this.#ring;
    if (this.#state === 'flying') this.#fly(elapsed);
    if (this.#state === 'landing') {
      if (ring.isEmpty) this.#state = 'landed'; // after one more frame, in which the workers see it
      ring.retire();
      return;
    }
    ring.advance(Math.floor(this.#at));
    if (this.#state === 'take-off' && ring.firstMissing(0) > LIVE_AHEAD) {
      this.#state = 'flying';
      this.#run.stage.show(this.#world);
      ring.advance(0);
    }
  }

  /** Never so far that the camera would see a section that is not there. @param {number} elapsed seconds */
  #fly(elapsed) {
    const missing = this.#ring.firstMissing(Math.floor(this.#at));
    const wanted = this.#at + Math.min(elapsed * this.#flight.speed, ADVANCE_MAX);
    const farthest = missing - LIVE_AHEAD - 1e-6;
    if (wanted > farthest) this.#verifier.waited++;
    this.#at = Math.min(wanted, farthest);
    if (this.#at >= this.#flight.sections) this.#state = 'landing';
  }
}
