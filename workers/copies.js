/**
 * What browsers refuse to do with shared memory, done with a copy: TextDecoder, TextEncoder.encodeInto,
 * crypto.getRandomValues, ImageData and Blob. (WebKit takes a Blob's shared memory, and puts wrong bytes into it.)
 *
 * Each takes a view of any element type where it reads, and costs one copy of the bytes, outside of walloc's memory.
 * Each throws WallocStaleView, besides what it says itself.
 */
import { WallocRangeError } from './api/errors.js';

/** @typedef {import('./api/views.js').AnyView} AnyView */

/** What crypto.getRandomValues gives at once. */
const RANDOM_MOST = 65536;

/**
 * The bytes of a view, in memory that is not shared.
 *
 * @param {AnyView} view
 */
export function copyOf(view) {
  const { array } = view;
  const bytes = new Uint8Array(array.byteLength);
  bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return bytes;
}

/**
 * The text that a view's bytes are in UTF-8; what is none becomes U+FFFD.
 *
 * @param {AnyView} view
 */
export const decodeText = (view) => new TextDecoder().decode(copyOf(view));

/**
 * A text in UTF-8, in a new block. Throws as alloc.
 *
 * @param {Pick<import('./api/arena.js').Arena, 'alloc'> | import('./api/heap.js').Heap} arena or the heap
 * @param {string} text may be empty
 */
export function encodeText(arena, text) {
  const bytes = new TextEncoder().encode(text);
  const view = /** @type {AnyView} */ (arena.alloc(Uint8Array, bytes.length || 1));
  view.copyFrom(bytes);
  return bytes.length ? view : view.subview(0, 0);
}

/**
 * Fills a view with random bytes that are fit for cryptography.
 *
 * @param {AnyView} view
 */
export function fillRandom(view) {
  const { array } = view;
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const some = new Uint8Array(Math.min(bytes.length, RANDOM_MOST));
  for (let at = 0; at < bytes.length; at += some.length) {
    crypto.getRandomValues(some);
    bytes.set(some.subarray(0, bytes.length - at), at);
  }
}

/**
 * The pixels of a view, 4 bytes each. Throws WallocRangeError: SIZE unless it has width x height of them.
 *
 * @param {AnyView} view
 * @param {number} width
 * @param {number} height
 * @param {ImageDataSettings} [settings]
 */
export function imageData(view, width, height, settings) {
  if (view.byteLength !== 4 * width * height) {
    throw new WallocRangeError(
      'SIZE',
      `${view.byteLength} bytes are not ${width} x ${height} pixels of 4 bytes.`,
    );
  }
  return new ImageData(new Uint8ClampedArray(copyOf(view).buffer), width, height, settings);
}

/**
 * The bytes of a view as a Blob.
 *
 * @param {AnyView} view
 * @param {BlobPropertyBag} [options]
 */
export const blob = (view, options) => new Blob([copyOf(view)], options);
