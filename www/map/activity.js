/**
 * What the live map looks at: workers that fill frames out of one memory, which the page throws away.
 *
 * Page only. The activity owns its memory and its workers; at its end both are gone.
 */
import { Walloc } from '../../workers/walloc.js';
import { WorkerGroup } from '../shared/worker-group.js';

const MIB = 2 ** 20;
const ENTITY_PERIOD = 10;
const SCENE_PERIOD = 180;

export const MEMORY = { maximum: 512 * MIB, reserve: 24 * MIB };

export class Activity {
  #group;
  #walloc;
  #preserved = 0;
  /** Frames that were drawn. */
  frames = 0;
  /** Whether the workers answer no more. */
  isHanging = false;

  /** @param {Walloc} walloc @param {WorkerGroup} group @private */
  constructor(walloc, group) {
    this.#walloc = walloc;
    this.#group = group;
  }

  /** @param {number} workers */
  static async start(workers) {
    const walloc = await Walloc.create(MEMORY);
    const group = new WorkerGroup(
      workers,
      () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
    );
    const activity = new Activity(walloc, group);
    try {
      await group.callAll('attach', (worker) => ({ handle: walloc.handle, seed: worker + 1 }));
    } catch (error) {
      group.terminate();
      throw error;
    }
    activity.#loadLevel();
    return activity;
  }

  get handle() {
    return this.#walloc.handle;
  }

  /** What shall outlive the frames. */
  #loadLevel() {
    const { scene } = this.#walloc;
    scene.allocBytes(6 * MIB);
    scene.preserve();
    this.#preserved = scene.used;
  }

  /**
   * Has all workers fill a frame.
   *
   * @returns {Promise<number>} bytes of the render tier that it has taken; the frame is still there
   */
  async fillFrame() {
    await this.#group.callAll('frame', () => this.frames);
    this.frames++;
    return this.#walloc.render.used;
  }

  throwAway() {
    const { render, scene, entity } = this.#walloc;
    render.reset();
    if (this.frames % ENTITY_PERIOD === 0) entity.reset();
    if (this.frames % SCENE_PERIOD === 0) scene.compact(this.#preserved);
  }

  /** None of the workers returns from this. */
  hang() {
    this.isHanging = true;
    this.#group.callAll('hang').catch(() => {}); // rejected when they are stopped
  }

  stop() {
    this.#group.terminate();
  }
}
