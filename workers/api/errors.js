/**
 * Errors: one class for each way a program might react, and a code for each reason.
 *
 * Every message says what was asked for, why that cannot be, and what to do. A call that throws has
 * changed nothing.
 */

/** The base of all errors that this API throws. */
export class WallocError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = `WallocError [${code}]`;
    /**
     * The reason. From C, without WALLOC_ERROR_: NOT_INITIALIZED, INITIALIZED, CONFIG, ARENA, SIZE,
     * ALIGNMENT, PRESERVE, STALE, OUT_OF_MEMORY, BUDGET, LIMIT, BUSY, STATE, PINNED, HANDLE, EMPTY,
     * FULL, CLOSED. Of JavaScript's own: INDEX, TYPE (an argument of the wrong kind), REF, CALLBACK (detach within
     * onPressure), DETACHED, MISUSE, LOAD, UNSUPPORTED, LAYOUT (see map/control.js).
     */
    this.code = code;
  }
}

/** OUT_OF_MEMORY or BUDGET: there is no room, after all recycling that the program asked for. */
export class WallocOutOfMemory extends WallocError {}

/** INDEX, SIZE, ALIGNMENT, PRESERVE or CONFIG: a number outside what is possible. */
export class WallocRangeError extends WallocError {}

/** STALE: the view's block has been thrown away by a reset, compact, rewind or destroy. */
export class WallocStaleView extends WallocError {}

/** UNSUPPORTED: this browser, or the way this page was served, has no shared memory. */
export class WallocUnsupported extends WallocError {}

/**
 * What the numbers mean: class, code, the reason and what to do about it. First walloc_error's, in its
 * order, then JavaScript's own.
 *
 * @type {[typeof WallocError, string, string][]}
 */
const reasons = [
  [WallocError, 'OK', ''],
  [WallocError, 'NOT_INITIALIZED', 'walloc has been shut down'],
  [WallocError, 'INITIALIZED', 'the program has started walloc already; pass no options'],
  [
    WallocRangeError,
    'CONFIG',
    'out of range; shares are at most 100 together, reserves below maximum and hardBudget',
  ],
  [WallocError, 'ARENA', 'no such arena, or one this cannot be done to'],
  [WallocRangeError, 'SIZE', 'the size is not a whole number from 1 to 4294967295 bytes'],
  [WallocRangeError, 'ALIGNMENT', 'the alignment is not a power of two up to 65536'],
  [WallocRangeError, 'PRESERVE', 'not a whole number of bytes that are used'],
  [WallocError, 'STALE', 'what lay at the mark has been thrown away; take a new one'],
  [
    WallocOutOfMemory,
    'OUT_OF_MEMORY',
    'the memory is at its maximum; reset or compact an arena, or raise maximum',
  ],
  [
    WallocOutOfMemory,
    'BUDGET',
    'the arena is at its hard budget; reset or compact it, or raise hardBudget',
  ],
  [
    WallocError,
    'LIMIT',
    'out of arenas (32), queues (64), chunks of an arena (64: reserve more at once) or preserved levels (32: reset)',
  ],
  [WallocError, 'BUSY', 'another thread held a lock too long; try again'],
  [WallocError, 'STATE', 'not while the heap is the malloc of the program'],
  [
    WallocError,
    'PINNED',
    'a thread has pinned what would be recycled; try again when it is unpinned',
  ],
  [WallocError, 'HANDLE', 'released or destroyed, or never there'],
  [WallocError, 'EMPTY', 'there is nothing in the queue'],
  [WallocError, 'FULL', 'the queue is full; try again when something has been taken'],
  [WallocError, 'CLOSED', 'the queue is closed'],
  [WallocRangeError, 'INDEX', 'indices are whole numbers within the length'],
  [WallocError, 'TYPE', 'an argument of the wrong type'],
  [WallocError, 'REF', 'not what view.ref says of a block of this arena'],
  [WallocError, 'CALLBACK', 'not from within an onPressure callback'],
  [WallocError, 'DETACHED', 'this thread has detached; attach again'],
  [
    WallocError,
    'MISUSE',
    'not the address of a block that the heap has given out and not got back',
  ],
];

export const NOT_INITIALIZED = 1;
export const INITIALIZED = 2;
export const ARENA = 4;
export const SIZE = 5;
export const ALIGNMENT = 6;
export const PRESERVE = 7;
export const STALE = 8;
export const OUT_OF_MEMORY = 9;
export const BUSY = 12;
export const PINNED = 14;
export const HANDLE = 15;
export const EMPTY = 16;
export const FULL = 17;
export const CLOSED = 18;
export const INDEX = 19;
export const TYPE = 20;
export const REF = 21;
export const CALLBACK = 22;
export const DETACHED = 23;
export const MISUSE = 24;

/**
 * The error for one of these numbers.
 *
 * @param {number} number
 * @param {string} asked what the program wanted
 */
export function errorFrom(number, asked) {
  const [Class, code, reason] = reasons[number];
  return new Class(code, `${asked}: ${reason}.`);
}
