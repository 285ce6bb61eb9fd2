/**
 * One run of the simulation, from an empty memory to the last check.
 *
 * Page only. A run owns its memory, its workers and its control arena; at its end, however it ends,
 * the workers are gone and the memory is dropped.
 */
import { Walloc } from '../../workers/walloc.js';
import { Checks } from '../shared/checks.js';
import { WorkerGroup } from '../shared/worker-group.js';
import { FlightPhase } from './flight/phase.js';
import { FLIGHT_CHECKS } from './flight/verifier.js';
import { FRAME_CHECKS } from './frame-verifier.js';
import { FramePhase } from './frame-phase.js';
import { MEMORY, MIB, WORKLOADS } from './plan.js';
import { PRESSURE_CHECKS, runPressure } from './pressure-phase.js';
import { STARTUP_CHECKS, runStartup, verifyModels } from './startup-phase.js';

/**
 * @typedef {import('./plan.js').Workload} Workload
 * @typedef {import('./stage.js').Stage} Stage
 * @typedef {import('../shared/checks.js').Check} Check
 * @typedef {import('../shared/checks.js').Outcome} Outcome
 *
 * @typedef {{workers: number, workload: string, frames: number, sections: number, seed: number}} Settings
 * @typedef {'start-up' | 'frames' | 'flight' | 'pressure'} Phase
 *
 * @typedef {{log: (text: string, kind?: import('../shared/console-pane.js').LineKind) => void,
 *   onCheck: (check: Check) => void, onPhase: (phase: Phase) => void,
 *   onFrame: (frame: number) => void, onMemory: (walloc: Walloc) => void,
 *   onFlight: (section: number, sections: number) => void,
 *   onSection: (slot: import('./flight/ring.js').Slot) => void,
 *   setFrameStep: (step: ((now: number) => void) | null) => void}} Listener
 *
 * @typedef {Listener & {walloc: Walloc, group: WorkerGroup, workload: Workload, frames: number,
 *   sections: number, seed: number, stage: Stage, checks: Checks}} Run what the phases share
 *
 * @typedef {import('./flight/ring.js').SectionRing['counts']} Flown
 * @typedef {{walloc: Walloc | null, group: WorkerGroup | null, frame: number, flown: Flown | null}} Owned
 *   what outlives a run that fails, or what is known of it
 *
 * @typedef {{passed: boolean, stopped: boolean, error: string | null, checks: Outcome[],
 *   settings: Settings, frames: number, flown: Flown | null, seconds: number, stats: any}} SimulationResult
 */

/** @returns {Checks} every check of the simulation, declared */
export function declareChecks(/** @type {(check: Check) => void} */ onCheck) {
  const checks = new Checks(onCheck);
  checks.declare('Start-up', STARTUP_CHECKS);
  checks.declare('Frames', FRAME_CHECKS);
  checks.declare('Flight', FLIGHT_CHECKS);
  checks.declare('Pressure', PRESSURE_CHECKS);
  checks.declare('Throughout', { workers: 'No worker reported an error' });
  return checks;
}

/**
 * @param {Settings} settings
 * @param {Stage} stage
 * @param {Listener} listener
 * @param {AbortSignal} signal ends the run early
 * @returns {Promise<SimulationResult>} never rejects
 */
export async function runSimulation(settings, stage, listener, signal) {
  const started = performance.now();
  const checks = declareChecks(listener.onCheck);
  /** @type {Owned} */
  const owned = { walloc: null, group: null, frame: 0, flown: null };
  /** @type {string | null} */
  let error = null;
  try {
    await Promise.race([
      aborted(signal),
      runPhases(settings, stage, listener, checks, owned, signal),
    ]);
    checks.report('workers', true, `${settings.workers} workers`);
  } catch (thrown) {
    if (!signal.aborted) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
      checks.report('workers', false, error);
      listener.log(error, 'bad');
      console.error(thrown);
    }
  } finally {
    listener.setFrameStep(null);
    owned.group?.terminate();
  }
  return {
    passed: checks.passed && !error && !signal.aborted,
    stopped: signal.aborted,
    error,
    checks: checks.outcomes(),
    settings,
    frames: owned.frame,
    flown: owned.flown,
    seconds: (performance.now() - started) / 1000,
    stats: owned.walloc?.stats() ?? null,
  };
}

/** @param {AbortSignal} signal @returns {Promise<never>} rejects when the run is stopped */
function aborted(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
  });
}

/**
 * @param {Settings} settings @param {Stage} stage @param {Listener} listener @param {Checks} checks
 * @param {Owned} owned
 * @param {AbortSignal} signal
 */
async function runPhases(settings, stage, listener, checks, owned, signal) {
  const { log, onPhase } = listener;
  onPhase('start-up');
  const walloc = await Walloc.create(MEMORY);
  signal.throwIfAborted(); // or workers would be made that nobody ends
  owned.walloc = walloc;
  listener.onMemory(walloc);
  const { memory, tiers } = walloc.stats();
  log(
    `Memory of at most ${memory.maximum / MIB} MiB, ${(memory.obtained / MIB).toFixed(1)} MiB obtained: ` +
      Object.entries(tiers)
        .map(([name, { capacity }]) => `${name} ${(capacity / MIB).toFixed(1)}`)
        .join(', '),
  );
  const group = new WorkerGroup(
    settings.workers,
    () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
    (failure) => log(failure.message, 'bad'),
  );
  owned.group = group;
  await group.callAll('attach', (worker) => ({ handle: walloc.handle, worker }));
  signal.throwIfAborted(); // or the next run's stage would be cleared
  log(`${group.size} workers attached`);

  const workload = WORKLOADS[settings.workload];
  stage.clear(workload);
  /** @type {Run} */
  const run = {
    ...listener,
    ...{ walloc, group, workload, stage, checks },
    frames: settings.frames,
    sections: settings.sections,
    seed: settings.seed,
    onFrame: (frame) => {
      owned.frame = frame;
      listener.onFrame(frame);
    },
  };
  const models = await runStartup(run);

  onPhase('frames');
  const frames = new FramePhase(run, models);
  await frames.run();
  await verifyModels(run, models, 'everyWorker');

  onPhase('flight');
  owned.flown = await new FlightPhase(run, models).run();

  onPhase('pressure');
  await runPressure(run, models);
  await group.callAll('detach');
}
