/**
 * Creating, attaching, detaching, shutting down; options; the module itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Walloc,
  WallocError,
  WallocOutOfMemory,
  WallocRangeError,
  WallocUnsupported,
} from '../../workers/walloc.js';
import { MODULE_PAGES, THREADS_MAX } from '../../workers/api/layout.js';
import { Helper, MIB, createFor, rejectsWith, throwsError, wasm } from './support.mjs';

test('the defaults are those of the manual', async (t) => {
  const walloc = await createFor(t, { reserve: 16 * MIB });
  const { memory, tiers } = walloc.stats();
  assert.equal(memory.maximum, 64 * MIB);
  assert.ok(memory.obtained >= 16 * MIB);
  for (const [name, alignment, share] of /** @type {const} */ ([
    ['render', 128, 50],
    ['scene', 64, 30],
    ['entity', 8, 15],
  ])) {
    const { capacity, used, ...stats } = tiers[name];
    assert.equal(stats.alignment, alignment);
    assert.equal(used, 0);
    assert.ok(Math.abs(capacity - (16 * MIB * share) / 100) <= 2 * 16384, `${name}: ${capacity}`);
    assert.equal(walloc.tier(name), walloc[name]);
    assert.equal(walloc[name].name, name);
  }
});

test('shares, reserve and tiers are configurable', async (t) => {
  const walloc = await createFor(t, {
    reserve: 4 * MIB,
    shares: { render: 25, scene: 25, entity: 50 },
    tiers: { scene: { alignment: 256, softBudget: 2 * MIB, hardBudget: 3 * MIB, lane: false } },
  });
  const { render, scene, entity } = walloc.stats().tiers;
  assert.deepEqual([render.capacity, scene.capacity, entity.capacity], [MIB, MIB, 2 * MIB]);
  assert.deepEqual([scene.alignment, scene.softBudget, scene.hardBudget], [256, 2 * MIB, 3 * MIB]);
  walloc.scene.alloc(Uint8Array, 1);
  assert.equal(walloc.scene.used, 256);
});

test('a maximum of any size is kept', async (t) => {
  for (const maximum of [MIB, MIB + 16384, 2 * MIB + 32768, 3 * MIB + 1]) {
    const walloc = await createFor(t, { maximum, reserve: 65536 });
    const arena = walloc.createArena();
    const fill = () => {
      for (;;) arena.allocBytes(100_000);
    };
    assert.throws(fill, WallocOutOfMemory);
    const { obtained } = walloc.stats().memory;
    assert.ok(obtained < maximum + 65536, `${obtained} of ${maximum}`);
    assert.ok(obtained > maximum * 0.9, `${obtained} of ${maximum}`);
  }
});

test('wrong options are named', async () => {
  /** @type {[any, RegExp][]} */
  const wrong = [
    [{ maximun: 1 }, /options\.maximun is none of/],
    [{ maximum: -1 }, /options\.maximum is -1/],
    [{ maximum: NaN }, /options\.maximum is NaN/],
    [{ maximum: '64' }, /options\.maximum is '64'/],
    [{ maximum: 2 ** 32 + 1 }, /options\.maximum/],
    [{ reserve: 1.5 }, /options\.reserve is 1\.5/],
    [{ shares: { render: 50, heap: 5 } }, /shares\.heap is none of/],
    [{ tiers: { scene: { alignement: 8 } } }, /tiers\.scene\.alignement is none of/],
    [{ tiers: { scene: { recycle: 'always' } } }, /tiers\.scene\.recycle is 'always'/],
    [{ tiers: { scene: { onPressure: 1 } } }, /tiers\.scene\.onPressure is 1, not a function/],
    [{ tiers: { scene: 7 } }, /tiers\.scene is 7, not an object/],
    [null, /options is null/],
    [{ shares: { render: 80, scene: 30 } }, /at most 100 together/],
    [{ tiers: { render: { alignment: 12 } } }, /out of range/],
    [{ maximum: MIB, reserve: 2 * MIB }, /below maximum/],
  ];
  for (const [options, said] of wrong) {
    await rejectsWith(Walloc.create(options), WallocRangeError, 'CONFIG', said);
  }
});

test('the module can be given as bytes, as a module, as an address', async (t) => {
  const module = new WebAssembly.Module(wasm);
  const address = new URL('../../workers/walloc.wasm', import.meta.url);
  for (const source of [wasm, module, address, address.href]) {
    const walloc = await createFor(t, { wasm: source });
    assert.equal(walloc.render.alloc(Float32Array, 3).length, 3);
  }
  for (const source of [new Uint8Array(8), 'file:///nowhere.wasm']) {
    const refused = Walloc.create({ wasm: source });
    await rejectsWith(refused, WallocError, 'LOAD', /is not walloc\.wasm/, /option wasm/);
  }
});

test('without shared memory it runs in one thread, and says so', async (t) => {
  const { SharedArrayBuffer } = globalThis;
  t.after(() => void (globalThis.SharedArrayBuffer = SharedArrayBuffer));
  Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
  const walloc = await createFor(t, { maximum: 48 * MIB });
  assert.deepEqual([walloc.mode, walloc.maximum], ['single', 48 * MIB]);
  assert.equal(Object.prototype.toString.call(walloc.memory.buffer), '[object ArrayBuffer]');
  throwsError(() => walloc.handle, WallocUnsupported, 'UNSUPPORTED', /Cross-Origin-Opener-Policy/);

  // Until it is full: what was made before must not be lost to growth.
  const first = walloc.render.alloc(Float32Array, 100);
  const { array } = first;
  first.set(99, 1.5);
  let blocks = 0;
  const fill = () => {
    for (; ; blocks++) walloc.scene.allocBytes(MIB);
  };
  throwsError(fill, WallocOutOfMemory, 'OUT_OF_MEMORY');
  assert.ok(blocks > 40, `${blocks} MiB`);
  assert.deepEqual([first.get(99), array[99], array.length], [1.5, 1.5, 100]);
  throwsError(() => walloc.view({ ...first.ref, length: 2 ** 28 }), WallocError, 'REF');
  assert.equal(walloc.view(first.ref).get(99), 1.5);

  const queue = walloc.createQueue();
  const next = queue.next();
  queue.publish(first);
  assert.equal((await next)?.get(99), 1.5);

  const module = new WebAssembly.Module(wasm);
  const refused = Walloc.create({ wasm: module });
  await rejectsWith(refused, WallocUnsupported, 'UNSUPPORTED', /pass bytes/);
  await rejectsWith(Walloc.attach(/** @type {any} */ ({})), WallocUnsupported, 'UNSUPPORTED');
});

test('where a maximum is too large, half of it is tried, and so on', async (t) => {
  const { Memory } = WebAssembly;
  t.after(() => void (WebAssembly.Memory = Memory));
  /** @type {number[]} */
  const asked = [];
  WebAssembly.Memory = class extends Memory {
    /** @param {WebAssembly.MemoryDescriptor} descriptor */
    constructor(descriptor) {
      asked.push(descriptor.maximum ?? 0);
      if ((asked.at(-1) ?? 0) > 2000) throw new RangeError('no room');
      super(descriptor);
    }
  };
  const walloc = await createFor(t, { maximum: 512 * MIB });
  assert.ok(asked.length > 2 && (asked.at(-1) ?? 0) <= 2000, String(asked));
  assert.equal(walloc.maximum, walloc.stats().memory.maximum);
  assert.ok(walloc.maximum > 32 * MIB && walloc.maximum < 128 * MIB, `${walloc.maximum}`);
  const tooMuch = Walloc.create({ maximum: 512 * MIB, reserve: 256 * MIB });
  await rejectsWith(tooMuch, WallocOutOfMemory, 'OUT_OF_MEMORY', /smaller maximum or reserve/);
});

test('the memory map says who owns what, a reset empties all of it', async (t) => {
  const walloc = await createFor(t);
  const arena = walloc.createArena();
  const views = [arena.allocBytes(100_000), walloc.heap.alloc(Uint8Array, 100)];
  views.push(walloc.heap.alloc(Uint8Array, 9 * MIB));
  const owner = (/** @type {number} */ address) =>
    walloc.memoryMap().find((range) => address < range.address + range.bytes);
  const owners = views.map(({ address }) => owner(address)?.owner);
  assert.deepEqual(owners, ['arena', 'small', 'huge']);
  assert.equal(owner(views[0].address)?.slot, arena.handle % 32);
  const sum = walloc.memoryMap().reduce((bytes, range) => bytes + range.bytes, 0);
  assert.equal(sum, walloc.memory.buffer.byteLength);

  walloc.reset();
  assert.deepEqual(
    views.map(({ valid }) => valid),
    [false, false, false],
  );
  assert.equal(arena.used, 0);
  const pin = arena.pin();
  const kept = arena.allocBytes(8);
  walloc.scene.allocBytes(8);
  throwsError(() => walloc.reset(), WallocError, 'PINNED');
  assert.deepEqual([kept.valid, walloc.scene.used], [true, 0]);
  pin.unpin();
});

test('what is not a handle is refused', async (t) => {
  const walloc = await createFor(t);
  for (const handle of [undefined, null, {}, 7, { ...walloc.handle, walloc: '0.0.0' }]) {
    await rejectsWith(Walloc.attach(/** @type {any} */ (handle)), WallocError, 'TYPE', /handle/);
  }
});

test('after detach everything throws, twice is once', async (t) => {
  const walloc = await createFor(t);
  const view = walloc.scene.alloc(Float32Array, 4);
  const { array } = view;
  walloc.detach();
  walloc.detach();
  for (const call of [
    () => walloc.scene.alloc(Float32Array, 4),
    () => walloc.scene.reset(),
    () => view.get(0),
    () => view.array,
    () => view.valid,
    () => walloc.stats(),
    () => walloc.createArena(),
    () => walloc.scene.used,
  ]) {
    throwsError(call, WallocError, 'DETACHED', /attach again/);
  }
  array[0] = 1; // a typed array goes on
});

test('a stack that was given back serves the next thread', async (t) => {
  const walloc = await createFor(t);
  await (await Walloc.attach(walloc.handle)).detach();
  const { own } = walloc.stats().memory;
  for (let i = 0; i < 3 * THREADS_MAX; i++) (await Walloc.attach(walloc.handle)).detach();
  assert.equal(walloc.stats().memory.own, own);
});

test('there are at most as many threads as promised', async (t) => {
  const walloc = await createFor(t);
  const others = [];
  for (let i = 1; i < THREADS_MAX; i++) others.push(await Walloc.attach(walloc.handle));
  await rejectsWith(Walloc.attach(walloc.handle), WallocOutOfMemory, 'OUT_OF_MEMORY', /stack/);
  others[100].detach();
  others[100] = await Walloc.attach(walloc.handle);
  others[100].entity.alloc(Uint8Array, 1);
  for (const other of others) other.detach();
});

test('shutdown ends it for all', async (t) => {
  const walloc = await createFor(t);
  const other = await Walloc.attach(walloc.handle);
  const view = other.render.alloc(Float32Array, 1);
  const { handle } = walloc;
  walloc.shutdown();
  throwsError(() => walloc.render.reset(), WallocError, 'DETACHED');
  throwsError(() => other.render.alloc(Float32Array, 1), WallocError, 'NOT_INITIALIZED');
  assert.equal(view.valid, false);
  await rejectsWith(Walloc.attach(handle), WallocError, 'NOT_INITIALIZED');
});

test('many workers attach at the same time', async (t) => {
  const walloc = await createFor(t);
  const helpers = Array.from({ length: 6 }, () => new Helper(walloc.handle));
  const refs = await Promise.all(
    helpers.map((helper, value) => helper.call('fill', { tier: 'scene', length: 100, value })),
  );
  refs.forEach((ref, value) => {
    assert.ok(walloc.view(ref).array.every((/** @type {number} */ number) => number === value));
  });
  await Promise.all(helpers.map((helper) => helper.end()));
});

test('the module wants what the API gives it', () => {
  const module = new WebAssembly.Module(wasm);
  const wanted = WebAssembly.Module.imports(module).map((each) => `${each.module}.${each.name}`);
  assert.deepEqual(wanted.sort(), ['env.memory', 'walloc.pressure']);
  const imports = (/** @type {number} */ initial) => ({
    env: { memory: new WebAssembly.Memory({ initial, maximum: 65536, shared: true }) },
    walloc: { pressure: () => 0 },
  });
  new WebAssembly.Instance(module, imports(MODULE_PAGES));
  assert.throws(
    () => new WebAssembly.Instance(module, imports(MODULE_PAGES - 1)),
    WebAssembly.LinkError,
  );
});
