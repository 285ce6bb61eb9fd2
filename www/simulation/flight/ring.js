/**
 * The ring of arenas that the level's sections lie in: section n in arena n modulo RING.
 *
 *   recycled ──BUILD──► loading ──built, compacted──► kept ◄──────► live
 *      ▲                                               │   the camera comes and goes
 *      └─────── reset, once no pin holds it ── leaving ◄┘   behind it: READ
 *
 * Page only; the page changes it between two frames, when all workers are asleep at the gate. So a section that
 * workers use within a frame (its movers) cannot be recycled under them. What takes longer than a frame, the
 * reading of all its bytes, holds a pin: the ring simply tries to reset every arena that is behind the camera,
 * each frame, and walloc refuses (PINNED) for as long as somebody reads there.
 */
import { COMMAND } from './board.js';
import { RING, placeOfSection, scratchWords, sectionWords } from './plan.js';

/**
 * @typedef {import('../plan.js').Flight} Flight
 * @typedef {import('../../../workers/walloc.js').Walloc} Walloc
 * @typedef {import('../../../workers/walloc.js').Arena} Arena
 * @typedef {import('../frame-gate.js').BlockRecord} BlockRecord
 * @typedef {import('./board.js').SectionBoard} SectionBoard
 * @typedef {import('./world.js').FlightWorld} FlightWorld
 * @typedef {'recycled' | 'loading' | 'kept' | 'live' | 'leaving'} SectionState
 *
 * @typedef {{slot: number, arena: Arena, state: SectionState, section: number, worker: number,
 *   block: BlockRecord | null, checksum: number, isRead: boolean}} Slot
 *   section: which one is there, or comes next; worker: who builds or reads; block: where it is, once built
 */

/** Sections that one worker reads at the same time: a thread pins 7 arenas at most. */
const READ_AT_ONCE = 7;

/** What a builder's arena holds at most, with room for alignment and for the block of its first pin. */
const ROOM = 4096;

export class SectionRing {
  #walloc;
  #board;
  #world;
  #workers;
  /** @type {Slot[]} */
  slots;

  counts = {
    ...{ built: 0, read: 0, changed: 0, unread: 0, recycled: 0, recycledBytes: 0 },
    ...{ refusals: 0, staleRefused: 0, staleAccepted: 0, unkept: 0 },
  };

  /** @type {(slot: Slot) => void} */
  onChange = () => {};

  /**
   * @param {Walloc} walloc @param {SectionBoard} board @param {FlightWorld} world
   * @param {number} workers @param {Flight} flight
   */
  constructor(walloc, board, world, workers, flight) {
    this.#walloc = walloc;
    this.#board = board;
    this.#world = world;
    this.#workers = workers;
    const reserve = 4 * (sectionWords(flight) + scratchWords(flight)) + ROOM;
    this.slots = Array.from({ length: RING }, (_, slot) => ({
      ...{ slot, section: slot, worker: slot % workers, block: null, checksum: 0, isRead: false },
      // Nobody but the builder allocates here, so it needs no lane. Its room is obtained now, not in a frame.
      arena: walloc.createArena({ alignment: 64, lane: false, reserve }),
      state: /** @type {SectionState} */ ('recycled'),
    }));
  }

  /** Bytes that the ring's arenas have. */
  get capacity() {
    return this.slots.reduce((sum, { arena }) => sum + arena.stats().capacity, 0);
  }

  /** Sections whose movers move in the coming frame. */
  get live() {
    return this.slots.filter(({ state }) => state === 'live').length;
  }

  get isEmpty() {
    return this.slots.every(({ state }) => state === 'recycled');
  }

  /** The first section that the camera must not see yet. @param {number} camera the section that it is in */
  firstMissing(camera) {
    let section = camera;
    while (this.#has(section)) section++;
    return section;
  }

  /** @param {number} section */
  #has(section) {
    const { section: there, state } = this.slots[section % RING];
    return there === section && (state === 'kept' || state === 'live');
  }

  /** Orders what is to be done in the coming frame, for a camera in this section. @param {number} camera */
  advance(camera) {
    for (const slot of this.slots) {
      const place = placeOfSection(slot.section, camera);
      if (slot.state === 'leaving') this.#tryToRecycle(slot);
      else if (slot.state === 'recycled' && place !== 'ahead') this.#load(slot);
      else if (slot.state !== 'kept' && slot.state !== 'live') continue;
      else if (place === 'behind') this.#leave(slot);
      else this.#show(slot, place === 'live');
    }
  }

  /** Orders that all sections leave, and none is loaded: for the end of the flight. */
  retire() {
    for (const slot of this.slots) {
      if (slot.state === 'leaving') this.#tryToRecycle(slot);
      else if (slot.state === 'kept' || slot.state === 'live') this.#leave(slot);
    }
  }

  /** @param {Slot} slot */
  #load(slot) {
    slot.worker = slot.section % this.#workers;
    this.#board.order(slot.slot, COMMAND.BUILD, slot.section, slot.worker, slot.arena.handle);
    this.#become(slot, 'loading');
  }

  /** A worker has built a section. @param {BlockRecord} record */
  built(record) {
    const slot = this.slots[record.item];
    const { arena } = slot;
    arena.compact(arena.stats().preserved); // keeps the block, throws away what was needed to build it
    const view = this.#walloc.view({ ...record, type: 'Float32Array' }); // still valid
    if (arena.used < view.byteLength) this.counts.unkept++;
    slot.block = record;
    slot.checksum = record.extra;
    this.#board.publish(slot.slot, record);
    this.#world.addSection(slot.slot, /** @type {Float32Array} */ (view.array));
    this.#board.order(slot.slot, COMMAND.REST, slot.section, 0, arena.handle);
    this.counts.built++;
    this.#become(slot, 'kept');
  }

  /** @param {Slot} slot @param {boolean} isLive */
  #show(slot, isLive) {
    if (isLive === (slot.state === 'live')) return;
    const command = isLive ? COMMAND.MOVE : COMMAND.REST;
    this.#board.order(slot.slot, command, slot.section, 0, slot.arena.handle);
    this.#world.showSection(slot.slot, isLive);
    this.#become(slot, isLive ? 'live' : 'kept');
  }

  /** Has another worker than the builder read it, where there is one; later, where that one reads enough. @param {Slot} slot */
  #leave(slot) {
    const worker = (slot.worker + 1) % this.#workers;
    const isRead = (/** @type {Slot} */ other) =>
      other.state === 'leaving' && other.worker === worker;
    if (this.slots.filter(isRead).length === READ_AT_ONCE) return;
    slot.worker = worker;
    slot.isRead = false;
    this.#world.removeSection(slot.slot);
    this.#board.order(slot.slot, COMMAND.READ, slot.section, slot.worker, slot.arena.handle);
    this.#become(slot, 'leaving');
  }

  /** A worker has read all of a section. @param {BlockRecord} record */
  read({ item, extra }) {
    const slot = this.slots[item];
    slot.isRead = true;
    this.counts.read++;
    if (extra !== slot.checksum) this.counts.changed++;
    this.#board.order(item, COMMAND.REST, slot.section, 0, slot.arena.handle);
  }

  /** From the frame after `leave` on: by then the reader has taken its pin. @param {Slot} slot */
  #tryToRecycle(slot) {
    const { arena } = slot;
    const bytes = arena.used;
    try {
      arena.reset();
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'PINNED') throw error;
      this.counts.refusals++; // somebody reads there: again in the next frame
      return;
    }
    if (!slot.isRead) this.counts.unread++;
    this.#countStale(slot);
    this.counts.recycled++;
    this.counts.recycledBytes += bytes;
    slot.section += RING;
    slot.block = null;
    this.#become(slot, 'recycled');
  }

  /** The reference to the block must be refused from now on. @param {Slot} slot */
  #countStale({ block }) {
    try {
      this.#walloc.view({ .../** @type {BlockRecord} */ (block), type: 'Float32Array' });
      this.counts.staleAccepted++;
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'STALE') throw error;
      this.counts.staleRefused++;
    }
  }

  /** @param {Slot} slot @param {SectionState} state */
  #become(slot, state) {
    slot.state = state;
    this.onChange(slot);
  }

  /** Gives all memory back. The workers have left the flight. */
  destroy() {
    for (const { arena } of this.slots) arena.destroy();
  }
}
