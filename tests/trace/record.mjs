/**
 * Records a program, and looks at what its trace replays to.
 *
 *     node tests/trace/record.mjs PROGRAM [REPLAY] [PRELOAD]
 *
 * PROGRAM is tests/trace/program.c with the recorder in it, or without it and PRELOAD is loaded before it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [program, replayer, preload] = process.argv.slice(2);
const isWasm = program.endsWith('.js');
const LEFT = 64; // blocks that the program does not free

/** @param {string} file @param {string[]} args @param {Record<string, string>} [env] */
function start(file, args, env = {}) {
  const command = file.endsWith('.js') ? [process.execPath, file, ...args] : [file, ...args];
  const { status, signal, stdout, stderr } = spawnSync(command[0], command.slice(1), {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, signal, stdout, stderr };
}

/** @param {string} trace @param {string[]} args @param {Record<string, string>} [env] */
const record = (trace, args = [], env = {}) =>
  start(program, args, {
    WALLOC_TRACE: trace,
    ...(preload ? { LD_PRELOAD: preload } : {}),
    ...env,
  });

/** @param {string} trace @param {string[]} [args] */
function replay(trace, args = []) {
  const { status, stdout, stderr } = start(replayer, [trace, ...args]);
  assert.equal(status, 0, stderr);
  const [operations, checksum] = stdout.split(' ');
  return { operations: Number(operations), checksum };
}

/** Beside the program's own calls there are those of the C library, for threads and files. @param {string} trace @param {number} calls */
function checkWhole(trace, calls) {
  const once = replay(trace);
  assert.ok(once.operations >= calls + LEFT, `${once.operations} of ${calls}`);
  assert.ok(once.operations <= calls + LEFT + 200, `${once.operations} of ${calls}`);
  assert.deepEqual(replay(trace, ['3', '1']), once);
  assert.equal(replay(trace, ['1', '4']).operations, once.operations);
}

const folder = mkdtempSync(join(tmpdir(), 'walloc-trace-'));
try {
  const whole = join(folder, 'whole');
  const run = record(whole);
  assert.equal(run.status, 0, run.stderr);
  const calls = Number(run.stdout);
  assert.ok(calls > 10_000);
  const bytes = readFileSync(whole);
  assert.equal(bytes.toString('latin1', 0, 6), 'WTRACE');
  if (replayer) checkWhole(whole, calls);

  // A file that is there is not written over, and the program runs as ever.
  if (!isWasm) {
    const again = record(whole);
    assert.equal(again.status, 0);
    assert.match(again.stderr, /whole: WALLOC_TRACE cannot make this file/);
    assert.deepEqual(readFileSync(whole), bytes);
  }

  // Without the variable nothing is recorded.
  const silent = start(program, [], preload ? { LD_PRELOAD: preload } : {});
  assert.equal(silent.status, 0);

  if (!isWasm && replayer) {
    const killed = join(folder, 'killed');
    const { signal, stdout } = record(killed, ['kill']);
    assert.equal(signal, 'SIGKILL');
    checkWhole(killed, Number(stdout));
    assert.ok(statSync(killed).size >= 1 << 20, 'it was not completed');

    const part = join(folder, 'part');
    record(part, [], { WALLOC_TRACE_SKIP: '3000', WALLOC_TRACE_COUNT: '1000' });
    const { operations } = replay(part);
    assert.ok(operations >= 1000 && operations <= 1000 + 4 * LEFT, `${operations}`);

    const many = join(folder, 'many-%p');
    assert.equal(record(many).status, 0);
    assert.ok(!existsSync(many));
  }
  console.log('Recorded and replayed');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
