/**
 * Records the traces anew: builds the interposer, runs the programs, writes bench/heap/traces/.
 *
 *     node bench/heap/record/record.mjs [NAME ...]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Problem, run, script, step } from '../../../scripts/run.mjs';
import { compact } from './compact.mjs';
import { PROGRAMS } from './programs.mjs';

const TRACES = join(import.meta.dirname, '../traces');

/** What the repository takes. */
const BYTES_MOST = 4 << 20;
const PACKED_MOST = 400_000;

/**
 * Runs a program with the interposer. It is started directly: a shell between would be recorded instead.
 *
 * @param {import('./programs.mjs').Program} program
 * @param {string} interposer
 * @param {string} folder for what is thrown away
 */
async function record(program, interposer, folder) {
  const [file, ...args] = await program.prepare(folder);
  const raw = join(folder, 'raw');
  const env = {
    ...process.env,
    ...program.env,
    LC_ALL: 'C',
    LD_PRELOAD: interposer,
    WALLOC_RECORD_FILE: raw,
  };
  const { status, stderr, error } = spawnSync(file, args, {
    cwd: folder,
    env,
    timeout: 120_000,
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Problem(`${program.name} failed: ${error?.message ?? stderr}`);
  return readFileSync(raw);
}

/** @param {ReturnType<typeof compact>['numbers']} numbers @param {number} bytes @param {number} packed */
function tell({ operations, slots, peak, threads, foreign, left, kinds, sizes }, bytes, packed) {
  const counts = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  const all = sizes.reduce((sum, count) => sum + count, 0);
  const shares = sizes.flatMap((count, bits) => {
    const share = Math.round((count / all) * 100);
    return share > 0 ? [`${2 ** bits}: ${share}%`] : [];
  });
  console.log(`  ${operations} operations: ${counts.join(', ')} (${left} of them to end with)`);
  console.log(`  ${threads} threads; ${foreign} blocks freed by another than their own`);
  console.log(`  at most ${slots} blocks and ${peak} bytes alive`);
  console.log(`  of at most so many bytes: ${shares.join(', ')}`);
  console.log(`  ${bytes} bytes, ${packed} packed`);
}

/** @param {import('./programs.mjs').Program} program @param {string} interposer */
async function make(program, interposer) {
  const folder = mkdtempSync(join(tmpdir(), 'walloc-record-'));
  try {
    const { trace, numbers } = compact(await record(program, interposer, folder), program);
    const packed = gzipSync(trace, { level: 9 });
    tell(numbers, trace.length, packed.length);
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
  const folder = mkdtempSync(join(tmpdir(), 'walloc-interpose-'));
  try {
    const interposer = join(folder, 'interpose.so');
    const source = join(import.meta.dirname, 'interpose.c');
    const flags = ['-std=c11', '-O2', '-fPIC', '-shared', '-pthread'];
    await run('gcc', [...flags, source, '-o', interposer, '-ldl']);
    for (const program of PROGRAMS) {
      if (names.length > 0 && !names.includes(program.name)) continue;
      await step(program.name, () => make(program, interposer));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
