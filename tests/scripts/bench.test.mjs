/**
 * How single runs of the heap's benchmark become rows, ratios and a summary.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ALLOCATORS,
  PROGRAMS,
  WORKLOADS,
  cells,
  commandOf,
  didTheSame,
  geomean,
  median,
  ratioOf,
  rowsOf,
  summarize,
} from '../../bench/heap/summary.mjs';
import { ROUNDS, queryOf, settingsOf } from '../../bench/heap/page/settings.js';

/** @typedef {import('../../bench/heap/summary.mjs').Row} Row */

/** @param {number} seconds @param {object} [other] what differs */
const run = (seconds, other = {}) => ({
  operations: 1000,
  seconds,
  checksum: 'abc',
  peak_bytes: 4096,
  first_bytes: 1024,
  ...other,
});

/**
 * A row of each allocator.
 *
 * @param {number} threads
 * @param {Record<string, number>} speeds
 * @param {Record<string, number>} peaks
 * @returns {Row[]}
 */
const rowsWith = (threads, speeds, peaks) =>
  ALLOCATORS.map((allocator) => ({
    bench: 'pair',
    allocator,
    threads,
    ops_per_s: speeds[allocator],
    peak_bytes: peaks[allocator],
    wasm_bytes: 100,
  }));

/** @param {number} value @param {number} expected */
const near = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-9, `${value}`);

test('the median is the middle, or between the two in the middle', () => {
  const values = [10, 1, 9];
  assert.equal(median(values), 9);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.deepEqual(values, [10, 1, 9], 'the values are left as they were');
});

test('the geometric mean of a ratio and its inverse is 1', () => {
  near(geomean([4, 0.25]), 1);
  near(geomean([2, 8]), 4);
  assert.ok(Number.isNaN(geomean([])));
});

test('runs did the same work only with the same operations and checksum', () => {
  const runs = (/** @type {object} */ other) =>
    new Map([
      ['walloc', [run(1), run(2)]],
      ['mimalloc', [run(3), run(4, other)]],
    ]);
  assert.equal(didTheSame(runs({ peak_bytes: 1 })), true);
  assert.equal(didTheSame(runs({ checksum: 'abd' })), false);
  assert.equal(didTheSame(runs({ operations: 999 })), false);
});

test('a ratio compares runs of the same round', () => {
  const walloc = [run(1), run(2), run(4)];
  const other = [run(2), run(2), run(12)];
  assert.deepEqual(ratioOf(walloc, other), { median: 2, least: 1, most: 3 });
});

test('a row holds medians', () => {
  const runs = new Map([['walloc', [run(1), run(2, { peak_bytes: 8192 }), run(4)]]]);
  assert.deepEqual(rowsOf('pair', 2, runs, { walloc: 77 }), [
    {
      bench: 'pair',
      allocator: 'walloc',
      threads: 2,
      ops_per_s: 500,
      peak_bytes: 4096,
      wasm_bytes: 77,
    },
  ]);
});

test('rows with the same workload and threads are together', () => {
  const one = rowsWith(1, {}, {});
  const two = rowsWith(2, {}, {});
  const found = cells([...one, ...two]);
  assert.deepEqual(
    found.map((cell) => cell.dlmalloc),
    [one[2], two[2]],
  );
});

test('the summary: all rows against mimalloc, those with threads against the others', () => {
  const peaks = { walloc: 200, mimalloc: 50, dlmalloc: 100, emmalloc: 400 };
  const rows = [
    ...rowsWith(1, { walloc: 8, mimalloc: 2, dlmalloc: 80, emmalloc: 80 }, peaks),
    ...rowsWith(2, { walloc: 8, mimalloc: 8, dlmalloc: 4, emmalloc: 1 }, peaks),
  ];
  const { mimalloc, mimallocLeast, dlmallocThreaded, emmallocThreaded, memory } = summarize(rows);
  near(mimalloc, 2);
  near(mimallocLeast, 1);
  near(dlmallocThreaded, 2);
  near(emmallocThreaded, 8);
  near(memory, 2);
});

test('the summary of one thread has nothing to say about several', () => {
  const same = { walloc: 1, mimalloc: 1, dlmalloc: 1, emmalloc: 1 };
  const { mimalloc, dlmallocThreaded } = summarize(rowsWith(1, same, same));
  near(mimalloc, 1);
  assert.ok(Number.isNaN(dlmallocThreaded));
});

test("the page's settings come from its address, and go back into it", () => {
  const all = settingsOf(new URLSearchParams());
  assert.deepEqual(all, { benches: WORKLOADS, threads: [1, 2, 4], rounds: ROUNDS });
  assert.equal(queryOf(all), '');
  const query = '?only=pair,replay:clang&threads=1,4&rounds=5';
  const some = settingsOf(new URLSearchParams(query));
  assert.deepEqual(some, { benches: ['pair', 'replay:clang'], threads: [1, 4], rounds: 5 });
  assert.equal(queryOf(some), query);
});

test('a bench is a workload of the heap, a replay of a trace, or a program', () => {
  const program = 'bench_heap_walloc';
  assert.deepEqual(commandOf('pair', 'walloc'), { program, workload: 'pair', trace: undefined });
  assert.deepEqual(commandOf('replay:clang', 'walloc'), {
    program,
    workload: 'replay',
    trace: 'clang',
  });
  assert.deepEqual(commandOf('expat:arena', 'dlmalloc'), {
    program: 'bench_expat_dlmalloc',
    workload: 'expat:arena',
  });
});

test("the page's settings offer the programs, and choose them only when asked", () => {
  const query = `?only=${PROGRAMS}`;
  const settings = settingsOf(new URLSearchParams(query));
  assert.deepEqual(settings.benches, PROGRAMS);
  assert.equal(queryOf(settings), query);
});

test("the page's settings leave out what there is not", () => {
  const query = '?only=replay,unheard&threads=3&rounds=-1';
  const { benches, threads, rounds } = settingsOf(new URLSearchParams(query));
  assert.deepEqual(
    benches,
    WORKLOADS.filter((bench) => bench.startsWith('replay:')),
  );
  assert.deepEqual([threads, rounds], [[], ROUNDS]);
});
