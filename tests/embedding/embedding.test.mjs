/**
 * Other people's programs take walloc in, in every way that docs/embedding.md names: each is a small project in a
 * folder of its own outside of the checkout, built with the compiler of the machine and with Emscripten, and run.
 *
 * With WALLOC_PROVE=1 (npm run prove -- embedding) the libraries are built outside of the checkout too, and there are
 * more kinds of programs, which need more of Emscripten's own libraries than are there after a build of walloc.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { ROOT, run } from '../../scripts/run.mjs';
import {
  OTHER,
  OURS,
  PROVES,
  VERSION,
  buildAndRun,
  copyOut,
  emscripten,
  runProgram,
} from './support.mjs';

/** @typedef {import('./support.mjs').Platform} Platform */

for (const platform of /** @type {Platform[]} */ (['native', 'emscripten'])) {
  describe(`installed, ${platform}`, () => {
    const folder = copyOut('package');
    const prefix = join(folder, 'prefix');
    const memory = '-sINITIAL_MEMORY=67108864';
    const libraries = PROVES ? join(folder, 'libraries') : `${ROOT}build/${platform}`;

    before(async () => {
      const without = PROVES ? ['-DWALLOC_BUILD_TESTS=OFF', '-DWALLOC_BUILD_BENCH=OFF'] : [];
      await run('cmake', ['--preset', platform, '-B', libraries, ...without]);
      await run('cmake', ['--build', libraries, '--target', 'walloc', 'walloc_malloc']);
      await run('cmake', ['--install', libraries, '--prefix', prefix]);
    });

    test('find_package', async () => {
      const options = [`-Dwalloc_DIR=${prefix}/lib/cmake/walloc`];
      if (platform === 'emscripten') options.push(`-DCMAKE_EXE_LINKER_FLAGS=${memory}`);
      assert.equal(await buildAndRun(folder, platform, options), OTHER);
    });

    test('find_package refuses another version', { skip: platform !== 'native' }, async () => {
      const options = [`-Dwalloc_DIR=${prefix}/lib/cmake/walloc`, '-DVERSION=0.2'];
      const build = ['-B', join(folder, 'build-refused'), '-G', 'Ninja'];
      const { output, status } = await run('cmake', ['-S', folder, ...build, ...options], {
        mayFail: true,
      });
      assert.notEqual(status, 0);
      assert.match(output, new RegExp(`walloc-config.cmake, version: ${VERSION}`));
    });

    test('pkg-config, in place of malloc', async () => {
      const env = { PKG_CONFIG_PATH: `${prefix}/lib/pkgconfig` };
      const asked = await run('pkg-config', ['--cflags', '--libs', 'walloc_malloc'], { env });
      const flags = [...asked.output.trim().split(/\s+/), '-DWITH_THREADS', '-O2'];
      const program = join(folder, 'by-pkg-config');
      const source = join(folder, 'program.c');
      if (platform === 'native') {
        await run('cc', [source, ...flags, '-o', program]);
      } else {
        const runtime = [memory, '-sPTHREAD_POOL_SIZE=1', '-sEXIT_RUNTIME'];
        await run(join(emscripten, 'emcc'), [source, ...flags, ...runtime, '-o', `${program}.js`]);
      }
      assert.equal(await runProgram(platform, program), OURS);
    });
  });
}

describe('a port of Emscripten', () => {
  const folder = copyOut('package');
  const port = `--use-port=${ROOT}ports/walloc.py`;
  const strict = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-sSTRICT'];
  const source = join(folder, 'program.c');
  const emcc = (/** @type {string[]} */ args) =>
    run(join(emscripten, 'emcc'), [...strict, ...args]);

  test('compiled and linked, with threads, in place of malloc, hardened', async () => {
    const flags = ['-pthread', `${port}:malloc=true:hardened=true`];
    const object = join(folder, 'program.o');
    const program = join(folder, 'program');
    await emcc([...flags, '-O2', '-DWITH_THREADS', '-c', source, '-o', object]);
    const runtime = ['-sPTHREAD_POOL_SIZE=1', '-sEXIT_RUNTIME', '-sINITIAL_MEMORY=67108864'];
    await emcc([...flags, '-O2', ...runtime, object, '-o', `${program}.js`]);
    assert.equal(await runProgram('emscripten', program), OURS);
  });

  const pthread = ['-pthread', '-DWITH_THREADS'];
  const wide = ['-sMEMORY64=2', '-Wno-experimental']; // lowered when it is linked, so that Node 20 runs it
  /** What each is compiled with; -flto only there where there are threads, see docs/embedding.md. */
  const kinds = [
    { name: 'without threads', options: '', flags: [] },
    { name: 'without threads, its malloc', options: ':malloc=true', flags: [] },
    { name: 'with threads', options: '', flags: pthread },
    { name: 'with threads, its malloc', options: ':malloc=true', flags: pthread },
    { name: 'optimised at link time', options: '', flags: ['-flto'] },
    { name: 'compiled so, with threads', options: ':malloc=true', flags: [...pthread, '-flto'] },
    { name: 'with 64-bit addresses', options: '', flags: wide },
    { name: 'the same, with threads', options: ':malloc=true', flags: [...pthread, ...wide] },
  ];
  for (const { name, options, flags } of kinds) {
    test(`compiled, linked and run: ${name}`, { skip: !PROVES }, async () => {
      const object = join(folder, 'kind.o');
      const program = join(folder, 'kind');
      const isThreaded = flags.includes('-pthread');
      const linking = flags.filter((flag) => !isThreaded || flag !== '-flto');
      const runtime = ['-sEXIT_RUNTIME', '-sINITIAL_MEMORY=67108864'];
      if (isThreaded) runtime.push('-sPTHREAD_POOL_SIZE=1');
      await emcc([port + options, '-O2', ...flags, '-c', source, '-o', object]);
      await emcc([port + options, '-O2', ...linking, ...runtime, object, '-o', `${program}.js`]);
      assert.equal(await runProgram('emscripten', program), options ? OURS : OTHER);
    });
  }

  test('the library is compiled for 64-bit addresses and for optimising at link time', async () => {
    const object = join(folder, 'wide.o');
    const flags = ['-sMEMORY64', '-Wno-experimental', '-flto', port];
    const { output } = await emcc([...flags, '-O2', '-c', source, '-o', object]);
    assert.ok(existsSync(object), output);
  });

  test('an option that there is not is refused, with those that there are', async () => {
    for (const [options, message] of [
      ['malloc=maybe', /malloc is true or false, not `maybe`/],
      ['quick=true', /quick.* is not supported.*hardened/],
    ]) {
      const args = ['-c', source, '-o', join(folder, 'none.o'), `${port}:${options}`];
      const { output, status } = await run(join(emscripten, 'emcc'), args, { mayFail: true });
      assert.notEqual(status, 0);
      assert.match(output, /** @type {RegExp} */ (message));
    }
  });
});

test('the version is the same wherever it stands', () => {
  const read = (/** @type {string} */ path) => readFileSync(ROOT + path, 'utf8');
  const header = read('include/walloc_version.h');
  const part = (/** @type {string} */ name) =>
    header.match(new RegExp(`WALLOC_VERSION_${name} (\\d+)`))?.[1];
  assert.equal(header.match(/WALLOC_VERSION "(.*)"/)?.[1], VERSION);
  assert.equal(['MAJOR', 'MINOR', 'PATCH'].map(part).join('.'), VERSION);
  assert.equal(read('CMakeLists.txt').match(/project\(walloc VERSION (\S+)/)?.[1], VERSION);
  assert.match(read('CHANGELOG.md'), new RegExp(`^## ${VERSION.replaceAll('.', '\\.')}\\b`, 'm'));
});
