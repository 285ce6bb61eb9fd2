/**
 * Format, lint and types of everything in the checkout.
 *
 *     npm run lint
 *     npm run format     mends what can be mended
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { Problem, ROOT, run, script, step } from './run.mjs';
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
  await run('clang-format', [...mode, ...(await filesMatching('*.c', '*.cpp', '*.h'))]);
}

/**
 * The files that the native build compiles: what differs for WebAssembly needs its own compiler. The C library's
 * headers name the parameters of malloc and its family otherwise.
 */
async function checkClangTidy() {
  await buildPreset('native');
  const rooms = ['src/*.c', 'tests/*.c', 'examples/*.c', 'bench/*.c', 'trace/*.c'];
  const files = (await filesMatching(...rooms)).filter(
    (path) =>
      !/platform_(linked|attached|wasm_thread)|src\/exports|malloc\/(malloc|emscripten)|minimal|bench\/heap\/trace|bench\/programs|sink_memory/.test(
        path,
      ),
  );
  const workers = cpus().length;
  const shares = Array.from({ length: workers }, (_share, i) =>
    files.filter((_file, index) => index % workers === i),
  );
  const options = ['--quiet', '-p', 'build/native', '--warnings-as-errors=*'];
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
