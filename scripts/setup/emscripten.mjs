/**
 * The Emscripten SDK: the one of this machine where it is new enough, else a private one made of Debian's
 * packages of a newer suite, kept in the cache for all checkouts.
 *
 * Those packages are for a newer C library than Debian 12 has. They are unpacked, not installed, and
 * their programs are given their own suite's loader and library path, so that both live side by side.
 * These paths are absolute: the folder cannot be moved afterwards.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  closeSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CACHE, Problem, run, step, which } from '../run.mjs';
import { fetchFromDebian } from './debian.mjs';
import { withLock } from './lock.mjs';

const MINIMUM = '3.1.69';
const TOOLCHAIN = 'cmake/Modules/Platform/Emscripten.cmake';
/** Debian's suites roll on: the second is asked when the first is broken for the moment. */
const SUITES = ['forky', 'sid'];

/**
 * @param {string} version
 * @param {string} minimum
 */
export function isAtLeast(version, minimum) {
  const [a, b] = [version, minimum].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i] > b[i];
  return true;
}

/**
 * The folder of the SDK to build with, which holds emcc and its CMake files. Tells which it is and why
 * another one is refused.
 *
 * @returns {Promise<string>}
 */
export async function setUpEmscripten() {
  /** @type {string[]} */
  const refusals = [];
  const installed = await findInstalled(process.env, refusals);
  for (const refusal of refusals) console.log(`▸ ${refusal}`);
  const folder = installed ?? (await setUpPrivate());
  process.env.EMSDK_PYTHON ??= await pythonItself();
  await warmUp(folder);
  return folder;
}

/**
 * The interpreter behind the name. What a version manager puts on PATH looks for it anew each time, and emcc, which
 * starts it for each file, takes twice as long for that.
 */
async function pythonItself() {
  const { output } = await run('python3', ['-c', 'import sys; print(sys.executable)']);
  return output.trim();
}

/** @param {string} emcc @returns {Promise<string>} such as '6.0.5'; '0' when it does not run */
async function versionOf(emcc) {
  const { output } = await run(emcc, ['-dumpversion'], { mayFail: true });
  return output.match(/^\d+\.\d+\.\d+/m)?.[0] ?? '0';
}

/**
 * The machine's own SDK when it is new enough.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @param {string[]} refusals a sentence is added for each SDK that is not
 */
export async function findInstalled({ EMSDK, PATH }, refusals) {
  const candidates = [EMSDK && join(EMSDK, 'upstream/emscripten/emcc'), which('emcc', PATH)];
  for (const emcc of candidates) {
    if (!emcc || !existsSync(emcc)) continue;
    const version = await versionOf(emcc);
    const folder = dirname(realpathSync(emcc));
    if (isAtLeast(version, MINIMUM) && existsSync(join(folder, TOOLCHAIN))) return folder;
    refusals.push(
      `Emscripten ${version} at ${emcc} is refused: ${MINIMUM} or newer is needed (what older ones ` +
        'build does not run on current Node). A private one is used instead.',
    );
  }
  return undefined;
}

/** @param {string} suite */
const home = (suite) => join(CACHE, `emscripten-${suite}`);

/** @param {string} suite */
const isComplete = (suite) => existsSync(join(home(suite), '.complete'));

/**
 * The private SDK of one of Debian's suites, fetched when it is not there yet.
 *
 * @param {string} suite
 * @returns {Promise<string>} the folder that holds emcc
 */
export async function setUpSuite(suite) {
  if (!isComplete(suite)) {
    const title = `Emscripten: fetching Debian ${suite}'s packages (some 100 MB, several times that unpacked)`;
    await step(title, () =>
      withLock(`${home(suite)}.lock`, async () => {
        if (!isComplete(suite)) await fetchPrivate(suite);
      }),
    );
  }
  return join(home(suite), 'usr/share/emscripten');
}

async function setUpPrivate() {
  const there = SUITES.find(isComplete);
  if (there) return setUpSuite(there);
  const failures = [];
  for (const suite of SUITES) {
    try {
      return await setUpSuite(suite);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      console.log(`  ${suite}: ${error.message}`);
      failures.push(suite);
    }
  }
  throw new Problem(
    `Emscripten could not be made from Debian's ${failures.join(' or ')}. Put an emcc of ${MINIMUM} or ` +
      'newer on PATH, or set EMSDK to where one is, and run this again.',
  );
}

/** What the machine has, or what only compiling for the machine itself would need. */
function notNeeded() {
  const compilers = [];
  for (let version = 12; version < 24; version++) {
    for (const name of ['libstdc++', 'libgcc', 'libobjc']) compilers.push(`${name}-${version}-dev`);
  }
  const others = ['python3', 'nodejs', 'ccache', 'libc6-dev', 'binutils', 'libcurl4t64'];
  return [...others, ...compilers];
}

/** @param {string} suite */
async function fetchPrivate(suite) {
  if (process.arch !== 'x64') {
    throw new Problem(`Only made for x86-64 machines, not ${process.arch}.`);
  }
  const request = { suite, command: ['install', 'emscripten', 'patchelf'], without: notNeeded() };
  await fetchFromDebian(request, async (archives) => {
    mkdirSync(CACHE, { recursive: true });
    const unpacked = mkdtempSync(join(CACHE, 'emscripten-'));
    try {
      for (const name of readdirSync(archives).filter((file) => file.endsWith('.deb'))) {
        await run('dpkg-deb', ['-x', join(archives, name), unpacked]);
      }
      for (const name of ['doc', 'man', 'locale']) {
        rmSync(join(unpacked, 'usr/share', name), { recursive: true, force: true });
      }
      rmSync(home(suite), { recursive: true, force: true });
      renameSync(unpacked, home(suite));
    } finally {
      rmSync(unpacked, { recursive: true, force: true });
    }
  });
  await relocate(home(suite));
  configure(home(suite));
  const version = await versionOf(join(home(suite), 'usr/share/emscripten/emcc'));
  if (!isAtLeast(version, MINIMUM)) throw new Problem(`has only Emscripten ${version}`);
  writeFileSync(join(home(suite), '.complete'), version);
}

/**
 * Gives all programs and libraries their own suite's loader and library path.
 *
 * @param {string} root
 */
async function relocate(root) {
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  const llvm = readdirSync(join(root, 'usr/lib')).find((name) => /^llvm-\d+$/.test(name)) ?? 'llvm';
  const patchelf = (/** @type {string[]} */ ...args) =>
    run(loader, ['--library-path', libraries, join(root, 'usr/bin/patchelf'), ...args]);

  const isShared = (/** @type {string} */ path) => /\.so[^/]*$/.test(path) && isElf(path);
  const needed = /\/(libLLVM|libclang-cpp|libbinaryen)\b[^/]*$/;
  const shared = [
    ...files(libraries).filter((path) => needed.test(path)),
    ...files(join(root, 'usr/lib', llvm, 'lib')),
  ];
  for (const path of shared.filter(isShared)) await patchelf('--remove-rpath', path);

  const programs = [
    ...files(join(root, 'usr/lib', llvm, 'bin')),
    ...files(join(root, 'usr/bin')).filter((path) => /\/wasm[^/]*$/.test(path)),
  ];
  for (const path of programs.filter(isElf)) {
    await patchelf('--set-interpreter', loader, '--force-rpath', '--set-rpath', libraries, path);
  }
}

/** @param {string} folder @returns {string[]} its files that are no links */
function files(folder) {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile());
}

/** @param {string} path */
function isElf(path) {
  const file = openSync(path, 'r');
  const start = Buffer.alloc(4);
  readSync(file, start, 0, 4, 0);
  closeSync(file);
  return start.toString('latin1') === '\x7fELF';
}

/** @param {string} root */
function configure(root) {
  const llvm = readdirSync(join(root, 'usr/lib')).find((name) => /^llvm-\d+$/.test(name));
  writeFileSync(
    join(root, 'usr/share/emscripten/.emscripten'),
    `import os
LLVM_ROOT = '${root}/usr/lib/${llvm}/bin'
BINARYEN_ROOT = '${root}/usr'
NODE_JS = os.environ.get('EM_NODE_JS') or 'node'
CACHE = os.environ.get('EM_CACHE') or '${root}/cache'
`,
  );
  // acorn, for a node that does not look in /usr/share/nodejs
  const modules = join(root, 'usr/share/node_modules');
  if (!existsSync(modules)) symlinkSync('nodejs', modules);
}

/**
 * Has emcc build its threaded system libraries, which it would otherwise do, silently and slowly, in the
 * middle of the first build.
 *
 * @param {string} folder
 */
async function warmUp(folder) {
  const stamp = join(CACHE, `libraries-${folder.replace(/\W+/g, '-')}`);
  if (existsSync(stamp)) return;
  await step("Emscripten's threaded libraries: building them, once (1 to 2 minutes)", () =>
    withLock(`${stamp}.lock`, async () => {
      if (existsSync(stamp)) return;
      const trial = mkdtempSync(join(tmpdir(), 'walloc-trial-'));
      try {
        const source = join(trial, 'trial.c');
        writeFileSync(source, '#include <stdio.h>\nint main(void) { return puts("ok") < 0; }\n');
        const flags = ['-pthread', '-O2', '-sALLOW_MEMORY_GROWTH', '-Wno-pthreads-mem-growth'];
        const out = join(trial, 'trial.js');
        await run(join(folder, 'emcc'), [source, ...flags, '-sPROXY_TO_PTHREAD', '-o', out]);
        writeFileSync(stamp, '');
      } finally {
        rmSync(trial, { recursive: true, force: true });
      }
    }),
  );
}
