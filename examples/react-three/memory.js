/**
 * The page's side of the memory: a worker fills frames, the page takes the latest one.
 */
import { Walloc } from '../../workers/walloc.js';

/**
 * @param {(error: Error) => void} onError of the worker
 */
export async function startMemory(onError) {
  const walloc = await Walloc.create({ maximum: 64 << 20, reserve: 4 << 20 });
  const frames = walloc.createFrames({ frames: 3 });
  const latest = walloc.createQueue({ latest: true });
  const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  worker.onerror = ({ message }) => onError(new Error(message));
  worker.postMessage({ handle: walloc.handle, frames: frames.handle, latest: latest.handle });

  return {
    /** Asks the worker for the vertices of a moment. @param {number} time @param {number} height */
    ask: (time, height) => worker.postMessage({ time, height }),

    /**
     * Calls `use` with the latest vertices, which nobody recycles meanwhile.
     *
     * @param {(vertices: Float32Array) => void} use
     * @returns {boolean} false: there were none, or they were out of date already
     */
    withLatest(use) {
      const view = latest.poll();
      if (!view) return false;
      const pin = view.arena.pin();
      try {
        if (view.valid) use(view.array);
        return true;
      } finally {
        pin.unpin();
      }
    },

    kib: () => Math.round(walloc.stats().memory.arenas / 1024),

    end: () => worker.terminate(),
  };
}
