/**
 * Options of Walloc.create and walloc.createArena: checked, and written as C's structs.
 *
 * A setting that is left out, or 0, is C's default. A setting that does not exist is an error, so
 * that a misspelt one is not silently a default.
 */
import { isWord, show } from './check.js';
import { WallocRangeError } from './errors.js';
import { NO_LANE, TIERS } from './layout.js';

/**
 * Told when an arena grows above its soft budget ('soft') or is about to fail for want of `needed`
 * bytes ('hard'). Runs in the thread that allocates, within its alloc call, and may use every function
 * of this API but detach and shutdown. Returning true makes a hard failure be tried again, once.
 *
 * What it throws counts as false, and is thrown again from a microtask, as what an event's listener
 * throws: the allocation itself must neither lose its block nor its reason.
 *
 * @callback PressureCallback
 * @param {import('./arena.js').Arena} arena
 * @param {number} needed bytes that the growth is short of
 * @param {'soft' | 'hard'} level
 * @returns {boolean | void}
 */

/**
 * @typedef {object} ArenaOptions
 * @property {number} [alignment] of every block, in bytes: a power of two, 8 to 4096. Default 8;
 *   tiers 128, 64, 8
 * @property {number} [reserve] bytes obtained at once. Default none; tiers: their share
 * @property {number | false} [lane] bytes that a thread takes for itself at a time, 4096 to 65536;
 *   false: none. Default 16384
 * @property {number} [softBudget] bytes of capacity above which onPressure is told. Default none
 * @property {number} [hardBudget] bytes of capacity that are never exceeded. Default none
 * @property {'never' | 'to-mark' | 'fall-back'} [recycle] what happens before an allocation fails:
 *   nothing (the default), a compact to the place set by preserve(), or the block comes from the heap,
 *   where no budget counts; then it goes back there with its generation, and cannot be sent as a ref
 * @property {PressureCallback} [onPressure] of the creating thread; other threads set theirs on their
 *   own Arena object. Being a function, it cannot travel with the handle
 * @property {boolean} [pressure] whether callbacks are called at all; true where onPressure is given
 */

/**
 * @typedef {object} WallocOptions
 * @property {number} [maximum] bytes that walloc may obtain. Default: all of 4 GiB
 * @property {number} [reserve] bytes obtained at the start. Default 16 MiB
 * @property {{render?: number, scene?: number, entity?: number}} [shares] of the reserve, in per cent,
 *   at most 100 together. Default 50, 30, 15
 * @property {{render?: ArenaOptions, scene?: ArenaOptions, entity?: ArenaOptions}} [tiers]
 * @property {'first-fit' | 'next-fit' | 'best-fit' | 'good-fit'} [strategy] how the heap chooses free
 *   blocks above 32 KiB. Default 'first-fit'
 * @property {URL | string | BufferSource | WebAssembly.Module} [wasm] where walloc.wasm is, or itself.
 *   Default: beside walloc.js
 */

/**
 * @typedef {object} QueueOptions
 * @property {number} [capacity] views, up to 65536; rounded up to a power of two. Default 64; with
 *   `latest`, 1
 * @property {boolean} [latest] when full, the oldest view is thrown away for the newest
 */

/**
 * @typedef {object} FramesOptions
 * @property {number} [frames] in flight, the current one included: 2 to 4. Default 3
 * @property {number} [storages] at most, up to 8: spare ones are made when a pin holds the oldest frame, and
 *   kept. Each is one of the 32 arenas. Default: one more than frames
 * @property {ArenaOptions} [arena] of each storage, so for one frame; without onPressure and pressure, as any
 *   thread makes storages
 */

const ARENA_SIZES = ['alignment', 'reserve', 'lane', 'softBudget', 'hardBudget'];
const ARENA_KEYS = [...ARENA_SIZES, 'recycle', 'onPressure', 'pressure'];
const WALLOC_SIZES = ['maximum', 'reserve'];
const WALLOC_KEYS = [...WALLOC_SIZES, 'shares', 'tiers', 'wasm', 'strategy'];
const RECYCLE = ['never', 'to-mark', 'fall-back'];
const STRATEGIES = ['first-fit', 'next-fit', 'best-fit', 'good-fit'];

/** @param {string} message */
const wrong = (message) => new WallocRangeError('CONFIG', message);

/**
 * @param {unknown} options
 * @param {readonly string[]} keys
 * @param {string} where
 * @returns {Record<string, any>}
 */
function checked(options = {}, keys, where) {
  if (typeof options !== 'object' || !options)
    throw wrong(`${where} is ${show(options)}, not an object.`);
  for (const key of Object.keys(options)) {
    if (!keys.includes(key)) throw wrong(`${where}.${key} is none of ${keys}.`);
  }
  return options;
}

/**
 * @param {Record<string, unknown>} options
 * @param {readonly string[]} keys
 * @param {string} where
 * @returns {number[]}
 */
function numbers(options, keys, where) {
  return keys.map((key) => {
    const value = options[key] ?? 0;
    if (isWord(value)) return value;
    if (value === false && key === 'lane') return NO_LANE;
    if (value === 2 ** 32 && key === 'maximum') return 0;
    throw wrong(`${where}.${key} is ${show(value)}, not a whole number below 2 ** 32.`);
  });
}

/**
 * A walloc_arena_config.
 *
 * @param {ArenaOptions | undefined} options
 * @param {string} where
 * @returns {number[]}
 */
export function arenaConfig(options, where) {
  const own = checked(options, ARENA_KEYS, where);
  const recycle = RECYCLE.indexOf(own.recycle ?? 'never');
  if (recycle < 0) throw wrong(`${where}.recycle is ${show(own.recycle)}, none of ${RECYCLE}.`);
  if (own.onPressure && typeof own.onPressure !== 'function') {
    throw wrong(`${where}.onPressure is ${show(own.onPressure)}, not a function.`);
  }
  return [
    ...numbers(own, ARENA_SIZES, where),
    recycle,
    Number(Boolean(own.onPressure ?? own.pressure)),
    0,
  ];
}

/**
 * A walloc_queue_config.
 *
 * @param {QueueOptions | undefined} options
 * @returns {[capacity: number, latest: number]}
 */
export function queueConfig(options) {
  const own = checked(options, ['capacity', 'latest'], 'options');
  const [capacity] = numbers(own, ['capacity'], 'options');
  if (capacity > 65536) throw wrong(`options.capacity is ${capacity}, above 65536.`);
  return [capacity, Number(Boolean(own.latest))];
}

/**
 * A walloc_frames_config.
 *
 * @param {FramesOptions | undefined} options
 */
export function framesConfig(options) {
  const own = checked(options, ['frames', 'storages', 'arena'], 'options');
  const arena = arenaConfig(own.arena, 'options.arena');
  if (arena[6]) throw wrong('options.arena: frames have no pressure callback.');
  return [...numbers(own, ['frames', 'storages'], 'options'), ...arena];
}

/**
 * A walloc_config.
 *
 * @param {WallocOptions | undefined} options
 * @returns {number[]}
 */
export function wallocConfig(options) {
  const own = checked(options, WALLOC_KEYS, 'options');
  const tiers = checked(own.tiers, TIERS, 'tiers');
  const strategy = STRATEGIES.indexOf(own.strategy ?? STRATEGIES[0]);
  if (strategy < 0) throw wrong(`options.strategy is none of ${STRATEGIES}.`);
  return [
    ...numbers(own, WALLOC_SIZES, 'options'),
    ...numbers(checked(own.shares, TIERS, 'shares'), TIERS, 'shares'),
    ...TIERS.flatMap((name) => arenaConfig(tiers[name], `tiers.${name}`)),
    strategy,
  ];
}
