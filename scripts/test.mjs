/**
 * Every test, in the order in which a failure tells most; goes on after a failure, and closes with the
 * sums.
 *
 *     npm test                 all
 *     npm test -- unit lint    only the suites whose names contain one of these words
 */
import { readdirSync } from 'node:fs';
import { ROOT, freePort, run, script, step } from './run.mjs';
import { buildPages, buildPreset } from './build.mjs';
import { setUpForNative, setUpForPages } from './setup.mjs';

/**
 * How many tests passed and failed, read from what a test runner printed.
 *
 * @typedef {{ passed: number, failed: number }} Sums
 */

/**
 * The number that a pattern captures, 0 without a match.
 *
 * @param {string} output
 * @param {RegExp} pattern
 */
const number = (output, pattern) => Number(output.match(pattern)?.[1] ?? 0);

/** @param {string} output @returns {Sums} */
function ofCtest(output) {
  const failed = number(output, /(\d+) tests? failed out of \d+/);
  return { passed: number(output, /tests? failed out of (\d+)/) - failed, failed };
}

/** @param {string} output @returns {Sums} */
const ofNode = (output) => ({
  passed: number(output, /^(?:#|ℹ) pass (\d+)/m),
  failed: number(output, /^(?:#|ℹ) fail (\d+)/m),
});

/** @param {string} output @returns {Sums} */
const ofPlaywright = (output) => ({
  passed: number(output, /^\s+(\d+) passed/m),
  failed:
    number(output, /^\s+(\d+) failed/m) +
    number(output, /^\s+(\d+) flaky/m) +
    number(output, /^\s+(\d+) did not run/m),
});

/** @param {string} output @returns {Sums} */
const ofLint = (output) => ({
  passed: number(output, /(\d+) checks? passed/),
  failed: number(output, /(\d+) failed/),
});

/**
 * `build` is what has to be done before; a suite that is done `behind` the others runs as the builds do.
 *
 * @typedef {object} Suite
 * @property {string} name
 * @property {() => Promise<unknown>} [build]
 * @property {boolean} [native] needs neither Emscripten nor the npm registry's packages
 * @property {boolean} [behind]
 * @property {string[]} command
 * @property {(output: string) => Sums} sums
 */

/** @param {string} preset @param {string} what @returns {Suite} */
const ctest = (preset, what) => ({
  name: `C, ${what} (${preset})`,
  native: preset.startsWith('native'),
  build: () => buildPreset(preset),
  command: ['ctest', '--preset', preset],
  sums: ofCtest,
});

/** Named one by one, as versions of Node differ in how they read a folder. @param {string} room */
const nodeTests = (room) =>
  readdirSync(`${ROOT}tests/${room}`)
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => `tests/${room}/${name}`);

/** Of one suite: a test that hangs is a failure, and the suites behind it still run. */
const MINUTES_AT_MOST = 10;

/** Milliseconds after which a runner gives up before that, and says what was running; ctest's are in CMakePresets.json. */
const GIVES_UP = (MINUTES_AT_MOST - 0.5) * 60_000;

/** Two files at a time, as tests wait for each other's threads, and for time to pass. */
const NODE = [
  ...['node', '--test', '--test-reporter=spec'],
  ...[`--test-timeout=${GIVES_UP}`, '--test-concurrency=2'],
];

/** @type {Suite[]} */
const SUITES = [
  ctest('native', 'native'),
  ctest('native-asan', 'address and undefined behaviour sanitizers'),
  ctest('native-tsan', 'thread sanitizer'),
  ctest('emscripten', 'WebAssembly under Node'),
  ctest('emscripten-single', 'WebAssembly without threads'),
  {
    name: 'JavaScript under Node (js)',
    command: [...NODE, ...nodeTests('js'), ...nodeTests('scripts'), ...nodeTests('webkit')],
    sums: ofNode,
  },
  {
    name: 'Programs that take walloc in (embedding)',
    behind: true,
    command: [...NODE, ...nodeTests('embedding')],
    sums: ofNode,
  },
  {
    name: 'Pages in Chromium, the API and storms also in Firefox (browser)',
    command: ['npx', 'playwright', 'test', `--global-timeout=${GIVES_UP}`],
    sums: ofPlaywright,
  },
  {
    name: 'Format, lint and types (lint)',
    behind: true,
    command: ['node', 'scripts/lint.mjs'],
    sums: ofLint,
  },
];

/**
 * Runs the command of a suite. Behind the others it waits for processors, and so may take longer; what it prints is
 * shown when it is its turn.
 *
 * @param {Suite} suite
 */
async function runCommand({ behind = false, command }) {
  const env = { WALLOC_PORT: await freePort() };
  const minutes = MINUTES_AT_MOST * (behind ? 2 : 1);
  const [program, ...args] = behind ? ['nice', ...command] : command;
  return run(program, args, { show: !behind, mayFail: true, env, minutes });
}

/**
 * Tests wait for single threads, for browsers and for time to pass. Meanwhile, one after the other and with what
 * processors they leave, all that is to be built is, and then the suites run that are to be behind the others.
 *
 * @param {Suite[]} suites
 * @param {Promise<void>} everything resolves when what only the native ones do without is there
 * @returns {Map<Suite, Promise<void | Awaited<ReturnType<typeof runCommand>>>>} of a suite, with what that has printed
 */
function workBehind(suites, everything) {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  const work = new Map();
  for (const suite of suites) {
    const { build, behind, native } = suite;
    const done = last.then(async () => {
      if (!native) await everything;
      await build?.();
      if (behind) return runCommand(suite);
    });
    work.set(suite, done);
    last = done.catch(() => {}); // reported by its suite
  }
  return work;
}

/** @param {Suite} suite @param {ReturnType<typeof workBehind>} work @returns {Promise<Sums>} */
async function runSuite(suite, work) {
  try {
    const done = await work.get(suite);
    if (done) console.log(done.output);
    const { output, status } = done ?? (await runCommand(suite));
    const { passed, failed } = suite.sums(output);
    // A runner that fails without naming a test, or finds none, has failed all the same.
    return { passed, failed: failed || Number(status !== 0 || passed === 0) };
  } catch (error) {
    console.error(`✗ ${error instanceof Error ? error.message : error}`);
    return { passed: 0, failed: 1 };
  }
}

script(async () => {
  const words = process.argv.slice(2);
  const chosen = SUITES.filter(
    ({ name }) => !words.length || words.some((word) => name.includes(word)),
  );
  await setUpForNative();
  const everything = setUpForPages(); // takes a minute and more: the native builds go on meanwhile
  const work = workBehind(chosen, everything);
  await everything;
  await buildPages();
  /** @type {(Sums & { name: string })[]} */
  const results = [];
  for (const suite of chosen) {
    results.push({ name: suite.name, ...(await step(suite.name, () => runSuite(suite, work))) });
  }
  console.log('');
  for (const { name, passed, failed } of results) {
    console.log(`${failed ? '✗' : '✓'} ${name}: ${passed} passed, ${failed} failed`);
  }
  const sum = (/** @type {'passed' | 'failed'} */ key) =>
    results.reduce((total, result) => total + result[key], 0);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') || !results.length ? 1 : 0;
});
