/**
 * Checksum of 32-bit words, for telling whether bytes in shared memory are still what they were.
 *
 * FNV-1a over little-endian words instead of bytes: one multiplication for four bytes, so that
 * verifying a model costs about a millisecond for a megabyte. It notices every change of a single
 * word; it is no protection against somebody who wants to deceive.
 *
 * Pure functions; may be called from any thread, and from Node by the model converter.
 */

/** The checksum of no words: where every checksum starts. */
export const CHECKSUM_START = 0x811c9dc5;

/**
 * Continues a checksum with more words.
 *
 * @param {number} checksum the result so far, or CHECKSUM_START
 * @param {Uint32Array} words
 * @returns {number} unsigned 32 bit
 */
export function checksumWords(checksum, words) {
  let sum = checksum | 0;
  for (let i = 0; i < words.length; i++) sum = Math.imul(sum ^ words[i], 0x01000193);
  return sum >>> 0;
}

/**
 * Continues a checksum with the bytes of any typed array whose place and length are whole words.
 *
 * @param {number} checksum
 * @param {ArrayBufferView} array
 */
export function checksumArray(checksum, array) {
  return checksumWords(
    checksum,
    new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4),
  );
}

/**
 * @param {number} checksum
 * @returns {string} eight hexadecimal digits
 */
export function checksumText(checksum) {
  return checksum.toString(16).padStart(8, '0');
}
