/**
 * Views: bounds, staleness, references between threads.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WallocError, WallocRangeError, WallocStaleView } from '../../workers/walloc.js';
import { Helper, MIB, createFor, throwsError } from './support.mjs';

test('elements are read and written as typed arrays do', async (t) => {
  const { scene } = await createFor(t);
  const bytes = scene.alloc(Uint8ClampedArray, 4);
  bytes.set(0, 300);
  assert.equal(bytes.get(0), 255);
  const floats = scene.alloc(Float32Array, 4);
  floats.set(3, 1.5);
  assert.equal(floats.get(3), 1.5);
  assert.equal(floats.array[3], 1.5);
  const longs = scene.alloc(BigInt64Array, 1);
  longs.set(0, -5n);
  assert.equal(longs.get(0), -5n);
  assert.throws(() => longs.set(0, /** @type {any} */ (1)), TypeError);
});

test('indices outside are refused, and nothing is written', async (t) => {
  const { scene } = await createFor(t);
  const view = scene.alloc(Uint32Array, 4);
  const next = scene.alloc(Uint32Array, 4);
  view.array.fill(1);
  next.array.fill(2);
  for (const index of [4, -1, 0.5, NaN, 2 ** 32, '0', undefined]) {
    const wrong = /** @type {any} */ (index);
    throwsError(() => view.get(wrong), WallocRangeError, 'INDEX', /scene: Uint32Array\(4\)/);
    throwsError(() => view.set(wrong, 9), WallocRangeError, 'INDEX');
  }
  assert.deepEqual([...view.array], [1, 1, 1, 1]);
  assert.deepEqual([...next.array], [2, 2, 2, 2]);
});

test('the typed array is made once and lies in the memory', async (t) => {
  const walloc = await createFor(t);
  const view = walloc.render.alloc(Float32Array, 8);
  assert.equal(view.array, view.array);
  assert.equal(view.array.buffer, walloc.render.alloc(Float32Array, 1).array.buffer);
});

test('after a reset everything but the size is refused', async (t) => {
  const { render } = await createFor(t);
  const view = render.alloc(Float32Array, 4);
  const { address } = view;
  const { generation } = render;
  render.reset();
  for (const call of [
    () => view.get(0),
    () => view.set(0, 1),
    () => view.array,
    () => view.subview(0, 1),
    () => view.copyFrom([1]),
    () => view.copyTo(new Float32Array(4)),
  ]) {
    throwsError(call, WallocStaleView, 'STALE', new RegExp(`generation ${generation}`), /again/);
  }
  assert.deepEqual([view.valid, view.length, view.address], [false, 4, address]);
  render.alloc(Float32Array, 4); // at the same place
  assert.equal(view.valid, false);
});

test('what a compact or a mark leaves in place stays valid, for every thread', async (t) => {
  const walloc = await createFor(t, { tiers: { scene: { lane: false } } });
  const helper = new Helper(walloc.handle);
  const ref = await helper.call('fill', { tier: 'scene', length: 16, value: 5 });
  const kept = walloc.view(ref);
  walloc.scene.compact(64);
  walloc.scene.mark();
  assert.equal(kept.get(0), 5);
  assert.equal(await helper.call('sum', ref), 80);
  walloc.scene.compact(0);
  assert.equal(kept.valid, false);
  await assert.rejects(helper.call('sum', ref), /STALE/);
  await helper.end();
});

test('a reset by another thread is noticed', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle);
  const view = walloc.entity.alloc(Float64Array, 3);
  view.set(0, 1);
  await helper.call('reset', 'entity');
  throwsError(() => view.get(0), WallocStaleView, 'STALE');
  const mark = walloc.entity.mark();
  const behind = walloc.entity.allocBytes(1);
  await helper.call('rewind', mark);
  assert.equal(behind.valid, false);
  await helper.end();
});

test('a subview goes stale with its block', async (t) => {
  const { scene } = await createFor(t);
  const view = scene.alloc(Uint16Array, 10);
  for (let i = 0; i < 10; i++) view.set(i, i);
  const part = view.subview(2, 5);
  assert.deepEqual([...part.array], [2, 3, 4]);
  assert.equal(part.address, view.address + 4);
  assert.deepEqual([view.subview(10).length, view.subview().length], [0, 10]);
  throwsError(() => part.get(3), WallocRangeError, 'INDEX');
  for (const [begin, end] of [
    [3, 2],
    [-1, 4],
    [0, 11],
    [0.5, 3],
  ]) {
    throwsError(() => view.subview(begin, end), WallocRangeError, 'INDEX');
  }
  scene.reset();
  assert.equal(part.valid, false);
});

test('copies are checked as a whole', async (t) => {
  const { scene } = await createFor(t);
  const view = scene.alloc(Float32Array, 4);
  view.copyFrom([1, 2, 3, 4]);
  view.copyFrom(new Float64Array([9]), 3);
  assert.deepEqual([...view.array], [1, 2, 3, 9]);
  const target = scene.alloc(Int32Array, 6);
  target.array.fill(0);
  view.copyTo(target, 2);
  assert.deepEqual([...target.array], [0, 0, 1, 2, 3, 9]);
  throwsError(() => view.copyFrom([1, 2, 3, 4, 5]), WallocRangeError, 'INDEX');
  throwsError(() => view.copyFrom([1], 4), WallocRangeError, 'INDEX');
  throwsError(() => view.copyTo(new Float32Array(4), 1), WallocRangeError, 'INDEX');
  throwsError(() => view.copyTo(new Float32Array(3)), WallocRangeError, 'INDEX');
  assert.deepEqual([...view.array], [1, 2, 3, 9]);
});

test('a reference is plain data, and stands for the block itself', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle);
  const view = walloc.scene.alloc(Uint32Array, 3);
  view.copyFrom([1, 2, 3]);
  const { ref } = view;
  assert.deepEqual(structuredClone(ref), { ...ref });
  assert.equal(await helper.call('sum', view.ref), 6);
  view.set(0, 100);
  assert.equal(await helper.call('sum', view.ref), 105);
  const same = walloc.view(view.ref);
  assert.equal(same.address, view.address);
  assert.ok(same.array instanceof Uint32Array);
  walloc.scene.reset();
  throwsError(() => walloc.view(ref), WallocStaleView, 'STALE');
  throwsError(() => view.ref, WallocStaleView, 'STALE');
  await assert.rejects(helper.call('sum', ref), /STALE/);
  await helper.end();
});

test('a damaged reference does not reach other memory', async (t) => {
  const walloc = await createFor(t);
  const view = walloc.scene.alloc(Uint32Array, 3);
  const other = walloc.render.alloc(Uint32Array, 3);
  const { ref } = view;
  /** @type {any[]} */
  const damaged = [
    { ...ref, address: other.address },
    { ...ref, address: 0 },
    { ...ref, address: ref.address + 1 },
    { ...ref, address: -4 },
    { ...ref, address: 2 ** 32 },
    { ...ref, length: 2 ** 31 },
    { ...ref, length: -1 },
    { ...ref, length: NaN },
    { ...ref, type: 'Array' },
    { ...ref, type: undefined },
    { ...ref, low: 0.5 },
  ];
  for (const each of damaged) throwsError(() => walloc.view(each), WallocError, 'REF', /view\.ref/);
  for (const each of [undefined, {}, { ...ref, arena: 31 }]) {
    throwsError(() => walloc.view(/** @type {any} */ (each)), WallocError, 'ARENA');
  }
});

test("a reference whose pages are another arena's by now is stale, not damaged", async (t) => {
  const walloc = await createFor(t);
  const first = walloc.createArena();
  const { ref, address } = first.allocBytes(MIB);
  first.reset();
  first.trim();
  const second = walloc.createArena().allocBytes(MIB);
  assert.equal(second.address, address);
  throwsError(() => walloc.view(ref), WallocStaleView, 'STALE');
});

test('views from before a growth stay good', async (t) => {
  const { render } = await createFor(t);
  const view = render.alloc(Float32Array, 100);
  view.array.fill(2);
  const { array } = view;
  const large = render.allocBytes(40 * MIB);
  large.set(40 * MIB - 1, 1);
  assert.ok(view.array === array && array.every((value) => value === 2));
});

test('a loop over a block of each type in turn', async (t) => {
  const { scene } = await createFor(t);
  const types = [
    Int8Array,
    Uint8Array,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ];
  for (const Type of types) {
    /** @type {import('../../workers/api/views.js').AnyView} */
    const view = scene.alloc(/** @type {any} */ (Type), 100);
    for (let i = 0; i < 100; i++) view.set(i, i);
    let sum = 0;
    for (let i = 0; i < 100; i++) sum += view.get(i);
    assert.equal(sum, 4950);
  }
});
