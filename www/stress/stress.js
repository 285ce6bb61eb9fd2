/**
 * The stress itself: rounds until the time is over, ordered ones and races in turn.
 *
 * Page only. An ordered round is mark, fill, look, recycle, look; all workers at each step, except
 * that one of them recycles while the others wait. A race has one worker recycling while all others
 * allocate; at its end the page itself resets all tiers.
 *
 * @typedef {{workers: number, seconds: number, seed: number}} StressSettings
 *
 * @typedef {{passed: boolean, stopped: boolean, violations: number, messages: string[],
 *   operations: number, refusals: number, rounds: number, races: number, raced: number,
 *   resets: number, seconds: number, settings: StressSettings, error: string | null}} StressResult
 */
import { Walloc } from '../../workers/walloc.js';
import { WorkerGroup } from '../shared/worker-group.js';
import { TIERS } from './actions.js';
import { describeOverlap, findOverlaps } from './intervals.js';

const MIB = 1024 * 1024;
const BLOCKS = 400; // of each worker in an ordered round
const RACE_MILLISECONDS = 30;
const MESSAGES_MAX = 20;

export const MEMORY = {
  maximum: 192 * MIB,
  reserve: 8 * MIB,
  tiers: {
    render: { hardBudget: 64 * MIB },
    scene: { hardBudget: 64 * MIB },
    entity: { hardBudget: 48 * MIB },
  },
};

export class Stress {
  #settings;
  #signal;
  /** @type {Walloc | null} */
  walloc = null;
  /** @type {StressResult} */
  result;

  /** @param {StressSettings} settings @param {AbortSignal} signal ends it early */
  constructor(settings, signal) {
    this.#settings = settings;
    this.#signal = signal;
    this.result = {
      ...{ passed: false, stopped: false, violations: 0, messages: [], operations: 0, refusals: 0 },
      ...{ rounds: 0, races: 0, raced: 0, resets: 0, seconds: 0, settings, error: null },
    };
  }

  /**
   * @param {() => void} onStep called while the memory is in use
   * @returns {Promise<StressResult>} never rejects
   */
  async run(onStep) {
    const started = performance.now();
    const { result } = this;
    /** @type {WorkerGroup | null} */
    let group = null;
    try {
      const walloc = await Walloc.create(MEMORY);
      this.walloc = walloc;
      group = new WorkerGroup(
        this.#settings.workers,
        () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
        (error) => this.#violate([error.message]),
      );
      const { handle } = walloc;
      const { seed, seconds } = this.#settings;
      await group.callAll('attach', (worker) => ({ handle, worker, seed }));
      const end = started + seconds * 1000;
      while (performance.now() < end && !this.#signal.aborted && !result.violations) {
        await this.#orderedRound(group, onStep);
        await this.#race(group, walloc, onStep);
        result.seconds = (performance.now() - started) / 1000;
        const { tiers } = walloc.stats();
        result.resets = TIERS.reduce((sum, tier) => sum + tiers[tier].resets, 0);
      }
      await group.callAll('detach');
    } catch (thrown) {
      result.error = thrown instanceof Error ? thrown.message : String(thrown);
      console.error(thrown);
    } finally {
      group?.terminate();
    }
    result.stopped = this.#signal.aborted;
    result.passed = !result.violations && !result.error && result.races > 0 && !result.stopped;
    return result;
  }

  /** @param {WorkerGroup} group @param {() => void} onStep */
  async #orderedRound(group, onStep) {
    const nothing = Object.fromEntries(TIERS.map((tier) => [tier, 'nothing']));
    const recycler = this.result.rounds % group.size;
    const marks = await group.call(recycler, 'mark');
    this.#count(await group.callAll('fill', () => BLOCKS));
    onStep();
    this.#count(await group.callAll('settle', () => nothing));
    const actions = await group.call(recycler, 'recycle', marks);
    this.#count(await group.callAll('settle', () => actions));
    this.result.rounds++;
  }

  /** @param {WorkerGroup} group @param {Walloc} walloc @param {() => void} onStep */
  async #race(group, walloc, onStep) {
    const recycler = this.result.races % group.size;
    const answers = await group.callAll('race', (worker) => ({
      recycles: worker === recycler,
      milliseconds: RACE_MILLISECONDS,
    }));
    this.#count(answers);
    onStep();
    const records = answers.map((answer) => answer.records);
    const { marked } = answers[recycler];
    this.#violate(findOverlaps(records, marked).map(describeOverlap));
    this.result.raced += records.reduce((sum, { length }) => sum + length / 4, 0);
    this.result.races++;
    for (const tier of TIERS) walloc.tier(tier).reset();
    const reset = Object.fromEntries(TIERS.map((tier) => [tier, 'reset']));
    this.#count(await group.callAll('settle', () => reset));
  }

  /** @param {{operations: number, refusals?: number, violations?: string[]}[]} answers */
  #count(answers) {
    for (const { operations, refusals = 0, violations = [] } of answers) {
      this.result.operations += operations;
      this.result.refusals += refusals;
      this.#violate(violations);
    }
  }

  /** @param {string[]} messages */
  #violate(messages) {
    this.result.violations += messages.length;
    const room = Math.max(0, MESSAGES_MAX - this.result.messages.length);
    this.result.messages.push(...messages.slice(0, room));
  }
}
