/**
 * The memory map: what is read from the control block is what the module says; it is read without the
 * module; the dump and its drawings.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Control } from '../../workers/map/control.js';
import { addressAt, cellsOf, endOf } from '../../workers/map/cells.js';
import { describe } from '../../workers/map/describe.js';
import { readDump, writeDump } from '../../workers/map/dump.js';
import * as owners from '../../workers/api/owners.js';
import { ownerName } from '../../workers/map/owners.js';
import { takeSnapshot } from '../../workers/map/snapshot.js';
import { drawSvg } from '../../workers/map/svg.js';
import { drawText } from '../../workers/map/terminal.js';
import { Helper, MIB, createFor, throwsError } from './support.mjs';
import { WallocError } from '../../workers/walloc.js';

const CLI = fileURLToPath(new URL('../../workers/map/cli.mjs', import.meta.url));

/** @param {import('../../workers/walloc.js').Walloc} walloc */
const look = (walloc) => takeSnapshot(new Control(walloc.handle));

test('the numbers of owners are those of the C header', () => {
  const header = readFileSync(new URL('../../src/pages/map.h', import.meta.url), 'utf8');
  const defined = Object.fromEntries(
    [...header.matchAll(/^#define PAGE_(\w+)[\s\\]+\(\(page_mark\)(\d+)\)/gm)].map(
      ([, name, number]) => [name, Number(number)],
    ),
  );
  const { FOREIGN, FREE, OWN, FRESH, SLOTS, HUGE, LARGE, RAW, ARENA, SPAN } = owners;
  const known = { FOREIGN, FREE, OWN, FRESH, SLOTS, HUGE, LARGE, RAW, ARENA, SPAN };
  assert.deepEqual({ ...defined, NOT_FIRST: 128 }, { ...known, NOT_FIRST: 128 });
});

/** What the module counts is what the map says. @param {import('../../workers/walloc.js').Walloc} walloc */
function compare(walloc) {
  const snapshot = look(walloc);
  const { memory, tiers } = walloc.stats();
  const { obtained, free, arenas, heap, own } = snapshot.memory;
  const { maximum, own: recorded, ...counted } = memory;
  assert.deepEqual({ obtained, free, arenas, heap }, counted);
  assert.equal(own, obtained - free - arenas - heap); // with what the heap keeps its parts in
  assert.ok(own >= recorded);
  assert.ok(maximum > 0);
  for (const name of /** @type {const} */ (['render', 'scene', 'entity'])) {
    const arena = snapshot.arenas.find((one) => one.name === name);
    assert.ok(arena);
    const { chunks, allocated, highWater, ...rest } = tiers[name];
    const same = Object.fromEntries(
      Object.keys(rest).map((key) => [key, arena[/** @type {keyof typeof rest} */ (key)]]),
    );
    assert.deepEqual(same, rest, name);
    assert.equal(arena.chunks.length, chunks);
    assert.equal(arena.recycled + arena.used, allocated);
    assert.ok(arena.highWater >= highWater);
  }
  return snapshot;
}

test('says what the module says, through every kind of change', async (t) => {
  const walloc = await createFor(t, { maximum: 256 * MIB });
  const { render, scene, entity, heap } = walloc;
  assert.equal(compare(walloc).memory.maximum, 256 * MIB);
  render.allocBytes(3 * MIB);
  scene.alloc(Float32Array, 1000);
  scene.preserve();
  compare(walloc);
  scene.allocBytes(5 * MIB);
  scene.compact(scene.stats().preserved);
  assert.ok((compare(walloc).arenas.find(({ name }) => name === 'scene')?.preserved ?? 0) >= 4000);
  scene.allocBytes(MIB);
  const mark = scene.mark();
  scene.allocBytes(MIB);
  scene.rewind(mark);
  compare(walloc);
  scene.reset();
  assert.equal(compare(walloc).arenas.find(({ name }) => name === 'scene')?.preserved, 0);
  const blocks = [100, 5000, 200_000, 9 * MIB].map((bytes) => heap.malloc(bytes));
  compare(walloc);
  for (const block of blocks) heap.free(block);
  const arena = walloc.createArena({ reserve: MIB });
  arena.allocBytes(100);
  assert.equal(compare(walloc).arenas.length, 4);
  arena.destroy();
  entity.reset();
  assert.equal(compare(walloc).arenas.length, 3);
});

test('names the owner of every address', async (t) => {
  const walloc = await createFor(t);
  const view = walloc.render.alloc(Uint8Array, 100_000);
  const block = walloc.heap.malloc(4096);
  const scrap = walloc.heap.malloc(16); // the first few small ones lie between large blocks
  const referenced = walloc.heap.alloc(Uint8Array, 16);
  const snapshot = look(walloc);
  const ownerAt = (/** @type {number} */ address) => {
    const page = Math.floor(address / snapshot.pageSize);
    const run = snapshot.runs.find(([first, count]) => page >= first && page < first + count);
    return run?.[2] ?? 0;
  };
  assert.equal(ownerAt(view.address), owners.ARENA);
  assert.equal(ownerName(ownerAt(view.address)), 'render');
  assert.match(ownerName(ownerAt(block)), /^heap, part [5-9]$/);
  assert.match(ownerName(ownerAt(scrap)), /^heap, large blocks and scraps, shard \d$/);
  assert.equal(ownerName(ownerAt(referenced.address)), 'heap, blocks with references');
  const { address } = view;
  assert.match(describe(snapshot, address, address + 4096), /render, chunk 0: in use/);
  assert.match(describe(snapshot, endOf(snapshot), endOf(snapshot) + 4096), /not obtained/);
});

test('sees the lanes of each thread, and the cursor behind them', async (t) => {
  const walloc = await createFor(t);
  const helper = new Helper(walloc.handle);
  await helper.call('race', { tier: 'entity', count: 10, seed: 1 });
  const here = walloc.entity.alloc(Uint8Array, 8);
  const snapshot = look(walloc);
  assert.equal(snapshot.threads, 2);
  const entity = snapshot.arenas.find(({ name }) => name === 'entity');
  assert.ok(entity);
  assert.equal(entity.lanes.length, 2);
  const own = entity.lanes.find(({ from }) => from === here.address + 8);
  assert.ok(own, 'the lane begins behind the block that was just taken');
  const cursor = addressAt(entity, entity.used, snapshot.pageSize);
  for (const { from, to } of entity.lanes) assert.ok(from < to && to <= cursor);
  walloc.entity.reset();
  assert.deepEqual(look(walloc).arenas.find(({ name }) => name === 'entity')?.lanes, []);
});

test('reads the memory above 128 MiB too', async (t) => {
  const walloc = await createFor(t, { maximum: 512 * MIB });
  for (let i = 0; i < 20; i++) walloc.render.allocBytes(16 * MIB);
  const snapshot = compare(walloc);
  assert.ok(endOf(snapshot) > 320 * MIB);
  const cells = cellsOf(snapshot);
  assert.equal(cells.owners[Math.floor((200 * MIB) / cells.bytes)], owners.ARENA);
});

test('calls nothing of the module: it reads memory that nobody else has', async (t) => {
  const walloc = await createFor(t);
  walloc.render.allocBytes(100);
  const { memory, control } = walloc.handle;
  const before = look(walloc);
  const module = { memory: { buffer: memory.buffer.slice(0), grow: () => 0 }, control };
  // A copy of the bytes, without a module that could be called.
  assert.deepEqual(takeSnapshot(new Control(/** @type {any} */ (module))), before);
});

test('refuses what is no control block', async (t) => {
  const walloc = await createFor(t);
  const { memory, control } = walloc.handle;
  throwsError(
    () => new Control({ memory, control: control + 4 }),
    WallocError,
    'LAYOUT',
    /version 1/,
  );
});

test('a dump is read back as it was written, and others are refused', async (t) => {
  const walloc = await createFor(t);
  walloc.scene.allocBytes(2 * MIB);
  const snapshot = look(walloc);
  assert.deepEqual(readDump(writeDump(snapshot)), snapshot);
  assert.throws(() => readDump('{}'), /no dump/);
  assert.throws(() => readDump(writeDump({ ...snapshot, version: /** @type {any} */ (2) })), /2/);
  const damaged = { ...snapshot, runs: /** @type {any} */ ([[1, -2, 3]]) };
  assert.throws(() => readDump(writeDump(damaged)), /damaged/);
});

test('walloc-map draws a dump, in the terminal and as SVG', async (t) => {
  const walloc = await createFor(t);
  walloc.scene.allocBytes(200_000);
  walloc.scene.preserve();
  const dump = look(walloc);
  const folder = mkdtempSync(join(tmpdir(), 'walloc-map-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [file, picture] = [join(folder, 'dump.json'), join(folder, 'map.svg')];
  writeFileSync(file, writeDump(dump));

  const text = execFileSync(process.execPath, [CLI, file], { encoding: 'utf8' });
  assert.equal(text, drawText(dump));
  assert.match(text, /^0x00000000 {2}#+/m);
  assert.match(text, /={3}/, 'three cells are preserved');
  execFileSync(process.execPath, [CLI, file, '--svg', picture]);
  assert.equal(readFileSync(picture, 'utf8'), drawSvg(dump));
  assert.match(drawSvg(dump), /^<svg [^>]+>\n<title>.+scene 195\.3 KiB/);

  const wrong = spawnSync(process.execPath, [CLI, CLI], { encoding: 'utf8' });
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /^walloc-map: /);
});
