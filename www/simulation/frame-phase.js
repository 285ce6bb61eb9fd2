/**
 * Phase 2 on the page: frames. Once per animation frame it looks whether the workers are done; if so
 * it uploads and draws what they made, throws the tiers away that are due, and opens the next frame.
 * It never waits.
 */
import { FrameGate, KIND, ORDER } from './frame-gate.js';
import { FrameVerifier } from './frame-verifier.js';
import { ENTITY_PERIOD, SCENE_PERIOD, TEXTURES, shareOfRange, shareOut } from './plan.js';

/**
 * @typedef {import('./simulation.js').Run} Run
 * @typedef {import('./startup-phase.js').Model} Model
 * @typedef {import('./frame-gate.js').BlockRecord} BlockRecord
 */

/** Longest time that one frame may move the scene on, however slow the machine. */
const STEP_MAX = 0.05;

export class FramePhase {
  #run;
  #models;
  #gate;
  #gateRef;
  #verifier;
  #frame = 0;
  #time = 0;
  #lastNow = 0;
  #preserved;
  #entityResets = 0;
  #compactions = 0;
  /** @type {(value?: undefined) => void} */
  #resolve = () => {};
  /** @type {(error: unknown) => void} */
  #reject = () => {};

  /** @param {Run} run @param {Model[]} models */
  constructor(run, models) {
    this.#run = run;
    this.#models = models;
    const control = run.walloc.createArena({ alignment: 64 });
    const view = control.alloc(Int32Array, FrameGate.words(run.group.size));
    view.array.fill(0);
    this.#gateRef = view.ref;
    this.#gate = new FrameGate(view.array, run.group.size);
    this.#verifier = new FrameVerifier(run, models);
    this.#preserved = run.walloc.tier('scene').stats().preserved;
  }

  get frame() {
    return this.#frame;
  }

  /** Starts the workers' loops; resolves when the last frame has been drawn and all have ended. */
  async run() {
    const { group, frames, log, setFrameStep } = this.#run;
    const drawn = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const reports = group.callAll('frames', (worker) => this.#shareOf(worker));
    reports.catch(this.#reject); // a worker that gives up ends the phase
    log(`Drawing ${frames} frames`);
    this.#lastNow = performance.now();
    this.#openNext(this.#lastNow);
    setFrameStep((now) => this.#tick(now));
    try {
      await drawn;
    } finally {
      setFrameStep(null);
      this.#gate.end();
    }
    this.#verifier.finish(await reports, {
      frames,
      entityResets: this.#entityResets,
      compactions: this.#compactions,
    });
  }

  /** @param {number} worker */
  #shareOf(worker) {
    const { group, workload, seed } = this.#run;
    const copies = workload.skinned.map((item, index) => {
      const model = this.#models.find(({ name }) => name === item.model);
      if (!model) throw new Error(`no model ${item.model} to skin`);
      return { index, item, refs: model.refs, vertices: model.vertices };
    });
    return {
      gate: this.#gateRef,
      workers: group.size,
      worker,
      seed,
      skinned: shareOut(copies, group.size, ({ vertices }) => vertices)[worker],
      gems: shareOfRange(workload.gems, group.size, worker),
      particles: shareOfRange(workload.particles, group.size, worker),
      entities: Math.ceil(workload.entities / group.size),
    };
  }

  /** @param {number} now in milliseconds */
  #tick(now) {
    if (this.#gate.hasFailed() || !this.#gate.isComplete()) return;
    try {
      this.#consume();
      this.#run.stage.render();
      this.#verifier.afterDrawing(this.#frame);
      this.#frame++;
      this.#run.onFrame(this.#frame);
      if (this.#frame === this.#run.frames) this.#resolve();
      else this.#openNext(now);
    } catch (error) {
      this.#reject(error);
    }
  }

  /** Hands the blocks of the finished frame to the stage. */
  #consume() {
    const { group, stage, walloc } = this.#run;
    const frame = this.#verifier.beginFrame(this.#time);
    for (let worker = 0; worker < group.size; worker++) {
      for (const record of this.#gate.readRecords(worker)) {
        if (record.kind === KIND.TEXTURE || record.kind === KIND.TEXTURE_READ) {
          this.#consumeTexture(record);
          continue;
        }
        const view = walloc.view({ ...record, type: 'Float32Array' }); // throws when stale
        frame.add(record, view);
        stage.setBlock(record, view.array);
      }
    }
    frame.end();
  }

  /** @param {BlockRecord} record */
  #consumeTexture(record) {
    const { item, kind, extra } = record;
    const { stage, walloc, workload, log } = this.#run;
    if (kind === KIND.TEXTURE_READ) {
      this.#verifier.textureRead(item, extra);
      return;
    }
    const { name, size, bytes } = TEXTURES[item];
    const view = walloc.view({ ...record, type: 'Uint32Array' });
    const rows = name === 'backdrop' ? workload.backdropRows : size;
    stage.setTexture(name, view.array, size, rows);
    this.#verifier.textureMade(item, extra);
    this.#gate.publishTexture(item, record);
    log(`Refilled ${name}: ${bytes / 2 ** 20} MiB texture, drawn from the scene tier`);
  }

  /** @param {number} now */
  #openNext(now) {
    const step = Math.min((now - this.#lastNow) / 1000, STEP_MAX);
    this.#lastNow = now;
    this.#time += step;
    this.#throwAway();
    const { orders } = this.#gate;
    orders[ORDER.TIME] = this.#time;
    this.#time = orders[ORDER.TIME]; // as the workers see it, in single precision
    orders[ORDER.STEP] = step;
    orders[ORDER.EPOCH] = this.#compactions;
    this.#run.stage.cullingPlanes(orders.subarray(ORDER.PLANES, ORDER.PLANES + 24));
    this.#gate.open(this.#frame + 1);
  }

  /** All workers are asleep at the gate and all is drawn: the moment to reset. */
  #throwAway() {
    const { walloc, log } = this.#run;
    walloc.tier('render').reset();
    if (this.#frame % ENTITY_PERIOD === 0) {
      walloc.tier('entity').reset();
      this.#entityResets++;
    }
    if (this.#frame % SCENE_PERIOD === 0) {
      const scene = walloc.tier('scene');
      const before = scene.used;
      scene.compact(this.#preserved);
      this.#gate.withdrawTextures();
      this.#verifier.beginRefill();
      this.#compactions++;
      log(
        `Frame ${this.#frame}: scene tier compacted from ${(before / 2 ** 20).toFixed(1)} to ` +
          `${(scene.used / 2 ** 20).toFixed(1)} MiB`,
      );
    }
  }
}
