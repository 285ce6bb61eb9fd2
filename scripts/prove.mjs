/**
 * The proofs at full length, of which `npm test` runs bounded forms: see docs/concurrency.md. Goes on after a
 * failure, and closes with what each part has shown, also when it is interrupted, and with how to run those again that
 * have not passed. Takes hours, more than one of them for the kill test.
 *
 *     npm run prove                   all
 *     npm run prove -- kill explore   only the parts whose names contain one of these words
 *
 * Each part gets WALLOC_PROVE=1, by which a test knows that it is to be complete, and prints the seed of what it
 * chooses: WALLOC_SEED repeats it.
 */
import { existsSync } from 'node:fs';
import { Problem, ROOT, freePort, run, script, step } from './run.mjs';
import { buildPages, buildPreset } from './build.mjs';
import { setUpForTests } from './setup.mjs';
import { setUpSuite } from './setup/emscripten.mjs';

/**
 * A program and its arguments; how many times longer than in `npm test` it runs, or how many workers it kills; and the
 * suite of Debian whose Emscripten it takes, where that is to be another.
 *
 * @typedef {{ command: string[], rounds?: number, kills?: number, suite?: string }} Run
 */

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} [preset] to build before
 * @property {boolean} [pages] the same: what runs in browsers
 * @property {Run[]} runs
 */

/** @param {string} preset @param {string} name */
const program = (preset, name) => [`build/${preset}/tests/${name}`];

/** Without much randomness of addresses, with which the thread sanitizer cannot live. @param {string} name */
const underTsan = (name) => ['setarch', '-R', ...program('native-tsan', name)];

const STORMS = [
  'stress/storm',
  'stress/pinned',
  'stress/queue_storm',
  'stress/everything',
  'heap/heap_threads',
];

/** @param {string} browser */
const stormIn = (browser) => [
  'npx',
  'playwright',
  'test',
  'browser/storms.spec.mjs',
  '--project',
  browser,
];

const NODE = ['node', '--test', '--test-reporter=spec'];

const EMBEDDING = [
  ...NODE,
  'tests/embedding/embedding.test.mjs',
  'tests/embedding/sources.test.mjs',
];

/** @type {Part[]} */
const PARTS = [
  {
    name: 'kill: after every instruction of every operation',
    preset: 'native',
    runs: [{ command: program('native', 'kill/kill') }],
  },
  {
    name: 'kill storm: 10,000 threads, while others go on',
    preset: 'native',
    runs: [{ command: program('native', 'kill/kill_storm') }],
  },
  {
    name: 'explore: all interleavings, and that every fault is found',
    preset: 'native',
    runs: ['scenarios', 'pinning', 'queueing', 'referencing'].map((name) => ({
      command: program('native', `explore/${name}`),
    })),
  },
  {
    name: 'model: interleavings and random programs',
    preset: 'native',
    runs: [
      { command: program('native', 'model/interleavings') },
      { command: program('native', 'model/random_program'), rounds: 20 },
      { command: program('native', 'heap/heap_random_program'), rounds: 20 },
    ],
  },
  {
    name: 'shortage: each growth fails in turn',
    preset: 'native',
    runs: [
      { command: program('native', 'unit/shortage') },
      { command: program('native', 'heap/heap_failing_growth'), rounds: 30 },
    ],
  },
  {
    name: 'storms: native',
    preset: 'native',
    runs: STORMS.map((name) => ({ command: program('native', name), rounds: 20 })),
  },
  {
    name: 'storms: under the thread sanitizer',
    preset: 'native-tsan',
    runs: STORMS.map((name) => ({ command: underTsan(name), rounds: 10 })),
  },
  {
    name: 'storms: 6,400 workers killed in Node',
    pages: true,
    runs: [
      {
        command: [...NODE, 'tests/js/storms.test.mjs', 'tests/js/storms-find.test.mjs'],
        kills: 6400,
      },
    ],
  },
  {
    name: 'storms: 3,600 workers killed in Firefox and Chromium',
    pages: true,
    runs: [
      { command: stormIn('firefox'), kills: 2400 },
      { command: stormIn('chromium'), kills: 1200 },
    ],
  },
  {
    name: 'webkit: the API in WebKitGTK',
    pages: true,
    runs: [{ command: ['node', '--test', 'tests/webkit/api.test.mjs'] }],
  },
  {
    name: 'embedding: more kinds of programs, also with the oldest Emscripten',
    runs: [{ command: EMBEDDING }, { command: EMBEDDING, suite: 'trixie' }],
  },
  {
    name: 'wasm64: the tests with 64-bit addresses',
    preset: 'emscripten-wasm64',
    // Emscripten's own creation of threads may hang there: docs/embedding.md.
    runs: [{ command: ['ctest', '--preset', 'emscripten-wasm64', '--repeat', 'after-timeout:3'] }],
  },
];

/** Of one run, in case that it hangs. */
const MINUTES_AT_MOST = 240;

/** @param {Run} what @returns {Promise<boolean>} */
async function succeeds({ command: [name, ...args], rounds = 1, kills, suite }) {
  if (name.startsWith('build/') && !existsSync(`${ROOT}${name}`)) {
    console.log(`- ${name} is not built on this system`);
    return true;
  }
  /** @type {Record<string, string>} */
  const env = { WALLOC_PROVE: '1', WALLOC_PORT: await freePort() };
  if (rounds > 1) env.WALLOC_ROUNDS = String(rounds);
  if (kills) env.WALLOC_STORM_KILLS = String(kills);
  if (suite) env.WALLOC_EMSCRIPTEN = await setUpSuite(suite);
  const options = { show: true, mayFail: true, env, minutes: MINUTES_AT_MOST };
  const { status } = await run(name, args, options);
  if (status !== 0) console.error(`✗ ${[name, ...args].join(' ')} failed (${status})`);
  return status === 0;
}

/** @param {Part} part @returns {Promise<boolean>} */
async function prove({ preset, runs }) {
  if (preset) await buildPreset(preset);
  let good = true;
  for (const what of runs) good = (await succeeds(what)) && good;
  return good;
}

/** @typedef {Part & { good?: boolean, minutes?: number }} Chosen without `good`: it has not come to its end */

/** @param {Chosen} part */
function report({ name, good, minutes = 0 }) {
  if (good === undefined) console.log(`- ${name}: not run to its end`);
  else console.log(`${good ? '✓' : '✗'} ${name} (${minutes.toFixed(1)} min)`);
}

/** @param {Chosen[]} chosen */
function conclude(chosen) {
  const left = chosen.filter(({ good }) => !good).map(({ name }) => `'${name}'`);
  console.log('');
  chosen.forEach(report);
  if (left.length) console.log(`\nNot proven. Again: npm run prove -- ${left.join(' ')}`);
  else console.log('\nProven');
}

/** @param {string[]} words @returns {Chosen[]} */
function choose(words) {
  const isMeant = (/** @type {Part} */ { name }) => words.some((word) => name.includes(word));
  const chosen = words.length ? PARTS.filter(isMeant) : PARTS;
  if (chosen.length) return chosen;
  const names = PARTS.map(({ name }) => `  ${name}`).join('\n');
  throw new Problem(`no part has a name with ${words.join(' or ')} in it:\n${names}`);
}

/** Whatever runs is ended first: see run. */
const onInterrupt = () => setImmediate(() => process.exit(130));

script(async () => {
  const chosen = choose(process.argv.slice(2));
  await setUpForTests();
  if (chosen.some(({ pages }) => pages)) await buildPages();
  process.on('SIGINT', onInterrupt);
  process.on('exit', () => conclude(chosen));
  for (const part of chosen) {
    const start = Date.now();
    const good = await step(part.name, () =>
      prove(part).catch((error) => {
        console.error(`✗ ${error instanceof Error ? error.message : error}`);
        return false;
      }),
    );
    Object.assign(part, { good, minutes: (Date.now() - start) / 60_000 });
    report(part);
  }
  process.exitCode = chosen.every(({ good }) => good) ? 0 : 1;
});
