/**
 * What is checked of the flight: every section's bytes, that readers hold recycling up, that nothing of what is
 * recycled can be used, that the second lap needs no more memory than the first.
 *
 * Page only. Reads, never writes.
 */
import { MIB } from '../plan.js';
import { RING } from './plan.js';

/**
 * @typedef {import('../simulation.js').Run} Run
 * @typedef {import('./ring.js').SectionRing} SectionRing
 * @typedef {import('./work.js').FlightReport} FlightReport
 */

const OBJECTS_MIN = 2000;
const PICTURE_PERIOD = 30;

export const FLIGHT_CHECKS = {
  sections: 'Workers built two laps of sections and more, each before the camera could see it',
  scratch: 'A finished section is compacted to what is drawn; what built it is stale',
  moving: `At least ${OBJECTS_MIN.toLocaleString('en')} objects moved in each frame`,
  flightPicture: 'The picture of the flight is not blank',
  sectionBytes: 'Read before it is recycled, each section is what its builder wrote',
  pinned: 'No section was recycled while a worker read it: its pin held the reset up',
  sectionsRecycled: 'All sections were recycled behind the camera, and are refused as stale',
  laps: 'After the first lap no more memory was obtained',
};

export class FlightVerifier {
  #run;
  #ring;
  #frames = 0;
  #ordered = 0;
  #moved = 0;
  #movedLeast = Infinity;
  #pictures = 0;
  #blankPictures = 0;
  /** When each arena of the ring has been used once. @type {{obtained: number, capacity: number} | null} */
  #firstLap = null;

  /** Frames in which the camera waited for a section. */
  waited = 0;

  /** @param {Run} run @param {SectionRing} ring */
  constructor(run, ring) {
    this.#run = run;
    this.#ring = ring;
  }

  /** @param {boolean} isFlying whether all sections in sight must be there */
  frameOpened(isFlying) {
    this.#ordered = this.#ring.live * this.#run.workload.flight.movers;
    if (isFlying) this.#movedLeast = Math.min(this.#movedLeast, this.#ordered);
    if (!this.#firstLap && this.#ring.counts.built >= RING) this.#firstLap = this.#measure();
  }

  frameCompleted() {
    this.#frames++;
    this.#moved += this.#ordered;
  }

  #measure() {
    const { obtained } = this.#run.walloc.stats().memory;
    return { obtained, capacity: this.#ring.capacity };
  }

  /** Right after drawing, while the picture can still be read. @param {number} frame */
  afterDrawing(frame) {
    if (frame % PICTURE_PERIOD !== 0) return;
    this.#pictures++;
    if (this.#run.stage.countColours() < 8) this.#blankPictures++;
  }

  /** @param {FlightReport[]} reports one of each worker */
  finish(reports) {
    const { checks, log } = this.#run;
    const { counts } = this.#ring;
    const sum = (/** @type {keyof FlightReport} */ key) =>
      reports.reduce((total, report) => total + report[key], 0);
    const recycled = `${(counts.recycledBytes / MIB).toFixed(1)} MiB`;
    checks.report(
      'sections',
      counts.built >= 2 * RING && counts.built === sum('built'),
      `${counts.built} sections by ${reports.length} workers in ${this.#frames} frames; ` +
        `the camera waited in ${this.waited}`,
    );
    checks.report(
      'scratch',
      sum('scratchValid') === 0 && sum('scratchStale') === counts.built && counts.unkept === 0,
      `${sum('scratchStale')} blocks of scratch refused, ${sum('scratchValid')} accepted`,
    );
    checks.report(
      'moving',
      this.#movedLeast >= OBJECTS_MIN && this.#moved === sum('moved'),
      `${this.#movedLeast.toLocaleString('en')} at least, ${sum('moved').toLocaleString('en')} in all, ` +
        `${sum('drawn').toLocaleString('en')} drawn`,
    );
    checks.report(
      'flightPicture',
      this.#blankPictures === 0 && this.#pictures > 0,
      `${this.#pictures} pictures looked at`,
    );
    checks.report(
      'sectionBytes',
      counts.changed === 0 && counts.read === counts.built && counts.read === sum('read'),
      `${counts.read} sections read again, ${counts.changed} changed`,
    );
    checks.report(
      'pinned',
      counts.unread === 0 && counts.refusals >= counts.recycled,
      `${counts.refusals} resets refused, ${counts.unread} sections recycled unread`,
    );
    checks.report(
      'sectionsRecycled',
      counts.recycled === counts.built &&
        counts.staleAccepted === 0 &&
        counts.staleRefused === counts.recycled,
      `${counts.recycled} sections, ${recycled}; ${counts.staleRefused} references refused, ` +
        `${counts.staleAccepted} accepted`,
    );
    this.#reportLaps();
    log(`Flight: ${counts.recycled} sections recycled, ${recycled} through ${this.#ringText()}`);
  }

  #ringText() {
    return `${RING} arenas of together ${(this.#ring.capacity / MIB).toFixed(1)} MiB`;
  }

  #reportLaps() {
    const now = this.#measure();
    const before = this.#firstLap ?? { obtained: 0, capacity: 0 };
    this.#run.checks.report(
      'laps',
      now.obtained === before.obtained && now.capacity === before.capacity,
      `${(before.obtained / MIB).toFixed(1)} MiB obtained after a lap, ` +
        `${(now.obtained / MIB).toFixed(1)} at the end; ${this.#ringText()}`,
    );
  }
}
