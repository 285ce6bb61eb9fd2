/**
 * Contexts from JavaScript: counts, children, resets, released references, and other threads.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISPOSE } from '../../workers/api/dispose.js';
import { Context, WallocError } from '../../workers/walloc.js';
import { Helper, createFor, throwsError } from './support.mjs';

const WORKER = './frames-worker.mjs';

test('a context allocates from its arena, until it is released', async (t) => {
  const walloc = await createFor(t);
  const context = walloc.context(walloc.scene);
  assert.ok(context instanceof Context);
  assert.equal(context.arena, walloc.scene);
  const view = context.alloc(Float32Array, 10, { align: 256 });
  assert.equal(view.arena, walloc.scene);
  assert.equal(view.address % 256, 0);
  context.reset();
  assert.equal(view.valid, false);
  const kept = context.alloc(Float32Array, 10);
  context.release();
  assert.ok(kept.valid);
  assert.equal(context.handle, 0);
  for (const use of [
    () => context.release(),
    () => context.retain(),
    () => context.reset(),
    () => context.arena,
    () => context.alloc(Uint8Array, 1),
    () => context.create(),
    () => context.create(walloc.render),
    () => context.createEntity(),
  ]) {
    throwsError(use, WallocError, 'HANDLE', /released/);
  }
});

test('each object is one reference', async (t) => {
  const walloc = await createFor(t);
  const first = walloc.context(walloc.scene);
  const { handle } = first;
  const second = first.retain();
  first.release();
  throwsError(() => first.retain(), WallocError, 'HANDLE');
  assert.equal(second.handle, handle);
  second.alloc(Uint8Array, 1);
  const third = walloc.context(handle); // takes over the second's, which is forgotten
  third[DISPOSE]();
  third[DISPOSE](); // once
  throwsError(() => second.alloc(Uint8Array, 1), WallocError, 'HANDLE');
  throwsError(() => walloc.context(handle), WallocError, 'HANDLE');
});

test('children go on without their parent', async (t) => {
  const walloc = await createFor(t);
  const scene = walloc.context(walloc.scene);
  const entity = scene.createEntity();
  const other = scene.create(walloc.render);
  const same = scene.create();
  const view = scene.alloc(Uint8Array, 8);
  const own = entity.alloc(Uint8Array, 8);
  scene.release();
  assert.ok(view.valid && own.valid);
  assert.equal(entity.arena, walloc.entity);
  assert.equal(other.arena, walloc.render);
  assert.equal(same.arena, walloc.scene);
  same.reset();
  assert.ok(!view.valid && own.valid);
  for (const context of [entity, other, same]) context.release();
  assert.ok(own.valid);
});

test('the last release resets if asked to, unless a pin is there', async (t) => {
  const walloc = await createFor(t);
  const context = walloc.context(walloc.createArena(), { resets: true });
  const view = context.alloc(Uint8Array, 8);
  const more = context.retain();
  more.release();
  assert.ok(view.valid);
  const pin = view.arena.pin();
  throwsError(() => context.release(), WallocError, 'PINNED');
  throwsError(() => context.reset(), WallocError, 'PINNED');
  assert.ok(view.valid);
  pin.unpin();
  context.release();
  assert.equal(view.valid, false);
});

test('what is no arena and no context is refused', async (t) => {
  const walloc = await createFor(t);
  for (const wrong of [0, -1, 1.5, 2 ** 32, 4096, 'scene', null, undefined, {}]) {
    throwsError(() => walloc.context(/** @type {any} */ (wrong)), WallocError, 'HANDLE');
  }
  const arena = walloc.createArena();
  const context = walloc.context(arena);
  arena.destroy();
  throwsError(() => context.alloc(Uint8Array, 1), WallocError, 'ARENA');
  throwsError(() => walloc.context(arena), WallocError, 'ARENA');
  context.release();
  const all = Array.from({ length: 1024 }, () => walloc.context(walloc.scene));
  throwsError(() => walloc.context(walloc.scene), WallocError, 'LIMIT');
  for (const one of all) one.release();
  walloc.detach();
  throwsError(() => all[0].retain(), WallocError, 'DETACHED');
});

test('a reference goes to another thread', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle, WORKER);
  const context = walloc.context(walloc.createArena(), { resets: true });
  const { arena } = context;
  const ref = await helper.call('useContext', context.retain().handle);
  assert.deepEqual([...walloc.view(ref).array], [7, 7, 7, 7]);
  assert.equal(arena.stats().resets, 0);
  const { handle } = context;
  await helper.call('useContext', handle); // the last
  assert.equal(arena.stats().resets, 1);
  throwsError(() => context.alloc(Uint8Array, 1), WallocError, 'HANDLE');
  await assert.rejects(helper.call('useContext', handle), /HANDLE/);
  await helper.end();
});

test('many threads retain and release, and one of them is the last', async (t) => {
  const walloc = await createFor(t);
  const helpers = Array.from({ length: 4 }, () => new Helper(walloc.handle, WORKER));
  const arena = walloc.createArena();
  for (let round = 1; round <= 5; round++) {
    const context = walloc.context(arena, { resets: true });
    const view = context.alloc(Uint8Array, 8);
    const all = helpers.map((helper) => helper.call('retainAndRelease', context.retain().handle));
    context.release();
    await Promise.all(all);
    assert.equal(arena.stats().resets, round);
    assert.equal(view.valid, false);
  }
  await Promise.all(helpers.map((helper) => helper.end()));
});
