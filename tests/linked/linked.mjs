/**
 * The JavaScript API over an Emscripten program: on its main thread and on a pthread.
 *
 *     node tests/linked/linked.mjs build/emscripten/tests/linked/linked_program.mjs
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Walloc, WallocError, WallocUnsupported } from '../../workers/walloc.js';
import { throwsError } from '../js/support.mjs';

const API = new URL('../../workers/walloc.js', import.meta.url).href;
const { default: start } = await import(pathToFileURL(process.argv[2]).href);

test('JavaScript, C and a pthread share the tiers, the heap and a queue', async () => {
  const Module = await start();
  /** @type {string[]} */
  const told = [];
  const walloc = Walloc.from(Module, {
    reserve: 4 << 20,
    strategy: 'best-fit',
    shares: { scene: 60, render: 20 },
    tiers: {
      entity: {
        hardBudget: 1 << 20,
        onPressure: (_arena, _needed, level) => void told.push(level),
      },
    },
  });
  assert.equal(walloc.mode, 'linked');
  assert.equal(Walloc.from(Module), walloc);
  assert.ok(walloc.stats().tiers.scene.capacity >= (4 << 20) * 0.59);
  throwsError(() => walloc.handle, WallocUnsupported, 'UNSUPPORTED', /Walloc\.from/);

  const view = walloc.scene.alloc(Float32Array, 50);
  view.array.fill(2);
  assert.equal(Module._sum(view.address, 50), 100);
  assert.equal(Module._scene_used(), walloc.scene.used);

  const queue = walloc.createQueue();
  const url = Module.stringToNewUTF8(API);
  assert.equal(Module._start_thread(url, queue.handle), 0);
  const theirs = await queue.next();
  assert.deepEqual([theirs?.length, theirs?.get(99)], [100, 1.5]);
  assert.equal(Module._sum(theirs?.address, 100), 150);

  const block = walloc.heap.alloc(Float64Array, 4);
  walloc.heap.free(block);
  assert.equal(block.valid, false);
  assert.throws(() => walloc.entity.allocBytes(2 << 20), { code: 'BUDGET' });
  assert.deepEqual(told, ['hard']);

  walloc.reset();
  assert.deepEqual([view.valid, theirs?.valid, Module._scene_used()], [false, false, 0]);
  walloc.detach();
  throwsError(() => walloc.scene.used, WallocError, 'DETACHED');
  assert.notEqual(Walloc.from(Module), walloc);
});

test('what C has started is joined, without options', async () => {
  const Module = await start();
  assert.equal(Module._start_walloc(), 0);
  const refused = () => Walloc.from(Module, { reserve: 1 << 20 });
  throwsError(refused, WallocError, 'INITIALIZED', /no options/);
  const { scene } = Walloc.from(Module);
  scene.allocBytes(64);
  assert.equal(Module._scene_used(), scene.used);
});

test('what is not such a Module is refused', () => {
  for (const wrong of [undefined, null, {}, 7]) {
    const from = () => Walloc.from(/** @type {any} */ (wrong));
    throwsError(from, WallocError, 'TYPE', /libwalloc_javascript/);
  }
});
