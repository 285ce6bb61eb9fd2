/**
 * Records the traces anew: builds the recorder (trace/), runs the programs, writes bench/heap/traces/.
 *
 *     node bench/heap/record/record.mjs [NAME ...]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Problem, ROOT, run, script, step } from '../../../scripts/run.mjs';
import { PROGRAMS } from './programs.mjs';

const TRACES = join(import.meta.dirname, '../traces');

/** What the repository takes. */
const BYTES_MOST = 4 << 20;
const PACKED_MOST = 400_000;

/**
 * Runs a program with the recorder. It is started directly: a shell between would be recorded instead.
 *
 * @param {import('./programs.mjs').Program} program
 * @param {string} recorder
 * @param {string} folder for what is thrown away
 */
async function record(program, recorder, folder) {
  const [file, ...args] = await program.prepare(folder);
  const trace = join(folder, 'trace');
  const env = {
    ...process.env,
    ...program.env,
    LC_ALL: 'C',
    LD_PRELOAD: recorder,
    WALLOC_TRACE: trace,
    WALLOC_TRACE_SKIP: String(program.skip),
    WALLOC_TRACE_COUNT: String(program.operations),
  };
  const { status, stderr, error } = spawnSync(file, args, {
    cwd: folder,
    env,
    timeout: 120_000,
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Problem(`${program.name} failed: ${error?.message ?? stderr}`);
  return readFileSync(trace);
}

/** What is written before the stream, as docs/trace.md tells it. @param {Buffer} trace */
function headOf(trace) {
  let at = 7;
  const number = () => {
    let [value, shift] = [0, 1];
    for (; trace[at] > 127; shift *= 128) value += (trace[at++] & 127) * shift;
    return value + trace[at++] * shift;
  };
  at += number(); // the name
  const [operations, slots, peak, threads, length] = Array.from({ length: 5 }, number);
  return { operations, slots, peak, threads, length };
}

/** @param {import('./programs.mjs').Program} program @param {string} recorder */
async function make(program, recorder) {
  const folder = mkdtempSync(join(tmpdir(), 'walloc-record-'));
  try {
    const trace = await record(program, recorder, folder);
    const packed = gzipSync(trace, { level: 9 });
    const { operations, slots, peak, threads } = headOf(trace);
    console.log(`  ${operations} operations of ${threads} threads`);
    console.log(`  at most ${slots} blocks and ${peak} bytes alive`);
    console.log(`  ${trace.length} bytes, ${packed.length} packed`);
    if (trace.length > BYTES_MOST || packed.length > PACKED_MOST) {
      throw new Problem(`The trace of ${program.name} is too large`);
    }
    mkdirSync(TRACES, { recursive: true });
    writeFileSync(join(TRACES, `${program.name}.trace.gz`), packed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

script(async () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !PROGRAMS.some((program) => program.name === name));
  if (unknown) throw new Problem(`There is no program ${unknown}`);
  await run('cmake', ['--preset', 'native']);
  await run('cmake', ['--build', '--preset', 'native', '--target', 'walloc_trace_preload']);
  const recorder = join(ROOT, 'build/native/trace/libwalloc_trace_preload.so');
  for (const program of PROGRAMS) {
    if (names.length > 0 && !names.includes(program.name)) continue;
    await step(program.name, () => make(program, recorder));
  }
});
