/**
 * Kill storms in Node: see tests/storms/storm.js. Those in browsers are in tests/browser.
 *
 * WALLOC_SEED repeats the choices of a run, though not its instants; WALLOC_STORM_KILLS says how many.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Storm } from '../storms/storm.js';
import { dlmallocForStorm, startWorker } from '../storms/node.js';
import { growthAllowed, wallocForStorm } from '../storms/walloc.js';

const KILLS = Number(process.env.WALLOC_STORM_KILLS ?? 640);

/** @param {import('node:test').TestContext} t */
function seedFor(t) {
  const seed = Number(process.env.WALLOC_SEED ?? Date.now() % 2 ** 31);
  t.diagnostic(`WALLOC_SEED=${seed}`);
  return seed;
}

const MANY = { startWorker, workers: 8, batch: 6 };

test('workers are killed at random, and all others go on', async (t) => {
  const seed = seedFor(t);
  const { allocator, check } = await wallocForStorm();
  const seen = await new Storm({ ...MANY, allocator, kills: KILLS, seed }).run();
  t.diagnostic(JSON.stringify(seen));
  assert.deepEqual(seen.violations, []);
  assert.equal(seen.hangs, 0);
  assert.equal(seen.kills, KILLS);
  assert.ok(seen.attached > KILLS / 2 && seen.inHand > 0 && seen.freed > KILLS);
  assert.ok(seen.after - seen.before <= growthAllowed(KILLS), `${seen.after} bytes`);
  assert.deepEqual(check(), []);
});

test('without recovery a storm finds that workers hang, or that memory creeps', async (t) => {
  const { allocator } = await wallocForStorm({ recovers: false });
  const settings = { ...MANY, allocator, kills: KILLS, seed: seedFor(t), patience: 10_000 };
  const seen = await new Storm(settings).run();
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.hangs > 0 || seen.after - seen.before > growthAllowed(seen.kills));
});

test('with dlmalloc in the place of walloc a storm finds that nobody goes on', async (t) => {
  const allocator = await dlmallocForStorm();
  // Few, as its lock is so unfair that of many workers some wait for very long.
  const few = { startWorker, workers: 3, batch: 2, kills: KILLS, patience: 15_000 };
  const seen = await new Storm({ ...few, allocator, seed: seedFor(t) }).run();
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.kills > 0 && seen.hangs > 0);
});
