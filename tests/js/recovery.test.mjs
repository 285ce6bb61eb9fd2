/**
 * Workers that end while they are attached: what they held is taken back.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { BUSY } from '../../workers/api/errors.js';
import { Watcher } from '../../workers/api/recovery.js';
import { WallocError, WallocOutOfMemory } from '../../workers/walloc.js';
import { createFor, rejectsWith, throwsError } from './support.mjs';

/** @type {Worker[]} */
const workers = [];

after(() => Promise.all(workers.map((worker) => worker.terminate())));

function start() {
  const worker = new Worker(new URL('./recovery-worker.mjs', import.meta.url));
  workers.push(worker);
  return worker;
}

/**
 * @param {Worker} worker
 * @param {object} message
 */
async function ask(worker, message) {
  worker.postMessage(message);
  const [answer] = await once(worker, 'message');
  return answer;
}

test('what a terminated worker held is taken back, its stack serves the next', async (t) => {
  const walloc = await createFor(t);
  const numbers = new Set();
  let obtained = 0;
  for (let i = 0; i < 5; i++) {
    const worker = start();
    const handle = walloc.handleFor(worker);
    const { threadNumber } = await ask(worker, { handle, ending: 'loop' });
    numbers.add(threadNumber);
    throwsError(() => walloc.scene.reset(), WallocError, 'PINNED');
    assert.equal(await walloc.terminate(worker), true);
    walloc.scene.reset();
    obtained ||= walloc.stats().memory.obtained;
  }
  assert.equal(numbers.size, 1);
  assert.equal(walloc.stats().memory.obtained, obtained);
  assert.equal(walloc.stats().heap.parts, 0);
});

test('so is what a worker held that has ended by itself', async (t) => {
  const walloc = await createFor(t);
  const worker = start();
  await ask(worker, { handle: walloc.handleFor(worker), ending: 'exit' });
  assert.equal(await walloc.ended(worker), true);
  walloc.scene.reset();
});

test('a worker that has detached held nothing', async (t) => {
  const walloc = await createFor(t);
  const worker = start();
  const handle = walloc.handleFor(worker);
  await ask(worker, { handle, ending: 'detach' });
  walloc.scene.reset();
  assert.deepEqual(await ask(worker, { handle }), { code: 'HANDLE' });
  assert.equal(await walloc.terminate(worker), false);
  assert.equal(await walloc.ended(worker), false);
});

test('a worker may attach again with another handle, and each is recovered from', async (t) => {
  const walloc = await createFor(t);
  const worker = start();
  await ask(worker, { handle: walloc.handleFor(worker), ending: 'detach' });
  await ask(worker, { handle: walloc.handleFor(worker) });
  throwsError(() => walloc.scene.reset(), WallocError, 'PINNED');
  assert.equal(await walloc.terminate(worker), true);
  walloc.scene.reset();
});

test('a handle is good for one thread', async (t) => {
  const walloc = await createFor(t);
  const [one, other] = [start(), start()];
  const handle = walloc.handleFor(one);
  assert.deepEqual(await ask(other, { handle }), { code: 'HANDLE' });
  assert.ok((await ask(one, { handle })).block > 0);
  assert.deepEqual(await ask(one, { handle }), { code: 'HANDLE' });
  await walloc.terminate(one);
});

test('a worker that never attached, or has ended before, is recovered from at once', async (t) => {
  const walloc = await createFor(t);
  const worker = start();
  walloc.handleFor(worker);
  assert.equal(await walloc.terminate(worker), false);
  walloc.handleFor(worker);
  assert.equal(await walloc.ended(worker), false);
});

test('what is no worker is refused, and one that nobody watches over', async (t) => {
  const walloc = await createFor(t);
  for (const nothing of [undefined, null, 1, {}, 'worker']) {
    throwsError(() => walloc.handleFor(/** @type {any} */ (nothing)), WallocError, 'TYPE');
  }
  const worker = start();
  await rejectsWith(walloc.terminate(worker), WallocError, 'TYPE', /handleFor/);
  await rejectsWith(walloc.ended(worker), WallocError, 'TYPE', /handleFor/);
  assert.ok(worker.threadId > 0, 'it has not been terminated');
});

test('there are stacks for 256 threads; a watcher that detaches takes nothing back', async (t) => {
  const walloc = await createFor(t);
  const worker = start();
  worker.setMaxListeners(300);
  const all = () => {
    for (let i = 0; i < 300; i++) walloc.handleFor(worker);
  };
  throwsError(all, WallocOutOfMemory, 'OUT_OF_MEMORY', /a stack/);
  walloc.detach();
  await rejectsWith(walloc.terminate(worker), WallocError, 'DETACHED');
});

test('while recovery is busy for many, news of the next death still comes', async () => {
  const attempts = 100;
  let calls = 0;
  let isTold = false;
  // Each takes as long as on a slow machine, until the event loop has gone on from its timers to what is due.
  const thread = /** @type {any} */ ({
    neverSleep() {},
    wasm: {
      thread_claim: () => 65536,
      thread_lost() {
        if (calls++ === 8) setImmediate(() => (isTold = true));
        const end = performance.now() + 15;
        while (performance.now() < end);
        return isTold || calls > attempts ? 0 : BUSY;
      },
    },
  });
  const watcher = new Watcher(thread);
  const dead = Array.from({ length: 4 }, () => ({ threadId: -1, terminate() {}, once() {} }));
  dead.forEach((worker) => watcher.seatFor(worker));
  await Promise.all(dead.map((worker) => watcher.ended(worker)));
  assert.ok(calls < attempts, `${calls} attempts`);
});
