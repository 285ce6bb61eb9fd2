/**
 * Storms in Node: how many kills, their workers, and dlmalloc in walloc's place.
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { BUNDLE, bundleWorker } from './bundle.js';
import { createDlmalloc } from './dlmalloc.js';

const DLMALLOC = new URL('../../build/attached/tests/storms/dlmalloc.wasm', import.meta.url);

await bundleWorker();

export const startWorker = () => new Worker(new URL(`../../${BUNDLE}`, import.meta.url));

export const KILLS = Number(process.env.WALLOC_STORM_KILLS ?? 640);

export const MANY = { startWorker, workers: 8, batch: 6 };

/** @param {import('node:test').TestContext} t */
export function seedFor(t) {
  const seed = Number(process.env.WALLOC_SEED ?? Date.now() % 2 ** 31);
  t.diagnostic(`WALLOC_SEED=${seed}`);
  return seed;
}

/** @returns {Promise<import('./storm.js').Allocator>} */
export async function dlmallocForStorm() {
  const handle = await createDlmalloc(readFileSync(DLMALLOC));
  const { memory } = handle;
  return {
    memory,
    // What the dead held stays: the storm's own thread would wait at a dead worker's lock, too, and tell nobody.
    free: () => {},
    handleFor: (_worker, index) => ({ ...handle, thread: index + 1 }),
    terminate: async (worker) => {
      await worker.terminate();
      return true;
    },
    obtained: () => memory.buffer.byteLength,
  };
}
