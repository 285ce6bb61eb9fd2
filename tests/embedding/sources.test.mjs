/**
 * As embedding.test.mjs, for programs that build walloc's sources with their own. A file of its own, as two run at a time.
 */
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { ROOT, run } from '../../scripts/run.mjs';
import { OTHER, OURS, buildAndRun, copyOut } from './support.mjs';

/** @typedef {import('./support.mjs').Platform} Platform */

describe('add_subdirectory', () => {
  const folder = copyOut('subdirectory');
  symlinkSync(ROOT.replace(/\/$/, ''), join(folder, 'walloc'));

  test('natively, with a namespace', async () => {
    assert.equal(await buildAndRun(folder, 'native', ['-DWALLOC_NAMESPACE=mine_']), OTHER);
  });
  test('with Emscripten, without threads', async () => {
    // Linked without optimisation it needs only what every Emscripten has built when it has once configured a project.
    const options = ['-DWALLOC_THREADS=OFF', '-DCMAKE_EXE_LINKER_FLAGS_RELEASE=-O0'];
    const grow = '-DCMAKE_EXE_LINKER_FLAGS=-sALLOW_MEMORY_GROWTH';
    assert.equal(await buildAndRun(folder, 'emscripten', [...options, grow]), OTHER);
  });
});

describe('FetchContent, in place of malloc', () => {
  const folder = copyOut('fetch');
  const archive = join(folder, 'walloc.tar.gz');
  before(() => run('tar', ['-czf', archive, 'CMakeLists.txt', 'cmake', 'include', 'src', 'trace']));

  for (const platform of /** @type {Platform[]} */ (['native', 'emscripten'])) {
    test(platform, async () => {
      const options = [`-DWALLOC_ARCHIVE=${archive}`];
      if (platform === 'emscripten')
        options.push('-DCMAKE_EXE_LINKER_FLAGS=-sINITIAL_MEMORY=67108864');
      assert.equal(await buildAndRun(folder, platform, options), OURS);
    });
  }
});
