/**
 * Checks the stored traces: each is replayed natively, by one thread and by four at once, with the
 * compiler's checks for memory and undefined behaviour. Exits with a failure when one does not go well.
 *
 *     node bench/heap/record/check.mjs [--fast]     --fast: without these checks
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Problem, ROOT, run, script } from '../../../scripts/run.mjs';

const HEAP = join(import.meta.dirname, '..');
const TRACES = join(HEAP, 'traces');
const SANITIZE = ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** @param {string} folder @returns {Promise<string>} the program */
async function build(folder) {
  const program = join(folder, 'walloc-replay');
  const mode = process.argv.includes('--fast') ? ['-O2'] : SANITIZE;
  const sources = ['replay.c', 'walloc_replay.c'].map((name) => join(ROOT, 'trace', name));
  await run('gcc', ['-std=c11', '-pthread', ...mode, ...sources, '-o', program]);
  return program;
}

/**
 * What is not a whole trace must be refused.
 *
 * @param {string} program @param {string} folder @param {Buffer} trace
 */
async function checkRefused(program, folder, trace) {
  const file = join(folder, 'broken');
  const other = Buffer.from(trace);
  other[6] = 2; // another version
  for (const broken of [trace.subarray(0, trace.length - 1), trace.subarray(0, 5), other]) {
    writeFileSync(file, broken);
    const { status, output } = await run(program, [file], { mayFail: true });
    if (status !== 1 || !output.includes('not a trace')) {
      throw new Problem(`A broken trace is not refused: ${output}`);
    }
  }
}

script(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'walloc-check-'));
  try {
    const program = await build(folder);
    const files = readdirSync(TRACES).filter((name) => name.endsWith('.trace.gz'));
    if (files.length === 0) throw new Problem(`There are no traces in ${TRACES}`);
    for (const name of files) {
      const trace = gunzipSync(readFileSync(join(TRACES, name)));
      const file = join(folder, 'trace');
      writeFileSync(file, trace);
      const alone = await run(program, [file, '2', '1']);
      await run(program, [file, '1', '4']);
      const [operations, checksum] = alone.output.split(' ');
      console.log(`✓ ${name}: ${operations} operations, checksum ${checksum}`);
      await checkRefused(program, folder, trace);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
