/**
 * Kill storms in Node: see tests/storms/storm.js. Those in browsers are in tests/browser, what storms find where nobody
 * recovers in storms-find.test.mjs.
 *
 * WALLOC_SEED repeats the choices of a run, though not its instants; WALLOC_STORM_KILLS says how many.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Storm } from '../storms/storm.js';
import { KILLS, MANY, seedFor } from '../storms/node.js';
import { growthAllowed, wallocForStorm } from '../storms/walloc.js';

test('workers are killed at random, and all others go on', async (t) => {
  const seed = seedFor(t);
  const { allocator, check } = await wallocForStorm();
  const seen = await new Storm({ ...MANY, allocator, kills: KILLS, seed }).run();
  t.diagnostic(JSON.stringify(seen));
  assert.deepEqual(seen.violations, []);
  assert.equal(seen.hangs, 0);
  assert.equal(seen.kills, KILLS);
  assert.ok(seen.attached > KILLS / 2 && seen.inHand > 0 && seen.freed > KILLS);
  assert.ok(seen.after - seen.before <= growthAllowed(KILLS, MANY.workers), `${seen.after} bytes`);
  assert.deepEqual(check(), []);
});
