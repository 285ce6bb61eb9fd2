/**
 * What the simulation's flight is computed by: where sections lie in their blocks, which of them there are, that
 * land meets without a seam and comes out the same in every thread, and what is left out where drawing is slow.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fillCrystals,
  fillGrid,
  fillLand,
  fillMovers,
  gridIn,
} from '../../www/simulation/flight/land.js';
import { moveMovers } from '../../www/simulation/flight/movers.js';
import {
  KEPT_AHEAD,
  KEPT_BEHIND,
  LIVE_AHEAD,
  LOADED_AHEAD,
  RING,
  SECTIONS_MIN,
  SECTION_LENGTH,
  placeOfSection,
  scratchWords,
  sectionParts,
  sectionWords,
} from '../../www/simulation/flight/plan.js';
import { WORKLOADS } from '../../www/simulation/plan.js';

const { flight } = WORKLOADS.small;

/** @param {number} section */
function build(section) {
  const parts = sectionParts(new Float32Array(sectionWords(flight)), flight);
  const grid = gridIn(new Float32Array(scratchWords(flight)));
  fillGrid(grid, section, flight);
  fillLand(parts, grid, section, flight);
  fillCrystals(parts.crystals, section);
  fillMovers(parts.movers, section);
  return parts;
}

test('the parts of a section lie one behind the other, at 64 bytes, within its block', () => {
  for (const workload of Object.values(WORKLOADS)) {
    const words = sectionWords(workload.flight);
    const parts = Object.values(sectionParts(new Float32Array(words), workload.flight));
    let end = 0;
    for (const { byteOffset, byteLength } of parts) {
      assert.equal(byteOffset % 64, 0);
      assert.ok(byteOffset >= end && byteLength > 0);
      end = byteOffset + byteLength;
    }
    assert.ok(end <= words * 4 && end > words * 4 - 64);
  }
});

test('every workload moves 2,000 objects and more, over two laps of the ring', () => {
  for (const workload of Object.values(WORKLOADS)) {
    assert.ok((LIVE_AHEAD + 1) * workload.flight.movers >= 2000, workload.title);
    assert.ok(workload.flight.sections >= SECTIONS_MIN);
  }
});

test('the sections that are there at any time have an arena each', () => {
  for (let camera = 0; camera < 3 * RING; camera++) {
    const there = Array.from({ length: 6 * RING }, (_, section) => section).filter(
      (section) => !['ahead', 'behind'].includes(placeOfSection(section, camera)),
    );
    assert.equal(new Set(there.map((section) => section % RING)).size, there.length);
    assert.equal(there.at(-1), camera + LOADED_AHEAD);
    assert.equal(there[0], Math.max(0, camera - KEPT_BEHIND));
    assert.equal(placeOfSection(camera, camera), 'live');
    assert.equal(placeOfSection(camera + LIVE_AHEAD, camera), 'live');
    assert.equal(placeOfSection(camera + KEPT_AHEAD, camera), 'kept');
  }
});

test('neighbours meet without a seam: the same corners, the same normals', () => {
  const corners = (flight.columns + 1) * 3;
  for (const section of [0, 1, 17]) {
    const [near, far] = [build(section), build(section + 1)];
    const last = flight.rows * corners;
    for (let i = 0; i < corners; i++) {
      assert.equal(near.positions[last + i], far.positions[i], `position ${i}`);
      assert.ok(Math.abs(near.normals[last + i] - far.normals[i]) < 1e-5, `normal ${i}`);
    }
    assert.equal(near.positions[2], -section * SECTION_LENGTH);
  }
});

test('a section comes out the same again, unlike any other, and whole', () => {
  const [one, again, other] = [build(5), build(5), build(6)];
  for (const name of /** @type {(keyof typeof one)[]} */ (Object.keys(one))) {
    assert.deepEqual(one[name], again[name]);
    if (name !== 'indices') assert.notDeepEqual(one[name], other[name]);
    assert.ok(one[name].every(Number.isFinite), name);
  }
  const vertices = one.positions.length / 3;
  assert.ok(one.indices.every((index) => index < vertices));
  assert.equal(new Set(one.indices).size, vertices);
  for (let i = 0; i < one.normals.length; i += 3) {
    const [x, y, z] = one.normals.subarray(i, i + 3);
    assert.ok(Math.abs(Math.hypot(x, y, z) - 1) < 1e-5 && y > 0);
  }
});

test('what is drawn of the movers are those that are seen, and as many as the detail says', () => {
  const { movers } = build(3);
  const count = flight.movers;
  const everywhere = new Float32Array(24).fill(0); // planes that all is in front of
  const nowhere = Float32Array.from({ length: 24 }, (_, i) => (i % 4 === 3 ? -1e6 : 0));
  const out = new Float32Array(count * 16);
  const drawn = (/** @type {number} */ detail, planes = everywhere) =>
    moveMovers(movers, 0, count, { time: 1, planes, detail }, out, 0);
  assert.equal(drawn(1), count);
  assert.equal(drawn(1, nowhere), 0);
  for (const detail of [0.16, 0.41, 0.64]) {
    assert.ok(Math.abs(drawn(detail) / count - detail) < 0.02, `${detail}: ${drawn(detail)}`);
  }
});

test('movers go on from the matrix where the section before has ended, and move', () => {
  const { movers } = build(3);
  const given = { time: 1, planes: new Float32Array(24), detail: 1 };
  const out = new Float32Array(6 * 16);
  assert.equal(moveMovers(movers, 4, 6, given, out, 3), 5);
  assert.ok(out.subarray(0, 48).every((value) => value === 0));
  assert.ok(out[48 + 15] === 1 && out[64 + 15] === 1 && out[80 + 15] === 0);
  const before = out.slice(48, 64);
  moveMovers(movers, 4, 6, { ...given, time: 2 }, out, 3);
  assert.notDeepEqual(out.slice(48, 64), before);
});
