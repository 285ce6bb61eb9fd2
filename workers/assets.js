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

/** Below that collecting costs nothing to speak of. */
const STREAMED_FROM = 65536;

/**
 * Fetches a response into a new block, of the heap or an arena. Where the server says how long the body is, and it is
 * 64 KiB or more, the block is there before the first byte, and each part is copied once, to where it stays. Otherwise
 * the parts are collected, and the block is made when all are there.
 *
 * On failure nothing is left allocated, with one exception: an arena takes its block back as long as nothing else was
 * allocated from it meanwhile, by whatever thread; else the block stays until the arena goes back behind it. Taking it
 * back begins a generation, like a rewind.
 *
 * Rejects with the signal's reason; WallocError: HTTP for a status that is none of success, LENGTH for an empty body
 * or one of another length than announced, FETCH where the network fails; WallocStaleView when the arena is reset, or
 * goes back behind the block, while it is streamed into; and as alloc.
 *
 * @param {import('./api/arena.js').Arena | Heap} into
 * @param {string | URL} url
 * @param {FetchOptions} [options]
 * @returns {Promise<Bytes>}
 */
export async function fetchInto(into, url, { signal, onProgress, request } = {}) {
  /** @type {Response | undefined} */
  let response;
  try {
    response = await fetch(url, { ...request, signal });
    if (!response.ok) throw new WallocError('HTTP', `${url}: HTTP status ${response.status}.`);
    const total = lengthOf(response);
    const how = total && total >= STREAMED_FROM ? streamed : collected;
    return await how(into, response, total, onProgress);
  } catch (cause) {
    // Whose rest is not wanted; a reader that has it locked has done so itself.
    response?.body?.cancel().catch(() => {});
    signal?.throwIfAborted();
    if (!(cause instanceof TypeError)) throw cause;
    throw new WallocError('FETCH', `${url}: ${cause.message}. Is the server there?`, { cause });
  }
}

/**
 * @param {import('./api/arena.js').Arena | Heap} into
 * @param {Response} response
 * @param {number | undefined} total a number
 * @param {FetchOptions['onProgress']} onProgress
 */
async function streamed(into, response, total, onProgress) {
  const view = into.alloc(Uint8Array, total ?? NaN);
  try {
    await readBody(response, (part, at) => view.copyFrom(part, at), total, onProgress);
  } catch (error) {
    if (!view.valid) throw error;
    if (into instanceof Heap) into.free(view);
    else into._takeBack(view);
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
