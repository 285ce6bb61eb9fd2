/**
 * Assets: responses fetched into walloc's memory, and a table of them by key that all threads share.
 *
 *     const view = await fetchInto(walloc.scene, 'mesh.bin', { signal, onProgress });
 *
 *     const table = AssetTable.create(walloc, { capacity: 256 });      worker.postMessage(table.handle);
 *     const table = AssetTable.open(walloc, handle);                   // the other threads
 *     const view = await table.load('mesh.bin');                       // fetched by one thread, for all
 *     table.get('mesh.bin');                                           // undefined: not there (yet)
 *     table.evict('mesh.bin');                                         // its views are stale everywhere
 *
 * Any thread. Fetching blocks nobody; a page leaves it to a worker only to keep its own thread free.
 */
import { WallocError } from './api/errors.js';
import { Heap } from './api/heap.js';

export { AssetTable } from './assets/table.js';

/**
 * @typedef {object} FetchOptions
 * @property {AbortSignal} [signal] the promise rejects with its reason
 * @property {(received: number, total: number | undefined) => void} [onProgress] bytes so far, and of all where
 *   the server has said so; what it throws ends the fetch
 * @property {RequestInit} [request] for fetch
 */

/** @typedef {import('./api/views.js').ViewOf<Uint8ArrayConstructor>} Bytes */

/**
 * What the server says that the body will have; undefined where it does not, or speaks of compressed bytes.
 *
 * @param {Response} response
 */
function lengthOf({ headers }) {
  const length = headers.get('content-length');
  return length === null || headers.get('content-encoding') ? undefined : Number(length);
}

/**
 * The body's parts, as they come.
 *
 * @param {Response} response
 * @param {(part: Uint8Array, at: number) => void} take
 * @param {number | undefined} total
 * @param {FetchOptions['onProgress']} onProgress
 */
async function readBody(response, take, total, onProgress) {
  const reader = response.body?.getReader();
  let received = 0;
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) break;
      if (received + value.length > (total ?? Infinity)) throw wrongLength(response, total, 'more');
      take(value, received);
      received += value.length;
      onProgress?.(received, total);
    }
  } catch (error) {
    await reader?.cancel().catch(() => {});
    throw error;
  }
  if (received !== (total ?? received)) throw wrongLength(response, total, received);
  if (received === 0) throw wrongLength(response, 'some', 0);
  return received;
}

/** @param {Response} response @param {unknown} wanted @param {unknown} got */
const wrongLength = ({ url }, wanted, got) =>
  new WallocError('LENGTH', `${url}: ${wanted} bytes were announced, and ${got} came. Try again.`);

/**
 * Fetches a response into a new block. On failure nothing is left allocated: into the heap it is streamed, and the
 * block is freed; an arena, which takes no single block back, gets its block when all bytes are there.
 *
 * Rejects with the signal's reason; WallocError: HTTP for a status that is none of success, LENGTH for an empty body
 * or one of another length than announced, FETCH where the network fails; and as alloc.
 *
 * @param {import('./api/arena.js').Arena | Heap} into
 * @param {string | URL} url
 * @param {FetchOptions} [options]
 * @returns {Promise<Bytes>}
 */
export async function fetchInto(into, url, { signal, onProgress, request } = {}) {
  try {
    const response = await fetch(url, { ...request, signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw new WallocError('HTTP', `${url}: HTTP status ${response.status}.`);
    }
    const total = lengthOf(response);
    return into instanceof Heap && total
      ? await streamed(into, response, total, onProgress)
      : await collected(into, response, total, onProgress);
  } catch (cause) {
    signal?.throwIfAborted();
    if (!(cause instanceof TypeError)) throw cause;
    throw new WallocError('FETCH', `${url}: ${cause.message}. Is the server there?`, { cause });
  }
}

/**
 * @param {Heap} heap
 * @param {Response} response
 * @param {number} total
 * @param {FetchOptions['onProgress']} onProgress
 */
async function streamed(heap, response, total, onProgress) {
  const view = heap.alloc(Uint8Array, total);
  try {
    await readBody(response, (part, at) => view.copyFrom(part, at), total, onProgress);
  } catch (error) {
    if (view.valid) heap.free(view);
    throw error;
  }
  return view;
}

/**
 * @param {import('./api/arena.js').Arena | Heap} into
 * @param {Response} response
 * @param {number | undefined} total
 * @param {FetchOptions['onProgress']} onProgress
 */
async function collected(into, response, total, onProgress) {
  /** @type {[Uint8Array, number][]} */
  const parts = [];
  const length = await readBody(response, (part, at) => parts.push([part, at]), total, onProgress);
  const view = into.alloc(Uint8Array, length);
  for (const [part, at] of parts) view.copyFrom(part, at);
  return view;
}
