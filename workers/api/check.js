/**
 * Questions about arguments. They are asked before anything else happens, so that a refused call has
 * changed nothing.
 */

/**
 * Whether a value is a whole number that fits 32 bits. WebAssembly would silently wrap any other.
 *
 * @param {unknown} value
 * @returns {value is number}
 */
export function isWord(value) {
  return typeof value === 'number' && value >>> 0 === value;
}

/**
 * A value for a message, whatever it is.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function show(value) {
  if (typeof value === 'function') return value.name;
  if (typeof value === 'string') return `'${value}'`;
  return value && typeof value === 'object' ? 'an object' : String(value);
}
