/**
 * The heap beside the SDK's mallocs: each workload with 1, 2 and 4 threads, round by round in turn, so that
 * what disturbs the machine disturbs all of them.
 *
 * With --no-liftoff V8 optimises a module before it runs, and not while it does: most workloads are over in
 * less than half a second, which would measure how fast it optimises each of the mallocs.
 */
import { statSync, writeFileSync } from 'node:fs';
import {
  ALLOCATORS,
  THREADS,
  commandOf,
  didTheSame,
  ratioOf,
  rowsOf,
  summarize,
} from '../../bench/heap/summary.mjs';
import { Problem, ROOT, run } from '../run.mjs';

/** @typedef {import('../../bench/heap/summary.mjs').Run} Run */
/** @typedef {import('../../bench/heap/summary.mjs').Row} Row */

const FOLDER = 'build/emscripten/bench/heap';

/** @param {string} allocator */
const wasmBytes = (allocator) => statSync(`${ROOT}${FOLDER}/bench_minimal_${allocator}.wasm`).size;

/**
 * @param {string} bench
 * @param {string} allocator
 * @param {number} threads
 * @returns {Promise<Run>}
 */
async function runOnce(bench, allocator, threads) {
  const { program, workload, trace } = commandOf(bench, allocator);
  const env = trace ? { BENCH_TRACE: `${ROOT}bench/heap/traces/${trace}.trace.gz` } : {};
  const file = `${FOLDER}/${program}.js`;
  const { output } = await run('node', ['--no-liftoff', file, workload, String(threads)], { env });
  return JSON.parse(output);
}

/**
 * @param {string} bench
 * @param {number} threads
 * @param {number} rounds
 */
async function runRounds(bench, threads, rounds) {
  /** @type {Map<string, Run[]>} */
  const runs = new Map(ALLOCATORS.map((allocator) => [allocator, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [allocator, list] of runs) list.push(await runOnce(bench, allocator, threads));
  }
  if (!didTheSame(runs)) throw new Problem(`${bench}: the checksums differ`);
  return runs;
}

const KIB = 1024;

/** @param {string} bench @param {number} threads @param {Map<string, Run[]>} runs @param {Row[]} rows */
function printRow(bench, threads, runs, rows) {
  const walloc = /** @type {Run[]} */ (runs.get('walloc'));
  const others = ALLOCATORS.slice(1).map((name) => {
    const { median, least, most } = ratioOf(walloc, /** @type {Run[]} */ (runs.get(name)));
    return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`.padEnd(20);
  });
  const peaks = rows.map((row) => String(Math.round(row.peak_bytes / KIB)).padStart(8));
  console.log(`${bench.padEnd(16)} ${threads}   ${others.join('')}${peaks.join('')}`);
}

async function printSizes() {
  console.log('\nA minimal program: module, and memory behind its first block');
  for (const allocator of ALLOCATORS) {
    const { output } = await run('node', [`${FOLDER}/bench_minimal_${allocator}.js`]);
    const first = (Number(output) / KIB).toFixed(0);
    console.log(`  ${allocator.padEnd(9)} ${wasmBytes(allocator)} bytes, ${first} KiB`);
  }
}

/** @param {Row[]} rows */
function printSummary(rows) {
  const { mimalloc, mimallocLeast, dlmallocThreaded, emmallocThreaded, memory } = summarize(rows);
  console.log(`
Geometric means over all rows
  throughput, times mimalloc's: ${mimalloc.toFixed(2)}; the least row: ${mimallocLeast.toFixed(2)}
  with 2 and 4 threads, times dlmalloc's: ${dlmallocThreaded.toFixed(2)}; emmalloc's: ${emmallocThreaded.toFixed(2)}
  peak memory, times the better of dlmalloc's and emmalloc's: ${memory.toFixed(2)}`);
}

/**
 * @param {object} options
 * @param {string[]} options.known workloads to choose from
 * @param {number} options.rounds
 * @param {string[]} [options.only] names of workloads
 * @param {number[]} [options.threads]
 * @param {string} [options.json] where the rows go
 */
export async function benchHeap({ known, rounds, only, threads = THREADS, json }) {
  const benches = only
    ? known.filter((bench) => only.some((name) => bench === name || bench.startsWith(`${name}:`)))
    : known;
  if (benches.length === 0) throw new Problem(`There is only ${known.join(', ')}`);
  const sizes = Object.fromEntries(ALLOCATORS.map((name) => [name, wasmBytes(name)]));
  /** @type {Row[]} */
  const rows = [];
  console.log(`
Throughput of walloc, times that of the others: median (least–most) of ${rounds} rounds; peak memory in KiB
workload         threads mimalloc          dlmalloc            emmalloc              walloc mimalloc dlmalloc emmalloc`);
  for (const bench of benches) {
    for (const count of threads) {
      const runs = await runRounds(bench, count, rounds);
      const more = rowsOf(bench, count, runs, sizes);
      rows.push(...more);
      printRow(bench, count, runs, more);
      if (json) writeFileSync(json, `${JSON.stringify(rows, null, 1)}\n`);
    }
  }
  await printSizes();
  printSummary(rows);
}
