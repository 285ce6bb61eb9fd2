/**
 * Looks for blocks that overlap although they lived at the same time in one arena.
 *
 * Pure; any thread. Records are packed so that a worker can keep and send many: WORDS numbers each.
 */

/** Tier number, generation, address, bytes. */
export const WORDS = 4;

/**
 * @typedef {{tier: number, generation: number, address: number, bytes: number, worker: number}} Block
 * @typedef {{first: Block, second: Block}} Overlap
 */

/**
 * A generation that was begun by a mark, which throws nothing away: its blocks live beside those of the
 * generation before.
 *
 * @typedef {{tier: number, before: number, generation: number}} Marked
 */

/**
 * Every pair of neighbours (by address, among blocks of a tier that lived at the same time) that overlap.
 *
 * @param {Uint32Array[]} records of each worker
 * @param {Marked[]} [marked] in the order in which they began
 * @returns {Overlap[]}
 */
export function findOverlaps(records, marked = []) {
  const keyOf = (/** @type {number} */ tier, /** @type {number} */ generation) =>
    tier * 2 ** 24 + generation;
  /** @type {Map<number, number>} from a generation to the one that its marks began from */
  const firstOf = new Map();
  for (const { tier, before, generation } of marked) {
    const from = keyOf(tier, before);
    firstOf.set(keyOf(tier, generation), firstOf.get(from) ?? from);
  }
  /** @type {Map<number, Block[]>} */
  const lives = new Map();
  records.forEach((words, worker) => {
    for (let at = 0; at < words.length; at += WORDS) {
      const [tier, generation, address, bytes] = words.subarray(at, at + WORDS);
      const own = keyOf(tier, generation);
      const key = firstOf.get(own) ?? own;
      const blocks = lives.get(key) ?? [];
      if (blocks.length === 0) lives.set(key, blocks);
      blocks.push({ tier, generation, address, bytes, worker });
    }
  });
  return [...lives.values()].flatMap(findOverlapsOfOneLife);
}

/** @param {Block[]} blocks @returns {Overlap[]} */
function findOverlapsOfOneLife(blocks) {
  blocks.sort((a, b) => a.address - b.address);
  /** @type {Overlap[]} */
  const overlaps = [];
  let highest = blocks[0];
  for (const block of blocks.slice(1)) {
    if (block.address < highest.address + highest.bytes) {
      overlaps.push({ first: highest, second: block });
    }
    if (block.address + block.bytes > highest.address + highest.bytes) highest = block;
  }
  return overlaps;
}

/** @param {Overlap} overlap */
export function describeOverlap({ first, second }) {
  const text = (/** @type {Block} */ { worker, generation, address, bytes }) =>
    `${bytes} bytes of worker ${worker} at 0x${address.toString(16)} in generation ${generation}`;
  return `tier ${first.tier}: ${text(first)} and ${text(second)}`;
}
