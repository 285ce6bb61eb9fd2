/**
 * A thread that pins, reads frames, and holds references to contexts, for the tests of those.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Walloc } from '../../workers/walloc.js';

const walloc = await Walloc.attach(workerData);

/** @type {import('../../workers/walloc.js').Pin[]} */
const pins = [];

/**
 * The ref in a mailbox, read until it is one that was written as a whole. Its first word counts the writes.
 *
 * @param {Uint32Array} mailbox
 */
function refFrom(mailbox) {
  for (;;) {
    const before = Atomics.load(mailbox, 0);
    const [arena, address, length, low, high] = [1, 2, 3, 4, 5].map((i) =>
      Atomics.load(mailbox, i),
    );
    if (before % 2 === 0 && before === Atomics.load(mailbox, 0)) {
      return { arena, address, length, low, high, type: 'Uint32Array' };
    }
  }
}

/** @type {Record<string, (argument: any) => unknown>} */
const tasks = {
  number: () => walloc.threadNumber,
  pin: (arena) => pins.push(walloc.arena(arena).pin()),
  pinFrame: ({ frames, frame }) => pins.push(walloc.frames(frames).pin(frame)),
  unpin: () => pins.pop()?.unpin(),
  detach: () => walloc.detach(),

  /** Reads blocks under pins, each of which is the same number all over; how many, and how many were gone. */
  read: ({ mailbox: sent, times }) => {
    const mailbox = walloc.view(sent).array;
    let read = 0;
    let stale = 0;
    for (let i = 0; i < times; i++) {
      const ref = refFrom(mailbox);
      const pin = walloc.arena(ref.arena).pin();
      try {
        const block = walloc.view(ref).array;
        const [first] = block;
        for (let pass = 0; pass < 5; pass++) {
          if (block.some((/** @type {number} */ number) => number !== first))
            throw new Error('torn');
        }
        read++;
      } catch (error) {
        if (/** @type {any} */ (error).code !== 'STALE') throw error;
        stale++;
      } finally {
        pin.unpin();
      }
    }
    return { read, stale };
  },

  /** Takes over a reference, uses it, and gives it up. */
  useContext: (handle) => {
    const context = walloc.context(handle);
    const view = context.alloc(Uint32Array, 4);
    view.array.fill(7);
    const { ref } = view;
    context.release();
    return ref;
  },
  /** Retains and releases until it comes too late. */
  retainAndRelease: (handle) => {
    const context = walloc.context(handle);
    for (let i = 0; i < 2000; i++) context.retain().release();
    context.release();
  },
};

parentPort?.on('message', async ({ name, argument }) => {
  if (name === 'end') {
    walloc.detach();
    parentPort?.close();
    return;
  }
  try {
    parentPort?.postMessage({ result: await tasks[name](argument) });
  } catch (error) {
    parentPort?.postMessage({ error: /** @type {any} */ (error).code ?? String(error) });
  }
});
