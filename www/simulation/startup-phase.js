/**
 * Phase 1 on the page: the workers stream the models into the scene tier; the page makes drawable
 * geometry of the same bytes and preserves them.
 */
import { MIB, shareOut } from './plan.js';

/**
 * @typedef {import('./simulation.js').Run} Run
 * @typedef {import('./plan.js').ModelEntry} ModelEntry
 * @typedef {import('./jobs/streaming.js').LoadedModel} LoadedModel
 * @typedef {ModelEntry & LoadedModel} Model
 */

export const STARTUP_CHECKS = {
  streamed: 'Models streamed by the workers match their checksums',
  triangles: 'A model has more than 10,000 triangles',
  unmoved: 'Geometry is drawn from the shared memory itself, without a copy',
  aligned: 'Every block of a model is aligned to 64 bytes',
  preserved: 'The scene tier preserves all models',
  everyWorker: 'Every worker reads the same bytes of every model',
};

/**
 * @param {Run} run
 * @returns {Promise<Model[]>}
 */
export async function runStartup(run) {
  const folder = new URL('models/', document.baseURI);
  const response = await fetch(new URL('manifest.json', folder));
  if (!response.ok) throw new Error(`models/manifest.json: HTTP ${response.status}`);
  /** @type {{models: ModelEntry[]}} */
  const manifest = await response.json();
  const entries = manifest.models.filter(({ name }) => run.workload.models.includes(name));
  run.log(`Streaming ${entries.length} models with ${run.group.size} workers`);

  const shares = shareOut(entries, run.group.size, ({ bytes }) => bytes);
  /** @type {LoadedModel[][]} */
  const loaded = await run.group.callAll('load', (worker) => ({
    folder: folder.href,
    models: shares[worker],
  }));
  const models = loaded.flatMap((list, worker) =>
    list.map((model) => {
      const entry = entries.find(({ name }) => name === model.name);
      if (!entry) throw new Error(`worker ${worker} loaded an unknown model ${model.name}`);
      run.log(
        `Worker ${worker} streamed ${entry.title} (${entry.triangles.toLocaleString('en')} triangles, ` +
          `${(entry.bytes / 1024).toFixed(0)} KiB) in ${model.pieces} pieces, ` +
          `${model.milliseconds.toFixed(0)} ms; checksum ${entry.checksum}`,
      );
      return { ...entry, ...model };
    }),
  );
  await showModels(run, models);
  reportModels(run, models);
  await verifyModels(run, models, 'everyWorker');
  return models;
}

/** @param {Run} run @param {Model[]} models */
async function showModels({ walloc, workload, stage, checks }, models) {
  /** @type {Set<ArrayBufferLike>} */
  const buffers = new Set();
  let misaligned = 0;
  for (const { name, refs } of models) {
    const [positions, normals, indices] = [refs.positions, refs.normals, refs.indices].map(
      (ref) => walloc.view(ref).array,
    );
    for (const array of stage.addModel(name, positions, normals, indices))
      buffers.add(array.buffer);
    misaligned += [positions, normals, indices].filter((array) => array.byteOffset % 64).length;
  }
  await stage.place(workload.placements);
  checks.report(
    'unmoved',
    buffers.size === 1 && [...buffers][0] instanceof SharedArrayBuffer,
    `${models.length * 3} attributes are views of one SharedArrayBuffer`,
  );
  checks.report('aligned', misaligned === 0, `${models.length * 3} blocks`);
}

/** @param {Run} run @param {Model[]} models */
function reportModels({ walloc, workload, checks, log }, models) {
  const scene = walloc.tier('scene');
  scene.preserve();
  const bytes = models.reduce((sum, model) => sum + model.bytes, 0);
  const { preserved } = scene.stats();
  const largest = Math.max(...models.map(({ triangles }) => triangles));
  checks.report(
    'streamed',
    models.length === workload.models.length,
    `${models.length} of ${workload.models.length} models, ${(bytes / MIB).toFixed(2)} MiB`,
  );
  checks.report('triangles', largest > 10_000, `${largest.toLocaleString('en')} triangles`);
  checks.report('preserved', preserved >= bytes, `${(preserved / MIB).toFixed(2)} MiB preserved`);
  log(`Scene tier: ${(preserved / MIB).toFixed(2)} MiB preserved`);
}

/**
 * All bytes of all models, read again by every worker.
 *
 * @param {Run} run @param {Model[]} models @param {string} check to report
 */
export async function verifyModels({ group, checks, log }, models, check) {
  const expected = models.map(({ name, refs, checksum }) => ({ name, refs, checksum }));
  /** @type {string[][]} */
  const damaged = await group.callAll('verify', () => expected);
  const names = [...new Set(damaged.flat())];
  checks.report(
    check,
    names.length === 0,
    names.length
      ? `changed: ${names.join(', ')}`
      : `${models.length} models read by ${group.size} workers`,
  );
  log(`${group.size} workers verified ${models.length} models by checksum`);
}
