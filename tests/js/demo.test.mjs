/**
 * What the demo pages decide by: checksums, checks, the sharing out of work, random numbers, skinning. If
 * these were wrong, a page could say "passed" of anything.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordAt } from '../../www/memory/blocks.js';
import { CHECKSUM_START, checksumArray, checksumWords } from '../../www/shared/checksum.js';
import { Checks } from '../../www/shared/checks.js';
import { Random, seedFor } from '../../www/shared/random.js';
import { boneMatrices, skinVertices } from '../../www/simulation/jobs/skinning.js';
import { MAKING_FRAMES, rowsOfStep } from '../../www/simulation/jobs/textures.js';
import { TEXTURES, WORKLOADS, shareOfRange, shareOut } from '../../www/simulation/plan.js';

test('a checksum notices each single changed bit, wherever it is', () => {
  const random = new Random(1);
  const words = Uint32Array.from({ length: 64 }, () => random.next());
  const expected = checksumWords(CHECKSUM_START, words);
  for (let bit = 0; bit < words.length * 32; bit++) {
    words[bit >> 5] ^= 1 << (bit & 31);
    assert.notEqual(checksumWords(CHECKSUM_START, words), expected, `bit ${bit}`);
    words[bit >> 5] ^= 1 << (bit & 31);
  }
  assert.equal(checksumWords(CHECKSUM_START, words), expected);
});

test('a checksum of parts is that of the whole, and notices their order', () => {
  const words = Uint32Array.of(1, 2, 3, 4);
  const [first, last] = [words.subarray(0, 1), words.subarray(1)];
  const whole = checksumArray(CHECKSUM_START, words);
  assert.equal([first, last].reduce(checksumArray, CHECKSUM_START), whole);
  assert.notEqual([last, first].reduce(checksumArray, CHECKSUM_START), whole);
});

test('a check that was never made has not passed', () => {
  const checks = new Checks();
  checks.declare('phase', { first: 'First', second: 'Second' });
  checks.report('first', true);
  assert.equal(checks.passed, false);
  assert.deepEqual(
    checks.outcomes().map(({ passed, detail }) => [passed, detail]),
    [
      [true, ''],
      [false, 'not reached'],
    ],
  );
  checks.report('second', true);
  assert.equal(checks.passed, true);
});

test('a check that has failed stays failed, and tells of the first failure', () => {
  const checks = new Checks();
  checks.declare('phase', { only: 'Only' });
  checks.report('only', true);
  checks.report('only', false, 'first');
  checks.report('only', false, 'second');
  checks.report('only', true);
  assert.equal(checks.passed, false);
  assert.equal(checks.hasFailed('only'), true);
  assert.equal(checks.list()[0].detail, 'first');
});

test('checks are declared once, and only declared ones are reported', () => {
  const checks = new Checks();
  checks.declare('phase', { only: 'Only' });
  assert.throws(() => checks.declare('phase', { only: 'Again' }), /declared twice/);
  assert.throws(() => checks.report('other', true), /no check other/);
});

test('a seed gives the same numbers again, and each thread numbers of its own', () => {
  const numbers = (/** @type {number} */ seed) => {
    const random = new Random(seed);
    return Array.from({ length: 8 }, () => random.next());
  };
  assert.deepEqual(numbers(5), numbers(5));
  assert.notDeepEqual(numbers(5), numbers(6));
  assert.equal(new Set([0, 1, 2, 3].map((thread) => seedFor(5, thread))).size, 4);
  const random = new Random(9);
  const drawn = new Set(Array.from({ length: 200 }, () => random.between(3, 6)));
  assert.deepEqual([...drawn].sort(), [3, 4, 5, 6]);
});

test('work is shared out whole, for every number of workers', () => {
  const items = [9, 1, 4, 4, 7, 2, 2];
  for (let workers = 1; workers <= 8; workers++) {
    const shares = shareOut(items, workers, (weight) => weight);
    assert.equal(shares.length, workers);
    assert.deepEqual(shares.flat().sort(), [...items].sort());
    let next = 0;
    for (let worker = 0; worker < workers; worker++) {
      const [first, end] = shareOfRange(1000, workers, worker);
      assert.equal(first, next);
      next = end;
    }
    assert.equal(next, 1000);
  }
  const loads = shareOut(items, 2, (weight) => weight).map((share) =>
    share.reduce((a, b) => a + b),
  );
  assert.ok(Math.abs(loads[0] - loads[1]) <= 2, `${loads}`);
});

test('the rows of a texture are all made, each once', () => {
  for (const { size, bytes } of TEXTURES) {
    assert.equal(size * size * 4, bytes);
    let next = 0;
    for (let step = 0; step < MAKING_FRAMES; step++) {
      const [first, end] = rowsOfStep(size, step, MAKING_FRAMES);
      assert.equal(first, next);
      next = end;
    }
    assert.equal(next, size);
  }
});

test('workloads draw and skin only what they load', () => {
  for (const { models, placements, skinned } of Object.values(WORKLOADS)) {
    for (const { model } of [...placements, ...skinned]) assert.ok(models.includes(model), model);
  }
});

test('skinning a part gives the same numbers as skinning the whole', () => {
  const item = WORKLOADS.normal.skinned[1];
  const random = new Random(3);
  const source = Float32Array.from({ length: 300 }, () => random.fraction());
  const bones = boneMatrices(item, 1.25);
  const [positions, normals] = [new Float32Array(300), new Float32Array(300)];
  skinVertices(item, bones, source, source, positions, normals);
  const [onePosition, oneNormal] = [new Float32Array(3), new Float32Array(3)];
  skinVertices(item, bones, source, source, onePosition, oneNormal, 41, 42);
  assert.deepEqual(onePosition, positions.slice(123, 126));
  assert.deepEqual(oneNormal, normals.slice(123, 126));
  const unbent = { ...item, bend: 0 };
  skinVertices(unbent, boneMatrices(unbent, 1.25), source, source, onePosition, oneNormal, 41, 42);
  assert.notDeepEqual(onePosition, positions.slice(123, 126));
});

test('what the 4 GiB page writes differs from address to address, also above 2 GiB', () => {
  const addresses = [0, 4, 8, 2 ** 31 - 4, 2 ** 31, 2 ** 31 + 4, 2 ** 32 - 131072, 2 ** 32 - 65540];
  const words = new Set(addresses.map(wordAt));
  assert.equal(words.size, addresses.length);
  for (const word of words) assert.ok(word >= 0 && word < 2 ** 32 && Number.isInteger(word));
});
