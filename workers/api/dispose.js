/**
 * The symbol by which `using` finds what to call at the end of a block. Where there is none yet (browsers
 * before 2025) it is Symbol.for('Symbol.dispose'): compilers and polyfills of `using` take the same.
 *
 * @type {typeof Symbol.dispose}
 */
export const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');
