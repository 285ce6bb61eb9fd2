/**
 * A worker's part of the 4 GiB trial: takes blocks until it is refused, writes to them, and reads what
 * another worker has written.
 *
 * For workers; the page uses the constants. What is written depends on the address alone, so that two addresses that led to the
 * same byte would show. Near the top every byte is written and read; below, one word of every 64 KiB and
 * the last word of every block, because each page of the machine's memory that is touched becomes
 * resident.
 *
 * @typedef {import('../../workers/walloc.js').Arena} Arena
 * @typedef {import('../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../../workers/api/view.js').Ref} Ref
 * @typedef {import('../../workers/api/views.js').ViewOf<Uint32ArrayConstructor>} Words
 *
 * @typedef {{typed: boolean, code: string, message: string}} Refusal
 * @typedef {{refs: Ref[], refusal: Refusal | null}} Taken
 * @typedef {{blocks: number, bytes: number, dense: number, wrong: number}} Findings
 *   `bytes` looked at, `dense` of them in blocks looked at completely
 */
import { WallocError, WallocOutOfMemory } from '../../workers/walloc.js';

export const GIB = 1024 ** 3;

/** Blocks that end above this address are written and read completely. */
export const DENSE_FROM = 3.9 * GIB;

const STRIDE = 65536 / 4; // in words

/** The word that belongs at an address. @param {number} address */
export function wordAt(address) {
  let word = Math.imul(address ^ 0x9e3779b9, 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** @param {{address: number, byteLength: number}} block */
const isDense = ({ address, byteLength }) => address + byteLength > DENSE_FROM;

/**
 * Calls `visit` with the index of each word of a block that is written and read.
 *
 * @param {{address: number, byteLength: number, length: number}} block
 * @param {(index: number) => void} visit
 */
function forEachWord(block, visit) {
  const step = isDense(block) ? 1 : STRIDE;
  for (let index = 0; index < block.length; index += step) visit(index);
  if (step > 1) visit(block.length - 1);
}

/** @param {unknown} thrown @returns {Refusal} */
export function refusalFrom(thrown) {
  if (!(thrown instanceof WallocError)) throw thrown;
  const { code, message } = thrown;
  return { typed: thrown instanceof WallocOutOfMemory, code, message };
}

/**
 * Takes up to `count` blocks of `bytes` and writes to them.
 *
 * @param {Arena} arena
 * @param {{bytes: number, count: number}} wanted
 * @returns {Taken} with the error that ended it early
 */
export function takeBlocks(arena, { bytes, count }) {
  /** @type {Ref[]} */
  const refs = [];
  try {
    for (let i = 0; i < count; i++) {
      const view = arena.alloc(Uint32Array, bytes / 4);
      const { array, address } = view;
      forEachWord(view, (index) => {
        array[index] = wordAt(address + index * 4);
      });
      refs.push(view.ref);
    }
  } catch (thrown) {
    return { refs, refusal: refusalFrom(thrown) };
  }
  return { refs, refusal: null };
}

/**
 * Reads blocks back, through views of their own. Throws when a block is not there any more.
 *
 * @param {Walloc} walloc
 * @param {Ref[]} refs
 * @returns {Findings}
 */
export function readBlocks(walloc, refs) {
  const findings = { blocks: refs.length, bytes: 0, dense: 0, wrong: 0 };
  for (const ref of refs) {
    const view = /** @type {Words} */ (walloc.view(ref));
    const { address } = view;
    forEachWord(view, (index) => {
      if (view.get(index) !== wordAt(address + index * 4)) findings.wrong++;
      findings.bytes += 4;
    });
    if (isDense(view)) findings.dense += view.byteLength;
  }
  return findings;
}
