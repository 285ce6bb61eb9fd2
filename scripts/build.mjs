/**
 * Builds what is run in browsers: walloc.wasm and the types of its API, the models, the pages in build/www.
 *
 *     npm run build
 */
import { ROOT, isMain, run, script, step } from './run.mjs';
import { setUpForPages } from './setup.mjs';

/**
 * Configures and builds a preset of CMakePresets.json.
 *
 * @param {string} preset
 */
export async function buildPreset(preset) {
  await run('cmake', ['--preset', preset]);
  await run('cmake', ['--build', '--preset', preset]);
}

/** All that the npm package has beside its sources. */
export async function buildPackage() {
  await step('Building walloc.wasm', () => buildPreset('attached'));
  await step('Writing the types', () => run('npx', ['tsc', '-p', 'tsconfig.types.json']));
}

export async function buildPages() {
  await buildPackage();
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
