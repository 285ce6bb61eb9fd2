/**
 * What kill storms find, in Node: without recovery, and with another malloc, workers hang. In a file of its own, as they
 * mostly wait to see that nobody goes on, while another file's tests run.
 *
 * WALLOC_SEED repeats the choices of a run, though not its instants; WALLOC_STORM_KILLS says how many at most.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Storm } from '../storms/storm.js';
import { KILLS, MANY, dlmallocForStorm, seedFor, startWorker } from '../storms/node.js';
import { wallocForStorm } from '../storms/walloc.js';

test('without recovery a storm finds that workers hang', async (t) => {
  const { allocator } = await wallocForStorm({ recovers: false });
  const settings = { ...MANY, allocator, kills: KILLS, seed: seedFor(t), patience: 10_000 };
  const seen = await new Storm(settings).run();
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.kills > 0 && seen.hangs > 0);
});

test('where freeing what the dead held is refused for ever, a storm ends and calls it a hang', async (t) => {
  const { allocator } = await wallocForStorm();
  const free = () => {
    throw Object.assign(new Error('another thread holds the lock'), { code: 'BUSY' });
  };
  const settings = { ...MANY, allocator: { ...allocator, free }, seed: seedFor(t) };
  const seen = await new Storm({ ...settings, kills: KILLS, patience: 10_000 }).run();
  assert.ok(seen.hangs > 0);
  assert.equal(seen.freed, 0);
});

test('with dlmalloc in the place of walloc a storm finds that nobody goes on, or blocks that overlap', async (t) => {
  const allocator = await dlmallocForStorm();
  // Few, as its lock is so unfair that of many workers some wait for very long.
  const few = { startWorker, workers: 3, batch: 2, kills: KILLS, patience: 15_000 };
  const seen = await new Storm({ ...few, allocator, seed: seedFor(t) }).run();
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.kills > 0 && (seen.hangs > 0 || seen.violations.length > 0));
});
