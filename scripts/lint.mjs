/**
 * Format, lint and types of everything in the checkout.
 *
 *     npm run lint
 *     npm run format     mends what can be mended
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { relative } from 'node:path';
import { Problem, ROOT, readJson, run, script, step } from './run.mjs';
import { buildPreset } from './build.mjs';
import { setUpForTests } from './setup.mjs';

/** @param {string[]} patterns of files under version control, or about to be */
async function filesMatching(...patterns) {
  const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns];
  const { output } = await run('git', listed);
  return output.split('\n').filter((path) => path && existsSync(`${ROOT}${path}`));
}

async function checkClangFormat() {
  const mode = process.argv.includes('--fix') ? ['-i'] : ['--dry-run', '-Werror'];
  await run('clang-format', [...mode, ...(await filesMatching('*.c', '*.cpp', '*.h', '*.hpp'))]);
}

/**
 * What the native build compiles; what differs for WebAssembly needs its own compiler. The analyzer, which takes
 * most of the time, looks at the library only.
 */
async function checkClangTidy() {
  await buildPreset('native');
  const compiled = new Set(
    readJson(`${ROOT}build/native/compile_commands.json`).map(
      (/** @type {{ file: string }} */ command) => relative(ROOT, command.file),
    ),
  );
  // Where the C library's own names are defined, its headers name their parameters otherwise.
  const files = (await filesMatching('*.c')).filter(
    (path) => compiled.has(path) && path !== 'src/malloc/malloc.c',
  );
  const ofLibrary = files.filter((path) => path.startsWith('src/'));
  const others = files.filter((path) => !path.startsWith('src/'));
  await runClangTidy(ofLibrary, []);
  await runClangTidy(others, ['--checks=-clang-analyzer-*']);
}

/** @param {string[]} files @param {string[]} more */
async function runClangTidy(files, more) {
  const workers = cpus().length;
  const shares = Array.from({ length: workers }, (_share, i) =>
    files.filter((_file, index) => index % workers === i),
  );
  const options = ['--quiet', '-p', 'build/native', '--warnings-as-errors=*', ...more];
  await Promise.all(
    shares
      .filter((share) => share.length)
      .map((share) => run('clang-tidy', [...options, ...share])),
  );
}

const mend = process.argv.includes('--fix');

/** @type {[string, () => Promise<unknown>][]} */
const CHECKS = [
  ['clang-format', checkClangFormat],
  ['clang-tidy', checkClangTidy],
  [
    'Prettier',
    () => run('npx', ['prettier', mend ? '--write' : '--check', '--log-level=warn', '.']),
  ],
  ['ESLint', () => run('npx', ['eslint', '--max-warnings=0', ...(mend ? ['--fix'] : []), '.'])],
  ['TypeScript', () => run('npx', ['tsc', '--pretty', 'false'])],
];

script(async () => {
  await setUpForTests();
  const failed = [];
  for (const [name, check] of CHECKS) {
    try {
      await step(name, check);
    } catch (error) {
      failed.push(name);
      console.error(`✗ ${error instanceof Error ? error.message : error}`);
    }
  }
  console.log(`\n${CHECKS.length - failed.length} checks passed, ${failed.length} failed`);
  if (failed.length)
    throw new Problem(`Not in order: ${failed.join(', ')}. npm run format may mend it.`);
});
