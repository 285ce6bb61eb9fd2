/**
 * Arenas: allocating, throwing away, what is refused.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Walloc, WallocError, WallocOutOfMemory, WallocRangeError } from '../../workers/walloc.js';
import { Helper, MIB, createFor, throwsError } from './support.mjs';

const TYPES = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

test('blocks of every type are aligned, disjoint and in the shared memory', async (t) => {
  const walloc = await createFor(t);
  const blocks = [];
  for (const name of /** @type {const} */ (['render', 'scene', 'entity'])) {
    const { alignment } = walloc[name].stats();
    for (const Type of TYPES) {
      for (const length of [1, 7, 100, 5000]) {
        const view = walloc[name].alloc(/** @type {any} */ (Type), length);
        assert.ok(view.array instanceof Type);
        assert.equal(view.length, length);
        assert.equal(view.byteLength, length * Type.BYTES_PER_ELEMENT);
        assert.equal(view.address % alignment, 0);
        assert.equal(view.array.byteOffset, view.address);
        assert.ok(view.array.buffer instanceof SharedArrayBuffer);
        blocks.push([view.address, view.address + view.byteLength]);
      }
    }
  }
  blocks.sort(([a], [b]) => a - b);
  for (let i = 1; i < blocks.length; i++) assert.ok(blocks[i - 1][1] <= blocks[i][0]);
});

test('one block may be aligned higher', async (t) => {
  const { entity } = await createFor(t);
  for (let align = 8; align <= 65536; align *= 2) {
    assert.equal(entity.alloc(Uint8Array, 3, { align }).address % align, 0);
    assert.equal(entity.allocBytes(3, { align }).address % align, 0);
  }
});

test('absurd lengths are refused, and nothing has happened', async (t) => {
  const { scene } = await createFor(t);
  const kept = scene.alloc(Float32Array, 10);
  const before = scene.stats();
  const lengths = [0, -1, 0.5, NaN, Infinity, 2 ** 30, 2 ** 32, 2 ** 32 - 1, 2 ** 53, '7', null];
  for (const length of lengths) {
    const call = () => scene.alloc(Float32Array, /** @type {any} */ (length));
    throwsError(call, WallocRangeError, 'SIZE', /scene\.alloc\(Float32Array/, /used/);
  }
  assert.deepEqual(scene.stats(), before);
  assert.ok(kept.valid);
});

test('sizes near 2 ** 32 do not wrap', async (t) => {
  const { render } = await createFor(t);
  for (const bytes of [2 ** 32 - 1, 2 ** 32 - 7, 2 ** 32 - 128, 2 ** 32 - 65536]) {
    assert.throws(() => render.allocBytes(bytes), WallocError);
    assert.throws(() => render.allocBytes(bytes, { align: 65536 }), WallocError);
    assert.throws(() => render.reserve(bytes), WallocError);
  }
  assert.equal(render.used, 0);
});

test('wrong alignments and types are refused', async (t) => {
  const { scene } = await createFor(t);
  for (const align of [3, 48, 131072, -8, NaN, 2.5]) {
    const call = () => scene.allocBytes(8, { align });
    throwsError(call, WallocRangeError, 'ALIGNMENT', /power of two/);
  }
  for (const Type of [Array, DataView, undefined, 'Float32Array', Object]) {
    throwsError(() => scene.alloc(/** @type {any} */ (Type), 8), WallocError, 'TYPE');
  }
  assert.equal(scene.used, 0);
});

test('unknown tiers and arenas are refused', async (t) => {
  const walloc = await createFor(t);
  for (const name of ['heap', '', undefined, 3, 'constructor']) {
    throwsError(() => walloc.tier(/** @type {any} */ (name)), WallocError, 'ARENA');
  }
  for (const handle of [31, 7777, -1, 2 ** 32 - 1, NaN, '0', undefined]) {
    throwsError(() => walloc.arena(/** @type {any} */ (handle)), WallocError, 'ARENA');
  }
});

test('reset, compact, mark and rewind', async (t) => {
  const { scene } = await createFor(t, { tiers: { scene: { lane: false } } });
  const first = scene.allocBytes(640);
  const { used } = scene;
  assert.equal(used, 640);
  const mark = scene.mark();
  const second = scene.allocBytes(640);
  scene.rewind(mark);
  assert.deepEqual([first.valid, second.valid, scene.used], [true, false, 640]);
  const third = scene.allocBytes(64);
  assert.equal(third.address, second.address);
  scene.compact(640);
  assert.deepEqual([first.valid, third.valid, scene.used], [true, false, 640]);
  scene.rewind(structuredClone(mark)); // plain data, and good as long as its place is
  scene.compact(1); // rounded up
  assert.deepEqual([first.valid, scene.used], [false, 64]);
  throwsError(() => scene.rewind(mark), WallocError, 'STALE', /take a new one/);
  const { generation } = scene;
  scene.reset();
  assert.equal(scene.used, 0);
  assert.notEqual(scene.generation, generation);
});

test('to preserve more than is used is refused', async (t) => {
  const { scene } = await createFor(t);
  const view = scene.allocBytes(100);
  const { used } = scene;
  for (const preserve of [used + 1, 2 ** 32 - 1, 2 ** 32, -1, 0.5, NaN]) {
    throwsError(() => scene.compact(preserve), WallocRangeError, 'PRESERVE');
  }
  assert.ok(view.valid);
  assert.equal(scene.used, used);
});

test('marks of nonsense are refused', async (t) => {
  const { scene, render } = await createFor(t);
  const mark = scene.mark();
  for (const wrong of [
    undefined,
    {},
    render.mark(),
    { ...mark, low: -1 },
    { ...mark, high: 0.5 },
  ]) {
    throwsError(() => scene.rewind(/** @type {any} */ (wrong)), WallocError, 'ARENA');
  }
  throwsError(() => scene.rewind({ ...mark, low: mark.low + 999 }), WallocError, 'STALE');
});

test('a full arena throws, loses nothing and goes on after a reset', async (t) => {
  const walloc = await createFor(t, { maximum: 4 * MIB });
  const { render } = walloc;
  const first = render.alloc(Uint32Array, 1000);
  first.array.fill(7);
  let count = 0;
  const fill = () => {
    for (;;) {
      render.allocBytes(100_000);
      count++;
    }
  };
  throwsError(fill, WallocOutOfMemory, 'OUT_OF_MEMORY', /bytes used, \d+ available/, /reset or/);
  assert.ok(count >= 20, `${count}`);
  assert.ok(first.array.every((value) => value === 7));
  assert.ok(render.stats().failures >= 1);
  assert.ok(render.available < 100_000);
  render.reset();
  render.allocBytes(2 * MIB);
});

test('a hard budget is kept', async (t) => {
  const walloc = await createFor(t, { tiers: { entity: { hardBudget: MIB } } });
  walloc.entity.allocBytes(700_000);
  const call = () => walloc.entity.allocBytes(700_000);
  throwsError(call, WallocOutOfMemory, 'BUDGET', /hardBudget/);
  assert.ok(walloc.entity.stats().capacity <= MIB);
});

test('recycling goes to the preserved place and no further', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena({ hardBudget: MIB, recycle: 'to-mark', lane: false });
  const kept = arena.alloc(Uint32Array, 1000);
  kept.array.fill(3);
  arena.preserve();
  const gone = arena.allocBytes(1000);
  for (let i = 0; i < 50; i++) arena.allocBytes(100_000);
  assert.deepEqual([kept.valid, gone.valid], [true, false]);
  assert.ok(kept.array.every((value) => value === 3));
  assert.ok(arena.stats().recyclings >= 4);
});

test('the callback is told, and can make room', async (t) => {
  const walloc = await createFor(t, { maximum: 16 * MIB });
  /** @type {[number, number, string][]} */
  const told = [];
  const arena = walloc.createArena({
    softBudget: MIB,
    hardBudget: 2 * MIB,
    onPressure: (self, needed, level) => {
      told.push([self.handle, needed, level]);
      if (level === 'hard') self.reset();
      return true;
    },
  });
  for (let i = 0; i < 20; i++) arena.allocBytes(150_000);
  assert.equal(told[0][2], 'soft');
  assert.equal(told.filter(([, , level]) => level === 'soft').length, 1);
  assert.ok(
    told.some(
      ([handle, needed, level]) => handle === arena.handle && needed >= 150_000 && level === 'hard',
    ),
  );
  assert.equal(arena.stats().pressure, told.length);
});

test('a callback that throws loses neither the reason nor its own error', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena({
    hardBudget: MIB,
    onPressure: () => {
      throw new Error('from the callback');
    },
  });
  /** @type {(() => void)[]} */
  const later = [];
  t.mock.method(globalThis, 'queueMicrotask', (/** @type {() => void} */ task) => later.push(task));
  throwsError(() => arena.allocBytes(2 * MIB), WallocOutOfMemory, 'BUDGET');
  t.mock.restoreAll();
  assert.equal(later.length, 1);
  assert.throws(later[0], /from the callback/);
  arena.allocBytes(100);
});

test('a callback may allocate, but not detach', async (t) => {
  const walloc = await createFor(t);
  /** @type {import('../../workers/walloc.js').View<any>[]} */
  const made = [];
  const arena = walloc.createArena({
    hardBudget: MIB,
    onPressure: () => {
      made.push(walloc.scene.alloc(Float64Array, 5));
      throwsError(() => walloc.detach(), WallocError, 'CALLBACK');
      throwsError(() => walloc.shutdown(), WallocError, 'CALLBACK');
    },
  });
  assert.throws(() => arena.allocBytes(2 * MIB), WallocOutOfMemory);
  assert.equal(made.length, 1);
  assert.ok(made[0].valid);
});

test("each thread's own callback is asked", async (t) => {
  const walloc = await createFor(t);
  let here = 0;
  const arena = walloc.createArena({ hardBudget: MIB, onPressure: () => void here++ });
  const helper = new Helper(walloc.handle);
  const { seen, code } = await helper.call('pressure', arena.handle);
  await helper.end();
  assert.deepEqual(seen, [[true, true, 'hard']]);
  assert.equal(code, 'BUDGET');
  assert.equal(here, 0);
});

test("the program's own arenas", async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena({ alignment: 4096, reserve: 100_000 });
  assert.equal(walloc.arena(arena.handle), arena);
  const view = arena.alloc(Float32Array, 4);
  assert.equal(view.address % 4096, 0);
  arena.destroy();
  assert.equal(view.valid, false);
  throwsError(() => arena.allocBytes(8), WallocError, 'ARENA');
  throwsError(() => arena.destroy(), WallocError, 'ARENA');
  throwsError(() => walloc.arena(arena.handle), WallocError, 'ARENA');
  throwsError(() => walloc.scene.destroy(), WallocError, 'ARENA');
  const next = walloc.createArena(); // the same slot, another arena
  assert.notEqual(next.handle, arena.handle);
  next.allocBytes(64);
  assert.equal(view.valid, false);
  const more = Array.from({ length: 28 }, () => walloc.createArena());
  throwsError(() => walloc.createArena(), WallocError, 'LIMIT', /32/);
  for (const each of more) each.destroy();
  throwsError(() => walloc.createArena({ reserve: 1 << 30 }), WallocOutOfMemory, 'OUT_OF_MEMORY');
});

test('an arena of another thread, by its handle', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle);
  const arena = walloc.arena(await helper.call('createArena', { alignment: 1024 }));
  assert.equal(arena.alloc(Int8Array, 1).address % 1024, 0);
  await helper.end();
  arena.destroy();
});

test('reserve and trim', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena();
  arena.reserve(3 * MIB);
  const { capacity, growths } = arena.stats();
  assert.ok(capacity >= 3 * MIB);
  arena.allocBytes(3 * MIB);
  assert.equal(arena.stats().growths, growths);
  arena.reset();
  arena.trim();
  assert.equal(arena.stats().capacity, 0);
  throwsError(() => arena.reserve(1 << 30), WallocOutOfMemory, 'OUT_OF_MEMORY');
  throwsError(() => arena.reserve(0), WallocRangeError, 'SIZE');
  throwsError(() => arena.reserve(-5), WallocRangeError, 'SIZE');
});

test('the counters add up', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena({ lane: false });
  arena.allocBytes(1000);
  arena.allocBytes(2000);
  arena.compact(1000);
  arena.allocBytes(504);
  arena.reset();
  const { generation, chunks, capacity, growths, ...stats } = arena.stats();
  assert.deepEqual(stats, {
    used: 0,
    preserved: 0,
    highWater: 3000,
    alignment: 8,
    softBudget: 0,
    hardBudget: 0,
    allocated: 3504,
    recycled: 3504,
    resets: 2,
    failures: 0,
    pressure: 0,
    recyclings: 0,
  });
  assert.deepEqual([generation, chunks, growths], [arena.generation, 1, 1]);
  const { memory, tiers } = walloc.stats();
  const sum = tiers.render.capacity + tiers.scene.capacity + tiers.entity.capacity + capacity;
  assert.equal(memory.arenas, sum);
});

test('an address without a view is one of a block like any other', async (t) => {
  const walloc = await createFor(t, { tiers: { entity: { hardBudget: 65536 } } });
  const address = walloc.render.allocAddress(100);
  assert.equal(address % 128, 0);
  const { address: next } = walloc.render.allocBytes(1);
  assert.ok(next >= address + 100);
  new Uint8Array(walloc.memory.buffer, address, 100).fill(1);
  for (const wrong of [0, -1, 0.5, NaN, 2 ** 32, undefined]) {
    const refused = () => walloc.render.allocAddress(/** @type {any} */ (wrong));
    throwsError(refused, WallocRangeError, 'SIZE', /render\.allocAddress/);
  }
  const full = () => walloc.entity.allocAddress(1 << 20);
  throwsError(full, WallocOutOfMemory, 'BUDGET');
});

/**
 * A small generator of numbers, so that a failure can be seen again: WALLOC_SEED.
 *
 * @param {import('node:test').TestContext} t
 */
function randomFor(t) {
  let state = Number(process.env.WALLOC_SEED ?? Date.now() % 2 ** 31) || 1;
  t.diagnostic(`WALLOC_SEED=${state}`);
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

test('blocks from the lane, from the module and from both keep apart, and know their place', async (t) => {
  const random = randomFor(t);
  const walloc = await createFor(t);
  const arena = walloc.createArena({ alignment: 64, lane: 4096, reserve: MIB });
  for (let round = 0; round < 40; round++) {
    /** @type {{ view: import('../../workers/walloc.js').View, end: number }[]} */
    const blocks = [];
    /** @type {[number, number][]} */
    const ranges = [];
    for (let i = 0; i < 100; i++) {
      const bytes = 1 + random(random(8) === 0 ? 3000 : 300);
      const kind = random(4);
      if (kind === 0) {
        const address = arena.allocAddress(bytes);
        assert.equal(address % 64, 0);
        ranges.push([address, address + bytes]);
        continue;
      }
      const view = arena.alloc(Uint8Array, bytes, kind === 1 ? { align: 256 } : undefined);
      assert.equal(view.address % (kind === 1 ? 256 : 64), 0);
      ranges.push([view.address, view.address + bytes]);
      blocks.push({ view, end: view.address + bytes });
    }
    ranges.sort(([a], [b]) => a - b);
    for (let i = 1; i < ranges.length; i++) assert.ok(ranges[i - 1][1] <= ranges[i][0]);
    // All in one chunk, so that places ascend with addresses: what lies wholly before the cut stays.
    const start = ranges[0][0] - (ranges[0][0] % 4096);
    const cut = random(arena.used + 1);
    arena.compact(cut);
    const kept = start + Math.ceil(cut / 64) * 64;
    for (const { view, end } of blocks) assert.equal(view.valid, end <= kept, `${end} ${kept}`);
    arena.reset();
  }
});

test('an arena that was destroyed gives nothing of the next one in its place', async (t) => {
  const walloc = await createFor(t);
  const before = walloc.createArena();
  assert.ok(before.allocAddress(8) > 0);
  const { handle } = before;
  before.destroy();
  const after = walloc.createArena();
  assert.equal(after.handle % 32, handle % 32, 'the same slot');
  for (let i = 0; i < 3; i++) assert.ok(after.allocAddress(8) > 0); // the first makes it grow, then there is a lane
  throwsError(() => before.allocAddress(8), WallocError, 'ARENA');
  throwsError(() => before.alloc(Uint8Array, 8), WallocError, 'ARENA');
});

test('an arena that another thread destroyed gives nothing of the next one in its place', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle);
  const before = walloc.createArena();
  assert.ok(before.allocAddress(8) > 0);
  await helper.call('destroyArena', before.handle);
  await helper.end();
  throwsError(() => before.allocAddress(8), WallocError, 'ARENA');
  const after = walloc.createArena();
  for (let i = 0; i < 3; i++) assert.ok(after.allocAddress(8) > 0); // the first makes it grow, then there is a lane
  throwsError(() => before.allocAddress(8), WallocError, 'ARENA');
});

test('the lane of an earlier generation is left alone, whoever has reset the arena', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle);
  const first = walloc.entity.allocAddress(8);
  assert.ok(walloc.entity.allocAddress(8) > first);
  await helper.call('reset', 'entity');
  await helper.end();
  const view = walloc.entity.alloc(Uint8Array, 8);
  assert.equal(view.address, first, 'from the start again');
  assert.ok(view.valid);
});

test('while the lane has room the module is not asked', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena({ reserve: MIB });
  const { wasm } = arena._thread;
  const { alloc } = wasm;
  let calls = 0;
  wasm.alloc = (...words) => {
    calls++;
    return alloc(...words);
  };
  for (let i = 0; i < 100; i++) arena.allocAddress(8);
  for (let i = 0; i < 100; i++) arena.alloc(Uint8Array, 8);
  assert.equal(calls, 1, 'the first takes the lane');
});

test('without lanes every block is asked of the module', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena({ lane: false });
  const first = arena.allocAddress(8);
  assert.equal(arena.allocAddress(8), first + 8);
  assert.equal(arena.used, 16, 'no lane is counted');
});

test('after detach the lanes are not this thread’s any more', async () => {
  const walloc = await Walloc.create({ maximum: 16 * MIB });
  const { entity } = walloc;
  assert.ok(entity.allocAddress(8) > 0);
  walloc.detach();
  throwsError(() => entity.allocAddress(8), WallocError, 'DETACHED');
  throwsError(() => entity.alloc(Uint8Array, 8), WallocError, 'DETACHED');
});
