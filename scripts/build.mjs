/**
 * Builds what is run in browsers: walloc.wasm and the types of its API, the models, the pages in build/www.
 *
 *     npm run build
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { ROOT, isMain, run, script, step } from './run.mjs';
import { setUpForPages } from './setup.mjs';

/**
 * Configures and builds a preset of CMakePresets.json.
 *
 * @param {string} preset
 * @param {string[]} targets the preset's own when there are none
 */
export async function buildPreset(preset, ...targets) {
  await run('cmake', ['--preset', preset]);
  const chosen = targets.flatMap((target) => ['--target', target]);
  await run('cmake', ['--build', '--preset', preset, ...chosen]);
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
