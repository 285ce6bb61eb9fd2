/**
 * The heap from JavaScript: blocks by address, what is refused, threads, statistics, and arenas that fall back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  WallocError,
  WallocOutOfMemory,
  WallocRangeError,
  WallocStaleView,
} from '../../workers/walloc.js';
import { Helper, MIB, createFor, throwsError } from './support.mjs';

/** @param {import('../../workers/walloc.js').Walloc} walloc @param {number} address @param {number} length */
const bytes = ({ handle }, address, length) =>
  new Uint8Array(handle.memory.buffer, address, length);

test('blocks are aligned, disjoint and as large as they say', async (t) => {
  const walloc = await createFor(t);
  const blocks = [];
  for (const size of [0, 1, 16, 17, 100, 4096, 5000, 32768, 32769, 100_000, 3 * MIB]) {
    for (const align of [16, 64, 4096, 65536]) {
      const address = align === 16 ? walloc.heap.malloc(size) : walloc.heap.malloc(size, { align });
      const usable = walloc.heap.usableSize(address);
      assert.equal(address % align, 0);
      assert.ok(usable >= size && usable > 0);
      bytes(walloc, address, size).fill(blocks.length);
      blocks.push({ address, size, end: address + usable });
    }
  }
  for (const [i, { address, size }] of blocks.entries()) {
    assert.ok(bytes(walloc, address, size).every((byte) => byte === i));
  }
  blocks.sort((a, b) => a.address - b.address);
  for (let i = 1; i < blocks.length; i++) assert.ok(blocks[i - 1].end <= blocks[i].address);
  for (const { address } of blocks) walloc.heap.free(address);
});

test('calloc is zero, also where something was', async (t) => {
  const walloc = await createFor(t);
  for (const size of [100, 50_000, 300_000]) {
    const dirty = walloc.heap.malloc(size);
    bytes(walloc, dirty, size).fill(255);
    walloc.heap.free(dirty);
    const address = walloc.heap.calloc(size / 50, 50);
    assert.ok(bytes(walloc, address, size).every((byte) => byte === 0));
  }
});

test('realloc keeps what fits', async (t) => {
  const walloc = await createFor(t);
  let address = walloc.heap.realloc(0, 10);
  bytes(walloc, address, 10).set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const size of [20, 1000, 40_000, 2 * MIB, 50_000, 10]) {
    address = walloc.heap.realloc(address, size);
    assert.deepEqual([...bytes(walloc, address, 10)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  }
});

test('what is no block, and what is too much, is refused', async (t) => {
  const { heap } = await createFor(t);
  const kept = heap.malloc(100_000);
  heap.free(0);
  for (const size of [-1, 1.5, NaN, 2 ** 32, undefined]) {
    const wrong = /** @type {any} */ (size);
    throwsError(() => heap.malloc(wrong), WallocRangeError, 'SIZE', /malloc/);
    throwsError(() => heap.calloc(wrong, 1), WallocRangeError, 'SIZE', /calloc/);
    throwsError(() => heap.realloc(0, wrong), WallocRangeError, 'SIZE', /realloc/);
  }
  throwsError(() => heap.malloc(10, { align: 3 }), WallocRangeError, 'ALIGNMENT');
  throwsError(() => heap.malloc(4000 * MIB), WallocOutOfMemory, 'OUT_OF_MEMORY', /4194304000/);
  throwsError(() => heap.calloc(2 ** 31, 2 ** 31), WallocOutOfMemory, 'OUT_OF_MEMORY');
  throwsError(() => heap.realloc(kept, 4000 * MIB), WallocOutOfMemory, 'OUT_OF_MEMORY');
  assert.ok(heap.usableSize(kept) >= 100_000);
  for (const address of [64, kept + 16]) {
    throwsError(() => heap.free(address), WallocError, 'MISUSE', new RegExp(String(address)));
  }
  heap.free(kept);
});

test('a block freed twice in a row is noticed, and the heap goes on', async (t) => {
  const { heap } = await createFor(t);
  const block = heap.malloc(48);
  heap.free(block);
  throwsError(() => heap.free(block), WallocError, 'MISUSE');
  assert.notEqual(heap.malloc(48), heap.malloc(48));
});

test('one thread frees what another has allocated, and the memory comes back', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle);
  t.after(() => helper.end());
  const round = async () => {
    const blocks = await helper.call('heapBlocks', { count: 2000, size: 200 });
    for (const address of blocks) {
      assert.equal(bytes(walloc, address, 1)[0], 7);
      walloc.heap.free(address);
    }
  };
  for (let i = 0; i < 3; i++) await round();
  const { held } = walloc.heap.stats();
  for (let i = 0; i < 10; i++) await round();
  assert.ok(walloc.heap.stats().held <= held * 1.5);
});

test('statistics and reset', async (t) => {
  const { heap } = await createFor(t);
  heap.malloc(4096); // in a span, as the first few smaller ones are not
  heap.malloc(100_000);
  const stats = heap.stats();
  assert.equal(stats.held, stats.spans + stats.large);
  assert.ok(stats.spans >= 4096 && stats.large >= 100_000);
  assert.ok(stats.peak >= stats.held);
  assert.equal(stats.parts, 1);
  heap.reset();
  assert.equal(heap.stats().held, 0);
  assert.equal(heap.usableSize(heap.malloc(16)), 16);
});

for (const strategy of /** @type {const} */ (['first-fit', 'next-fit', 'best-fit', 'good-fit'])) {
  test(`${strategy} serves`, async (t) => {
    const { heap } = await createFor(t, { strategy });
    const blocks = [40_000, 90_000, 40_000, 200_000, 40_000].map((size) => heap.malloc(size));
    heap.free(blocks[1]);
    heap.free(blocks[3]);
    const { held } = heap.stats();
    const address = heap.malloc(150_000);
    assert.equal(address, blocks[3]);
    assert.equal(heap.stats().held, held);
  });
}

test('an arena that falls back goes on at its budget, and gives back what it had', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena({ hardBudget: 65536, recycle: 'fall-back' });
  const views = Array.from({ length: 40 }, () => arena.allocBytes(4096));
  for (const [i, view] of views.entries()) view.array.fill(i);
  for (const [i, view] of views.entries()) assert.equal(view.get(4095), i);
  const { held } = walloc.heap.stats();
  assert.ok(held >= 24 * 4096);
  assert.equal(arena.stats().capacity, 65536);
  arena.reset();
  assert.ok(views.every((view) => !view.valid));
  for (let i = 0; i < 40; i++) arena.allocBytes(4096);
  assert.equal(walloc.heap.stats().held, held);
});

test('a view of the heap is good until its block is freed', async (t) => {
  const walloc = await createFor(t);
  const { heap } = walloc;
  for (const length of [1, 100, 5000, MIB]) {
    const view = heap.alloc(Float32Array, length);
    view.set(length - 1, 1.5);
    assert.equal(view.get(length - 1), 1.5);
    assert.equal(view.valid, true);
    assert.equal(view.array.length, length);
    throwsError(() => view.get(length), WallocRangeError, 'INDEX', /heap: Float32Array/);
    const part = view.subview(length - 1);
    heap.free(view);
    assert.deepEqual([view.valid, part.valid, view.length], [false, false, length]);
    for (const call of [
      () => view.get(0),
      () => view.set(0, 1),
      () => part.array,
      () => view.ref,
      () => heap.free(view),
      () => heap.free(part),
    ]) {
      throwsError(call, WallocStaleView, 'STALE', /heap: Float32Array/);
    }
    for (let i = 0; i < (length < MIB ? 20 : 2); i++) heap.alloc(Float32Array, length); // there
    assert.equal(view.valid, false);
  }
});

test('a free by address, by a part or by a heap reset is noticed too', async (t) => {
  const { heap } = await createFor(t);
  const views = [100, 100, 100_000, 100_000, 100].map((length) => heap.alloc(Uint8Array, length));
  heap.free(views[0].address);
  heap.free(views[1].subview(10));
  heap.free(views[2].address);
  heap.free(views[3].subview(10));
  assert.deepEqual(
    views.map(({ valid }) => valid),
    [false, false, false, false, true],
  );
  heap.reset();
  assert.equal(views[4].valid, false);
});

test('what is no view of the heap is refused', async (t) => {
  const walloc = await createFor(t);
  const { heap } = walloc;
  const wrong = /** @type {any} */ (Array);
  throwsError(() => heap.alloc(wrong, 1), WallocError, 'TYPE', /Array/);
  throwsError(() => heap.alloc(/** @type {any} */ (undefined), 1), WallocError, 'TYPE');
  for (const length of [-1, 0.5, NaN, 2 ** 30]) {
    throwsError(() => heap.alloc(Float64Array, length), WallocRangeError, 'SIZE');
  }
  throwsError(() => heap.alloc(Uint8Array, 4000 * MIB), WallocOutOfMemory, 'OUT_OF_MEMORY');
  throwsError(() => heap.free(walloc.scene.allocBytes(8)), WallocError, 'TYPE');
  const { ref } = heap.alloc(Uint32Array, 3);
  for (const change of [
    { low: 1 },
    { low: 2 ** 28 - 1 },
    { address: ref.address - 16 },
    { address: ref.address + 1 },
    { length: 100 },
    { length: -1 },
    { type: 'Array' },
  ]) {
    throwsError(() => walloc.view({ ...ref, ...change }), WallocError, 'REF');
  }
  throwsError(() => walloc.view({ ...ref, high: ref.high ^ 512 }), WallocStaleView, 'STALE');
  assert.ok(walloc.view(ref).valid);
});

test('references to the heap go to other threads, and through queues', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle);
  t.after(() => helper.end());
  const view = walloc.heap.alloc(Uint32Array, 3);
  view.copyFrom([1, 2, 3]);
  const { ref } = view;
  assert.equal(await helper.call('sum', ref), 6);
  await helper.call('freeView', ref);
  throwsError(() => view.get(0), WallocStaleView, 'STALE');
  throwsError(() => walloc.view(ref), WallocStaleView, 'STALE');
  await assert.rejects(helper.call('sum', ref), /STALE/);
  const queue = walloc.createQueue({ capacity: 2 });
  const next = walloc.heap.alloc(Float64Array, 2);
  next.set(1, 2.5);
  queue.publish(next);
  queue.publish(walloc.heap.alloc(Uint8Array, 1));
  const taken = queue.poll();
  assert.deepEqual([taken?.get(1), taken?.address], [2.5, next.address]);
  walloc.heap.free(/** @type {any} */ (taken));
  assert.equal(next.valid, false);
  walloc.heap.free(/** @type {any} */ (queue.poll()));
});
