/**
 * Pins and frames from JavaScript: what they hold, what is told when they hold something up, and other threads.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISPOSE } from '../../workers/api/dispose.js';
import {
  Frames,
  Pin,
  WallocError,
  WallocOutOfMemory,
  WallocRangeError,
} from '../../workers/walloc.js';
import { Helper, MIB, createFor, throwsError } from './support.mjs';

const WORKER = './frames-worker.mjs';

test('nothing is recycled under a pin', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena();
  const view = arena.alloc(Uint32Array, 4);
  const mark = arena.mark();
  const pin = arena.pin();
  assert.ok(pin instanceof Pin);
  assert.equal(pin.arena, arena);
  for (const recycle of [
    () => arena.reset(),
    () => arena.compact(0),
    () => arena.rewind(mark),
    () => arena.destroy(),
    () => walloc.shutdown(),
  ]) {
    throwsError(recycle, WallocError, 'PINNED', /unpinned/);
  }
  arena.alloc(Uint32Array, 4);
  assert.ok(view.valid);
  pin.unpin();
  throwsError(() => pin.unpin(), WallocError, 'HANDLE');
  arena.rewind(mark);
  arena.reset();
  assert.equal(view.valid, false);
});

test('pins nest, and end once', async (t) => {
  const walloc = await createFor(t);
  const { scene } = walloc;
  const outer = scene.pin();
  const inner = scene.pin();
  inner[DISPOSE]();
  inner[DISPOSE]();
  throwsError(() => scene.reset(), WallocError, 'PINNED');
  outer[DISPOSE]();
  scene.reset();
  const arenas = Array.from({ length: 8 }, () => walloc.createArena());
  const pins = arenas.slice(0, 7).map((arena) => arena.pin());
  throwsError(() => arenas[7].pin(), WallocError, 'LIMIT');
  for (const pin of pins) pin.unpin();
  arenas[7].pin().unpin();
  const gone = arenas[0];
  gone.destroy();
  throwsError(() => gone.pin(), WallocError, 'ARENA');
});

test('a pin of another thread holds until it ends or detaches', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle, WORKER);
  await helper.call('pin', walloc.scene.handle);
  throwsError(() => walloc.scene.reset(), WallocError, 'PINNED');
  await helper.call('unpin');
  walloc.scene.reset();
  await helper.call('pin', walloc.scene.handle);
  throwsError(() => walloc.scene.reset(), WallocError, 'PINNED');
  await helper.call('detach');
  walloc.scene.reset();
  await helper.end();
});

test('a block lives for as many frames as are in flight', async (t) => {
  const walloc = await createFor(t);
  for (const inFlight of [2, 3, 4]) {
    const frames = walloc.createFrames({ frames: inFlight, arena: { alignment: 64 } });
    assert.ok(frames instanceof Frames);
    const views = [];
    for (let frame = 1; frame < 12; frame++) {
      assert.equal(frames.current, frame);
      const view = frames.alloc(Uint32Array, 100, { align: 512 });
      assert.equal(view.arena, frames.arena);
      view.array.fill(frame);
      views.push(view);
      for (const [i, { valid }] of views.entries()) assert.equal(valid, frame - i <= inFlight);
      assert.equal(frames.advance(), true);
    }
    const { advances, heldUp, refused, storages, lastHolder } = frames.stats();
    assert.deepEqual([advances, heldUp, refused, storages, lastHolder], [11, 0, 0, inFlight, 0]);
    frames.destroy();
    for (const use of [
      () => frames.advance(),
      () => frames.alloc(Uint8Array, 1),
      () => frames.pin(),
    ])
      throwsError(use, WallocError, 'HANDLE');
  }
});

test('a pinned frame takes other storage, and says who holds it', async (t) => {
  const walloc = await createFor(t);
  const frames = walloc.createFrames({ frames: 2, storages: 3 });
  const helper = new Helper(walloc.handle, WORKER);
  const view = frames.alloc(Uint32Array, 10);
  await helper.call('pinFrame', { frames: frames.handle });
  for (let i = 0; i < 4; i++) assert.equal(frames.advance(), true);
  assert.ok(view.valid);
  const own = frames.pin();
  assert.equal(frames.advance(), true);
  assert.equal(frames.advance(), false);
  assert.ok(frames.alloc(Uint32Array, 10).valid);
  const { heldUp, refused, storages, lastHolder } = frames.stats();
  assert.deepEqual([heldUp, refused, storages], [5, 1, 3]);
  const holders = [walloc.threadNumber, await helper.call('number')];
  assert.notEqual(holders[0], holders[1]);
  assert.ok(holders.includes(lastHolder));
  throwsError(() => frames.destroy(), WallocError, 'PINNED');
  own.unpin();
  assert.equal(frames.advance(), true);
  assert.equal(frames.stats().lastHolder, holders[1]);
  await helper.call('unpin');
  frames.advance();
  assert.equal(view.valid, false);
  await helper.end();
});

test('frames are pinned by their number', async (t) => {
  const walloc = await createFor(t);
  const frames = walloc.createFrames();
  const first = frames.arena;
  for (let i = 0; i < 2; i++) frames.advance();
  const pin = frames.pin(1);
  assert.equal(pin.arena, first);
  pin.unpin();
  frames.advance();
  for (const frame of [1, 5, -1, 1.5, /** @type {any} */ ('2')]) {
    throwsError(() => frames.pin(frame), WallocError, 'STALE');
  }
  assert.equal(walloc.frames(frames.handle).pin(4).arena, frames.arena);
});

test('what cannot be is refused', async (t) => {
  const walloc = await createFor(t);
  for (const options of [
    { frames: 1 },
    { frames: 5 },
    { storages: 2 },
    { storages: 9 },
    { frame: 3 },
    { arena: { alignment: 3 } },
    { arena: { onPressure: () => true } },
    { arena: { pressure: true } },
    7,
  ]) {
    throwsError(
      () => walloc.createFrames(/** @type {any} */ (options)),
      WallocRangeError,
      'CONFIG',
    );
  }
  throwsError(
    () => walloc.createFrames({ arena: { reserve: 40 * MIB } }),
    WallocOutOfMemory,
    'OUT_OF_MEMORY',
  );
  for (const handle of [0, 7, 8, 2 ** 32, -1, 'x', undefined]) {
    throwsError(() => walloc.frames(/** @type {any} */ (handle)), WallocError, 'HANDLE');
  }
  const all = Array.from({ length: 8 }, () => walloc.createFrames({ frames: 2 }));
  throwsError(() => walloc.createFrames(), WallocError, 'LIMIT');
  const { handle } = all[0];
  all[0].destroy();
  const next = walloc.createFrames({ frames: 2 });
  assert.notEqual(next.handle, handle);
  throwsError(() => walloc.frames(handle), WallocError, 'HANDLE');
});

test('what is read under a pin does not change, however fast frames advance', async (t) => {
  const walloc = await createFor(t);
  const frames = walloc.createFrames({ frames: 2, storages: 8, arena: { lane: false } });
  const mailbox = walloc.scene.alloc(Uint32Array, 6);
  let number = 0;
  const write = () => {
    const block = frames.alloc(Uint32Array, 256);
    block.array.fill(++number);
    const { array } = mailbox;
    const { arena, address, length, low, high } = block.ref;
    Atomics.add(array, 0, 1);
    for (const [i, word] of [arena, address, length, low, high].entries()) {
      Atomics.store(array, i + 1, word);
    }
    Atomics.add(array, 0, 1);
  };
  write();
  const helpers = Array.from({ length: 3 }, () => new Helper(walloc.handle, WORKER));
  let running = true;
  const reading = Promise.all(
    helpers.map((helper) => helper.call('read', { mailbox: mailbox.ref, times: 3000 })),
  ).finally(() => (running = false));
  while (running) {
    for (let i = 0; i < 50; i++) {
      frames.advance();
      write();
    }
    await new Promise(setImmediate);
  }
  const seen = await reading;
  const { advances, heldUp } = frames.stats();
  t.diagnostic(`${advances} advances, ${heldUp} held up, ${JSON.stringify(seen)}`);
  for (const { read } of seen) assert.ok(read > 0);
  assert.ok(advances > 100);
  await Promise.all(helpers.map((helper) => helper.end()));
  assert.equal(frames.advance(), true);
});
