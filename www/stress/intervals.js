/**
 * Looks for blocks that overlap although they belong to one generation of one arena.
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
 * Every pair of neighbours (by address, within a tier's generation) that overlap.
 *
 * @param {Uint32Array[]} records of each worker
 * @returns {Overlap[]}
 */
export function findOverlaps(records) {
  /** @type {Map<number, Block[]>} */
  const generations = new Map();
  records.forEach((words, worker) => {
    for (let at = 0; at < words.length; at += WORDS) {
      const [tier, generation, address, bytes] = words.subarray(at, at + WORDS);
      const key = tier * 2 ** 24 + generation;
      const blocks = generations.get(key) ?? [];
      if (blocks.length === 0) generations.set(key, blocks);
      blocks.push({ tier, generation, address, bytes, worker });
    }
  });
  return [...generations.values()].flatMap(findOverlapsOfGeneration);
}

/** @param {Block[]} blocks @returns {Overlap[]} */
function findOverlapsOfGeneration(blocks) {
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
  const text = ({ worker, address, bytes }) =>
    `worker ${worker}: ${bytes} bytes at 0x${address.toString(16)}`;
  return `tier ${first.tier}, generation ${first.generation}: ${text(first)} and ${text(second)}`;
}
