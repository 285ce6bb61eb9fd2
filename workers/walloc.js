/**
 * Walloc for JavaScript: one shared memory, used by a page and its workers, or by Node and its
 * worker_threads, without copying. This file is what programs import; the rooms behind it are in
 * api/. Read walloc.js, arena.js and view.js there, in this order: they are the manual.
 *
 *     const walloc = await Walloc.create({ maximum: 256 << 20 });   // one thread makes the memory
 *     worker.postMessage(walloc.handle);
 *     const walloc = await Walloc.attach(handle);                   // every other one joins
 *
 *     const view = walloc.render.alloc(Float32Array, 300);
 *     view.set(0, 1.5);
 *     worker.postMessage(view.ref);                                 // the block, not a copy of it
 *
 * Each thread has its own Walloc, Arena and View objects; what travels between threads is plain data:
 * walloc.handle, arena.handle, view.ref and marks. All sizes are in bytes, all lengths in elements.
 */
export { Walloc } from './api/walloc.js';
export { Arena } from './api/arena.js';
export { Heap } from './api/heap.js';
export { Context } from './api/context.js';
export { Frames, Pin } from './api/frames.js';
export { Queue } from './api/queue.js';
export { View } from './api/view.js';
export {
  WallocError,
  WallocOutOfMemory,
  WallocRangeError,
  WallocStaleView,
  WallocUnsupported,
} from './api/errors.js';

/** @typedef {import('./api/walloc.js').Handle} Handle */
/** @typedef {import('./api/walloc.js').Mode} Mode */
/** @typedef {import('./api/config.js').WallocOptions} WallocOptions */
/** @typedef {import('./api/config.js').ArenaOptions} ArenaOptions */
/** @typedef {import('./api/config.js').QueueOptions} QueueOptions */
/** @typedef {import('./api/config.js').FramesOptions} FramesOptions */
/** @typedef {import('./api/config.js').PressureCallback} PressureCallback */
/** @typedef {import('./api/context.js').ContextOptions} ContextOptions */
/** @typedef {import('./api/arena.js').Mark} Mark */
/** @typedef {import('./api/view.js').Ref} Ref */
/** @typedef {import('./api/map.js').MemoryRange} MemoryRange */
/**
 * @template {import('./api/views.js').ElementType} T
 * @typedef {import('./api/views.js').ViewOf<T>} ViewOf
 */
