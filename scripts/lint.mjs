/**
 * Format, lint and types of everything in the checkout.
 *
 *     npm run lint
 *     npm run format     mends what can be mended
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { relative } from 'node:path';
import { Problem, ROOT, readJson, run, script, step } from './run.mjs';
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
  await run('cmake', ['--preset', 'native']);
  // Where the C library's own names are defined, its headers name their parameters otherwise.
  const files = writeCommands().filter(
    (path) => path.endsWith('.c') && path !== 'src/malloc/malloc.c',
  );
  const ofLibrary = files.filter((path) => path.startsWith('src/'));
  const others = files.filter((path) => !path.startsWith('src/'));
  await runClangTidy(ofLibrary, []);
  await runClangTidy(others, ['--checks=-clang-analyzer-*']);
}

/**
 * Writes build/lint/compile_commands.json: each file once as it is, and once hardened where it is compiled so. The
 * native build compiles the library nine times, and clang-tidy would look at it as often.
 *
 * @returns {string[]} the files of the checkout
 */
function writeCommands() {
  /** @type {Map<string, { file: string }>} */
  const commands = new Map();
  for (const entry of readJson(`${ROOT}build/native/compile_commands.json`)) {
    const hardened = /\s-DWALLOC_HARDENED\s/.test(entry.command);
    const key = `${entry.file} ${hardened}`;
    const path = relative(ROOT, entry.file);
    const isOurs = !path.startsWith('..') && !/^(build|node_modules)\//.test(path);
    if (isOurs && !commands.has(key)) commands.set(key, entry);
  }
  const kept = [...commands.values()];
  mkdirSync(`${ROOT}build/lint`, { recursive: true });
  writeFileSync(`${ROOT}build/lint/compile_commands.json`, JSON.stringify(kept));
  return [...new Set(kept.map(({ file }) => relative(ROOT, file)))];
}

/**
 * As many at once as there are processors, each one file at a time.
 *
 * @param {string[]} files
 * @param {string[]} more
 */
async function runClangTidy(files, more) {
  const options = ['--quiet', '-p', 'build/lint', '--warnings-as-errors=*', ...more];
  const left = [...files];
  const work = async () => {
    for (let file = left.pop(); file; file = left.pop())
      await run('clang-tidy', [...options, file]);
  };
  await Promise.all(cpus().map(work));
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
