/**
 * What the tests of programs that take walloc in share: copies of the projects here outside of the checkout, and how
 * they are built and run.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { ROOT, readJson, run } from '../../scripts/run.mjs';
import { setUpEmscripten } from '../../scripts/setup/emscripten.mjs';

export const PROVES = process.env.WALLOC_PROVE === '1';
export const VERSION = readJson(`${ROOT}package.json`).version;
const outside = mkdtempSync(join(tmpdir(), 'walloc-embedding-'));
after(() => rmSync(outside, { recursive: true, force: true }));

/** The folder of emcc, once tests run. @type {string} */
export let emscripten;
before(async () => {
  emscripten = process.env.WALLOC_EMSCRIPTEN ?? (await setUpEmscripten());
  process.env.WALLOC_EMSCRIPTEN = emscripten;
});

/**
 * @param {string} project the folder of its CMakeLists.txt
 * @returns {string} a copy of it outside of the checkout
 */
export function copyOut(project) {
  const folder = mkdtempSync(join(outside, `${project}-`));
  cpSync(`${ROOT}tests/embedding/${project}`, folder, { recursive: true });
  cpSync(`${ROOT}tests/embedding/program.c`, join(folder, 'program.c'));
  return folder;
}

const TOOLCHAIN = 'cmake/Modules/Platform/Emscripten.cmake';

/** @typedef {'native' | 'emscripten'} Platform */

/** @param {Platform} platform */
const toolchain = (platform) =>
  platform === 'native' ? [] : [`-DCMAKE_TOOLCHAIN_FILE=${join(emscripten, TOOLCHAIN)}`];

/** @param {Platform} platform @param {string} program without the end of its name */
export async function runProgram(platform, program) {
  const [command, ...args] = platform === 'native' ? [program] : ['node', `${program}.js`];
  return (await run(command, args)).output;
}

/**
 * Configures, builds and runs a project in its folder.
 *
 * @param {string} folder
 * @param {Platform} platform
 * @param {string[]} [options] of CMake
 * @returns {Promise<string>} what the program printed
 */
export async function buildAndRun(folder, platform, options = []) {
  const build = join(folder, `build-${platform}`);
  const kind = ['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', ...toolchain(platform)];
  await run('cmake', ['-S', folder, '-B', build, ...kind, ...options]);
  await run('cmake', ['--build', build, '--target', 'program']);
  return runProgram(platform, join(build, 'program'));
}

export const OTHER = `malloc is another\nwalloc ${VERSION} works\n`;
export const OURS = `malloc is walloc's\nwalloc ${VERSION} works\n`;
