/**
 * Phase 3 on the page: what happens when memory runs short. Tiers grow, the render tier runs into its
 * hard budget, the scene tier recycles down to its preserved models, the whole memory is taken; and
 * after all that every byte that was to be preserved is still there.
 */
import { MEMORY, MIB } from './plan.js';
import { verifyModels } from './startup-phase.js';

/**
 * @typedef {import('./simulation.js').Run} Run
 * @typedef {import('./startup-phase.js').Model} Model
 */

export const PRESSURE_CHECKS = {
  growth: 'Tiers grow under load; what was written before is intact, by the views from before',
  budget: 'At its hard budget the render tier refuses with WallocOutOfMemory; nothing is wiped',
  callback: 'The pressure callback is told at the soft budget, and asked at the hard one',
  recycling: 'At its budget the scene tier recycles to the preserved models and goes on',
  maximum: 'With the memory at its maximum, allocation throws WallocOutOfMemory in every worker',
  recovery: 'Afterwards all tiers allocate again',
  intact: 'All preserved bytes are intact at the end, verified from every worker',
};

/** Of small blocks, by all workers together: more than the entity tier starts with. */
const ENTITY_BYTES = 8 * MIB;

/** @param {Run} run @param {Model[]} models */
export async function runPressure(run, models) {
  await growTiers(run);
  await fillRenderTier(run);
  await streamPastSceneBudget(run, models);
  await takeAllMemory(run);
  recover(run);
  await verifyModels(run, models, 'intact');
}

/** @param {number} bytes */
const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

/** @param {any[]} answers @param {string} key @returns {number} */
const sum = (answers, key) => answers.reduce((total, answer) => total + answer[key], 0);

/** @param {Run} run */
async function growTiers({ walloc, group, checks, log }) {
  const entity = walloc.tier('entity');
  const before = entity.stats();
  const answers = await group.callAll('growEntities', () => ENTITY_BYTES / group.size);
  const after = entity.stats();
  checks.report(
    'growth',
    after.capacity > before.capacity && sum(answers, 'damaged') === 0,
    `entity ${mib(before.capacity)} to ${mib(after.capacity)}, ` +
      `${sum(answers, 'blocks').toLocaleString('en')} blocks, ${sum(answers, 'damaged')} damaged`,
  );
  log(`Entity tier grew from ${mib(before.capacity)} to ${mib(after.capacity)}`);
}

/** @param {Run} run */
async function fillRenderTier({ walloc, group, checks, log, seed }) {
  const render = walloc.tier('render');
  render.reset();
  const answers = await group.callAll('fillToBudget', () => seed);
  const { capacity, hardBudget, used } = render.stats();
  checks.report(
    'budget',
    answers.every(({ refusal }) => refusal?.code === 'BUDGET') &&
      sum(answers, 'damaged') === 0 &&
      capacity <= hardBudget,
    `${sum(answers, 'blocks')} blocks, ${mib(used)} of ${mib(hardBudget)} used, ` +
      `${sum(answers, 'damaged')} damaged`,
  );
  checks.report(
    'callback',
    sum(answers, 'soft') > 0 && answers.every(({ hard }) => hard > 0),
    `${sum(answers, 'soft')} times soft, ${sum(answers, 'hard')} times hard`,
  );
  log(
    `Render tier at its budget of ${mib(hardBudget)}: ${answers[0].refusal?.message ?? 'no refusal'}`,
  );
}

/**
 * Each worker in turn streams the whole budget, beside the preserved models, while the others read the preserved models.
 *
 * @param {Run} run @param {Model[]} models
 */
async function streamPastSceneBudget({ walloc, group, checks, log }, models) {
  const scene = walloc.tier('scene');
  const before = scene.stats().recyclings;
  const bytes = MEMORY.tiers.scene.hardBudget;
  const expected = models.map(({ name, refs, checksum }) => ({ name, refs, checksum }));
  /** @type {any[]} */
  const answers = [];
  /** @type {string[]} */
  const changed = [];
  for (let turn = 0; turn < group.size; turn++) {
    const others = Array.from({ length: group.size }, (_, worker) => worker).filter(
      (worker) => worker !== turn,
    );
    const [answer, ...verified] = await Promise.all([
      group.call(turn, 'streamPastBudget', bytes),
      ...others.map((worker) => group.call(worker, 'verify', expected)),
    ]);
    answers.push(answer);
    changed.push(...verified.flat());
  }
  const recyclings = scene.stats().recyclings - before;
  checks.report(
    'recycling',
    recyclings >= group.size &&
      changed.length === 0 &&
      sum(answers, 'damaged') === 0 &&
      answers.every(({ stale, refusal }) => stale > 0 && refusal?.code === 'BUDGET'),
    `${mib(sum(answers, 'bytes'))} streamed through ${mib(scene.stats().hardBudget)}, ` +
      `recycled ${recyclings} times, ${sum(answers, 'stale')} blocks noticed as stale`,
  );
  log(
    `Scene tier recycled to its models ${recyclings} times: ${mib(sum(answers, 'bytes'))} streamed`,
  );
}

/** @param {Run} run */
async function takeAllMemory({ walloc, group, checks, log }) {
  walloc.tier('scene').compact(walloc.tier('scene').stats().preserved);
  walloc.tier('render').reset();
  walloc.tier('entity').reset();
  const arena = walloc.createArena({});
  const answers = await group.callAll('exhaustMemory', () => arena.handle);
  const { obtained, maximum } = walloc.stats().memory;
  checks.report(
    'maximum',
    answers.every(({ refusals }) =>
      refusals.every((/** @type {any} */ refusal) => refusal?.code === 'OUT_OF_MEMORY'),
    ),
    `${sum(answers, 'blocks')} blocks of 16 MiB to 64 KiB, ${mib(obtained)} of ${mib(maximum)} obtained`,
  );
  log(`Memory full at ${mib(obtained)}: ${answers[0].refusals.at(-1)?.message ?? 'no refusal'}`);
  arena.destroy();
}

/** @param {Run} run */
function recover({ walloc, checks, log }) {
  const views = [
    walloc.tier('render').allocBytes(8 * MIB),
    walloc.tier('scene').allocBytes(64 * MIB),
    walloc.tier('entity').allocBytes(4 * MIB),
  ];
  const { free, obtained } = walloc.stats().memory;
  checks.report(
    'recovery',
    views.every((view) => view.valid),
    `8, 64 and 4 MiB allocated, ${mib(free)} of ${mib(obtained)} free`,
  );
  log('All tiers allocate again');
}
