/**
 * From single runs to rows and ratios: what the command and the page print. Pure functions.
 */

/** Each stands beside walloc in every comparison. */
export const ALLOCATORS = /** @type {const} */ (['walloc', 'mimalloc', 'dlmalloc', 'emmalloc']);

export const THREADS = [1, 2, 4];

/** Workloads by name; a trace's is replay:NAME. See the C files. */
export const WORKLOADS = [
  'pair',
  'larson',
  'xmalloc',
  'mstress',
  'churn',
  'vector',
  'large',
  'cache-scratch',
  'cache-thrash',
  'threads',
  ...['sqlite3', 'python3', 'node', 'cc1plus', 'clang', 'wasm-opt'].map((name) => `replay:${name}`),
];

/** Real programs, and where walloc has two ways to serve one, the second behind a colon. See bench/programs. */
export const PROGRAMS = ['sqlite', 'tree-sitter', 'expat', 'expat:arena'];

/**
 * What runs a bench: a program, the workload in it, and the trace that a replay wants.
 *
 * @param {string} bench
 * @param {string} allocator
 * @returns {{ program: string, workload: string, trace?: string }}
 */
export function commandOf(bench, allocator) {
  const [name, trace] = bench.split(':');
  return PROGRAMS.includes(bench)
    ? { program: `bench_${name}_${allocator}`, workload: bench }
    : { program: `bench_heap_${allocator}`, workload: name, trace };
}

/**
 * @typedef {object} Run what one run of a program printed
 * @property {number} operations
 * @property {number} seconds
 * @property {string} checksum
 * @property {number} peak_bytes
 * @property {number} first_bytes
 *
 * @typedef {object} Row the median of some runs
 * @property {string} bench
 * @property {string} allocator
 * @property {number} threads
 * @property {number} ops_per_s
 * @property {number} peak_bytes
 * @property {number} wasm_bytes of a minimal program
 */

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number[]} values NaN for none */
export const geomean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/**
 * Every allocator has done the same work in every round.
 *
 * @param {Map<string, Run[]>} runs by allocator
 * @returns {boolean}
 */
export function didTheSame(runs) {
  const done = [...runs.values()].flat().map((run) => `${run.operations} ${run.checksum}`);
  return new Set(done).size === 1;
}

/**
 * @param {string} bench
 * @param {number} threads
 * @param {Map<string, Run[]>} runs by allocator
 * @param {Record<string, number>} wasmBytes by allocator
 * @returns {Row[]}
 */
export function rowsOf(bench, threads, runs, wasmBytes) {
  return [...runs].map(([allocator, list]) => ({
    bench,
    allocator,
    threads,
    ops_per_s: Math.round(median(list.map((run) => run.operations / run.seconds))),
    peak_bytes: median(list.map((run) => run.peak_bytes)),
    wasm_bytes: wasmBytes[allocator],
  }));
}

/**
 * How many times walloc's throughput is another's: the median, and the least and most of the rounds.
 *
 * @param {Run[]} walloc
 * @param {Run[]} other of the same rounds
 */
export function ratioOf(walloc, other) {
  const ratios = walloc.map((run, i) => other[i].seconds / run.seconds);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/**
 * Rows by bench and threads, as { allocator: row }.
 *
 * @param {Row[]} rows
 */
export function cells(rows) {
  /** @type {Map<string, Record<string, Row>>} */
  const found = new Map();
  for (const row of rows) {
    const key = `${row.bench} ${row.threads}`;
    found.set(key, { ...found.get(key), [row.allocator]: row });
  }
  return [...found.values()];
}

/**
 * What matters in the end.
 *
 * @param {Row[]} rows
 */
export function summarize(rows) {
  const all = cells(rows);
  const some = all.filter((cell) => cell.walloc.threads > 1);
  /** @param {typeof all} of @param {string} other */
  const speeds = (of, other) =>
    of.filter((cell) => cell[other]).map((cell) => cell.walloc.ops_per_s / cell[other].ops_per_s);
  const memory = all
    .filter((cell) => cell.dlmalloc && cell.emmalloc)
    .map(
      (cell) =>
        cell.walloc.peak_bytes / Math.min(cell.dlmalloc.peak_bytes, cell.emmalloc.peak_bytes),
    );
  return {
    mimalloc: geomean(speeds(all, 'mimalloc')),
    mimallocLeast: Math.min(...speeds(all, 'mimalloc')),
    dlmallocThreaded: geomean(speeds(some, 'dlmalloc')),
    emmallocThreaded: geomean(speeds(some, 'emmalloc')),
    memory: geomean(memory),
  };
}
