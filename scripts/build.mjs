/**
 * Builds what is run in browsers: walloc.wasm and the types of its API, the models, the pages in build/www.
 *
 *     npm run build
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { ROOT, isMain, run, script, step } from './run.mjs';
import { setUpForPages } from './setup.mjs';

/** The last build of each preset. @type {Map<string, Promise<unknown>>} */
const builds = new Map();

/**
 * Configures and builds a preset of CMakePresets.json, once what is being built of it is. Tests that run meanwhile have
 * the processors first.
 *
 * @param {string} preset
 * @param {string[]} targets the preset's own when there are none
 */
export function buildPreset(preset, ...targets) {
  const chosen = targets.flatMap((target) => ['--target', target]);
  const build = Promise.allSettled([builds.get(preset)]).then(async () => {
    await run('cmake', ['--preset', preset]);
    await run('nice', ['cmake', '--build', '--preset', preset, ...chosen]);
  });
  builds.set(preset, build);
  return build;
}

/** The program that www/contention runs, and what runs it. */
async function buildContention() {
  await buildPreset('emscripten', 'bench_contention');
  const folder = `${ROOT}www/public/programs/`;
  mkdirSync(folder, { recursive: true });
  for (const name of ['bench_contention.js', 'bench_contention.wasm']) {
    copyFileSync(`${ROOT}build/emscripten/bench/${name}`, `${folder}${name}`);
  }
  copyFileSync(`${ROOT}www/contention/program.js`, `${folder}program.js`);
}

/** All that the npm package has beside its sources. */
export async function buildPackage() {
  await step('Building walloc.wasm', () => buildPreset('attached'));
  await step('Writing the types', () => run('npx', ['tsc', '-p', 'tsconfig.types.json']));
}

export async function buildPages() {
  await buildPackage();
  await step('Building the program on contention', buildContention);
  await step('Converting the models', () => run('node', ['scripts/models.mjs']));
  await step('Building the pages', () => run('npx', ['vite', 'build', '--logLevel', 'warn']));
}

if (isMain(import.meta.url)) {
  script(async () => {
    await setUpForPages();
    await buildPages();
    console.log(`Built: ${ROOT}build/www, ${ROOT}workers/walloc.wasm, ${ROOT}types`);
  });
}
