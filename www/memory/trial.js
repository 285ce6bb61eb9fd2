/**
 * The 4 GiB trial: workers take all the memory there is, write to it, read each other's bytes, are
 * refused, and go on.
 *
 * Page only. A trial owns its memory and its workers; at its end, however it ends, both are gone.
 *
 * @typedef {import('./blocks.js').Ref} Ref
 * @typedef {import('./blocks.js').Refusal} Refusal
 * @typedef {import('./blocks.js').Findings} Findings
 * @typedef {import('../shared/checks.js').Check} Check
 *
 * @typedef {{passed: boolean, stopped: boolean, error: string | null, reached: number, blocks: number,
 *   bytes: number, verified: number, workers: number, seconds: number,
 *   checks: import('../shared/checks.js').Outcome[]}} MemoryResult
 *   `reached`: the end of the highest block; `verified`: bytes written and read near the top
 */
import { Walloc } from '../../workers/walloc.js';
import { Checks } from '../shared/checks.js';
import { WorkerGroup } from '../shared/worker-group.js';
import { DENSE_FROM, GIB, refusalFrom } from './blocks.js';

const MIB = 1024 * 1024;
const KIB = 1024;

/** From large to small, so that not a page is left over. */
const SIZES = [16 * MIB, MIB, 64 * KIB, 16 * KIB];
const COUNT = 4; // blocks taken by one call
const LAST_PAGE = 4 * GIB - 64 * KIB; // never handed out: an end of 2 ** 32 would be 0

const CHECKS = {
  reached: 'Memory reaches above 3.9 GiB',
  dense: 'Every byte of the blocks above 3.9 GiB is written, and read back by another worker',
  sparse: 'Every block below is too, in each of its 64 KiB and at its end',
  apart: 'No two blocks overlap, and none reaches into the last 64 KiB',
  refused: 'When all is taken, every thread is refused with WallocOutOfMemory',
  kept: 'A refusal changes nothing: the same bytes are used, and all still hold what was written',
  recovered: 'After a reset the memory is there again, and old references are refused as stale',
};

/** @param {number} bytes */
const gib = (bytes) => `${(bytes / GIB).toFixed(4)} GiB`;
/** @param {number} value */
const text = (value) => value.toLocaleString('en');

/** @param {(check: Check) => void} [onCheck] */
export function declareChecks(onCheck) {
  const checks = new Checks(onCheck);
  checks.declare('Checks', CHECKS);
  return checks;
}

export class Trial {
  /** @type {Walloc | null} */
  walloc = null;
  reached = 0;
  blocks = 0;
  bytes = 0;
  verified = 0;

  #workers;
  #listener;
  #signal;
  #checks;
  /** @type {Ref[][]} of each worker */
  #refs;

  /**
   * @param {number} workers
   * @param {{log: (text: string) => void, onCheck: (check: Check) => void, onStep: () => void}} listener
   * @param {AbortSignal} signal ends it early
   */
  constructor(workers, listener, signal) {
    this.#workers = workers;
    this.#listener = listener;
    this.#signal = signal;
    this.#checks = declareChecks(listener.onCheck);
    this.#refs = Array.from({ length: workers }, () => []);
  }

  /** @returns {Promise<MemoryResult>} never rejects */
  async run() {
    const started = performance.now();
    /** @type {WorkerGroup | null} */
    let group = null;
    /** @type {string | null} */
    let error = null;
    try {
      const walloc = await Walloc.create({ reserve: MIB, tiers: { scene: { lane: false } } });
      this.walloc = walloc;
      group = new WorkerGroup(
        this.#workers,
        () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
        ({ message }) => this.#listener.log(message),
      );
      await group.callAll('attach', () => walloc.handle);
      await this.#steps(group, walloc);
      await group.callAll('detach');
    } catch (thrown) {
      if (!this.#signal.aborted) {
        error = thrown instanceof Error ? thrown.message : String(thrown);
        console.error(thrown);
      }
    } finally {
      group?.terminate();
    }
    const stopped = this.#signal.aborted;
    return {
      passed: this.#checks.passed && !error && !stopped,
      ...{ stopped, error, reached: this.reached, blocks: this.blocks, bytes: this.bytes },
      ...{ verified: this.verified, workers: this.#workers, checks: this.#checks.outcomes() },
      seconds: (performance.now() - started) / 1000,
    };
  }

  /** @param {WorkerGroup} group @param {Walloc} walloc */
  async #steps(group, walloc) {
    const refusals = await this.#takeAll(group);
    this.#checks.report(
      'reached',
      this.reached > DENSE_FROM,
      `the last block ends at ${gib(this.reached)}`,
    );
    this.#checkApart();
    await this.#readAll(group);
    await this.#refuse(group, walloc, refusals);
    this.#recover(walloc);
  }

  #step() {
    this.#listener.onStep();
    if (this.#signal.aborted) throw new Error('stopped');
  }

  /** @param {WorkerGroup} group @returns {Promise<Refusal[]>} the last of each worker */
  async #takeAll(group) {
    /** @type {Refusal[]} */
    let last = [];
    for (const bytes of SIZES) {
      const before = this.blocks;
      last = await Promise.all(
        this.#refs.map((_, worker) => this.#takeOfSize(group, worker, bytes)),
      );
      this.#listener.log(
        `${text(this.blocks - before)} blocks of ${text(bytes / KIB)} KiB, up to ${gib(this.reached)}`,
      );
    }
    return last;
  }

  /** @param {WorkerGroup} group @param {number} worker @param {number} bytes @returns {Promise<Refusal>} */
  async #takeOfSize(group, worker, bytes) {
    for (;;) {
      /** @type {import('./blocks.js').Taken} */
      const { refs, refusal } = await group.call(worker, 'take', { bytes, count: COUNT });
      this.#refs[worker].push(...refs);
      this.blocks += refs.length;
      this.bytes += refs.length * bytes;
      for (const { address, length } of refs) {
        this.reached = Math.max(this.reached, address + length * 4);
      }
      this.#step();
      if (refusal) return refusal;
    }
  }

  #checkApart() {
    const blocks = this.#refs
      .flat()
      .map(({ address, length }) => ({ start: address, end: address + length * 4 }))
      .sort((a, b) => a.start - b.start);
    const overlaps = blocks.filter(({ start }, i) => i > 0 && start < blocks[i - 1].end).length;
    const beyond = blocks.filter(({ end }) => end > LAST_PAGE).length;
    this.#checks.report(
      'apart',
      blocks.length > 0 && overlaps === 0 && beyond === 0,
      `${text(blocks.length)} blocks, ${overlaps} overlap, ${beyond} reach too far`,
    );
  }

  /** Each worker reads what the next one has written. @param {WorkerGroup} group */
  async #readEachOther(group) {
    /** @type {Findings[]} */
    const answers = await group.callAll('read', (worker) => this.#refs[(worker + 1) % group.size]);
    this.#step();
    const sum = (/** @type {keyof Findings} */ key) =>
      answers.reduce((total, findings) => total + findings[key], 0);
    return { blocks: sum('blocks'), bytes: sum('bytes'), dense: sum('dense'), wrong: sum('wrong') };
  }

  /** @param {WorkerGroup} group */
  async #readAll(group) {
    const { blocks, bytes, dense, wrong } = await this.#readEachOther(group);
    this.verified = dense;
    const above = this.reached - DENSE_FROM;
    this.#checks.report(
      'dense',
      wrong === 0 && above > 0 && dense >= above - 64 * KIB,
      `${text(dense)} bytes of blocks that end above 3.9 GiB, ${wrong} words differ`,
    );
    this.#checks.report(
      'sparse',
      wrong === 0 && blocks === this.blocks && bytes > dense,
      `${text(blocks)} blocks, ${text((bytes - dense) / 4)} words of them`,
    );
    this.#listener.log(`${text(bytes)} bytes read back, ${wrong} words differ`);
  }

  /** @param {WorkerGroup} group @param {Walloc} walloc @param {Refusal[]} refusals */
  async #refuse(group, walloc, refusals) {
    const before = walloc.scene.stats();
    /** @type {import('./blocks.js').Taken[]} */
    const again = await group.callAll('take', () => ({ bytes: SIZES[0], count: 1 }));
    const all = [...refusals, ...again.map(({ refusal }) => refusal), this.#allocateHere(walloc)];
    const typed = all.filter(
      (refusal) => refusal?.typed && refusal.code === 'OUT_OF_MEMORY',
    ).length;
    this.#checks.report(
      'refused',
      typed === all.length,
      `${typed} of ${all.length} refused, by ${group.size} workers and the page`,
    );
    this.#listener.log(all[all.length - 1]?.message ?? 'not refused');

    const after = walloc.scene.stats();
    const { wrong, dense } = await this.#readEachOther(group);
    this.#checks.report(
      'kept',
      wrong === 0 && dense === this.verified && after.used === before.used,
      `${text(after.used)} bytes used before and after, ${after.failures} refusals, ${wrong} words differ`,
    );
  }

  /** @param {Walloc} walloc @returns {Refusal | null} */
  #allocateHere(walloc) {
    try {
      walloc.scene.allocBytes(16 * KIB);
      return null;
    } catch (thrown) {
      return refusalFrom(thrown);
    }
  }

  /** @param {Walloc} walloc */
  #recover(walloc) {
    const { obtained } = walloc.stats().memory;
    walloc.scene.reset();
    const views = [walloc.scene, walloc.render, walloc.entity].map((tier) =>
      tier.allocBytes(256 * MIB),
    );
    const stale = this.#refs.flat().filter((ref) => isStale(walloc, ref)).length;
    const now = walloc.stats().memory.obtained;
    this.#checks.report(
      'recovered',
      views.every(({ valid }) => valid) && now === obtained && stale === this.blocks,
      `256 MiB in each tier, ${gib(now)} obtained as before, ${text(stale)} references stale`,
    );
    this.#listener.onStep();
  }
}

/** @param {Walloc} walloc @param {Ref} ref */
function isStale(walloc, ref) {
  try {
    walloc.view(ref);
    return false;
  } catch (thrown) {
    return refusalFrom(thrown).code === 'STALE' || refusalFrom(thrown).code === 'REF';
  }
}
