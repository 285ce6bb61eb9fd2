/**
 * The stress page: 2 and 8 workers, no violation; stops; and what it looks for, it finds.
 */
import { expect, test } from '@playwright/test';
import { findOverlaps } from '../../www/stress/intervals.js';
import { meddleBeforeCalls, open, resultOf, watchErrors } from './pages.mjs';

const SECONDS = Number(process.env.WALLOC_STRESS_SECONDS ?? 5);

for (const workers of [2, 8]) {
  test(`${workers} workers on all tiers, no violation`, async ({ page }) => {
    const errors = watchErrors(page);
    test.setTimeout((SECONDS + 60) * 1000);
    const seed = process.env.WALLOC_SEED ? `&seed=${process.env.WALLOC_SEED}` : '';
    await open(page, `stress.html?autostart=1&workers=${workers}&seconds=${SECONDS}${seed}`);
    const result = await resultOf(page, 'stressResult');
    console.log(`seed ${result.settings.seed}: ${result.operations} operations`);
    expect(result.messages).toEqual([]);
    expect(result).toMatchObject({ passed: true, violations: 0, error: null });
    expect(result.settings.workers).toBe(workers);
    for (const count of ['operations', 'rounds', 'races', 'raced', 'resets']) {
      expect(result[count], count).toBeGreaterThan(0);
    }
    await expect(page.locator('#verdict')).toContainText('0 violations');
    expect(errors).toEqual([]);
  });
}

test('stops', async ({ page }) => {
  await open(page, 'stress.html?workers=2&seconds=3600');
  await page.getByRole('button', { name: 'Start' }).click();
  await expect(page.locator('#rounds')).not.toHaveText('0');
  await page.getByRole('button', { name: 'Stop' }).click();
  const result = await resultOf(page, 'stressResult');
  expect(result).toMatchObject({ stopped: true, passed: false, violations: 0 });
  await expect(page.getByRole('button', { name: 'Start' })).toBeEnabled();
});

test('notices a block that somebody else has written to', async ({ page }) => {
  await meddleBeforeCalls(page, (memory, { name }) => {
    const state = /** @type {any} */ (globalThis);
    if (name !== 'settle' || state.done) return;
    // The first worker's blocks are full of 0x01000000 and their number.
    const words = new Uint32Array(memory.buffer);
    const isPattern = (/** @type {number} */ word) => word >>> 8 === 0x010000;
    const at = words.findIndex((word, i) => isPattern(word) && words[i + 1] === word);
    state.done = at >= 0;
    if (state.done) words[at]++;
  });
  await open(page, 'stress.html?autostart=1&workers=2&seconds=30');
  const result = await resultOf(page, 'stressResult');
  expect(result.passed).toBe(false);
  expect(result.violations).toBeGreaterThan(0);
  expect(result.messages[0]).toMatch(/was overwritten$/);
});

test('finds blocks that overlap while they live, and no others', () => {
  const overlapping = [
    Uint32Array.of(0, 5, 1000, 100, 0, 5, 2000, 10),
    Uint32Array.of(0, 5, 1099, 50), // one byte into the first
  ];
  const [found, ...others] = findOverlaps(overlapping);
  expect(others).toEqual([]);
  expect(found.first).toMatchObject({ worker: 0, address: 1000 });
  expect(found.second).toMatchObject({ worker: 1, address: 1099 });

  const apart = [
    Uint32Array.of(0, 5, 1000, 100, 0, 5, 1100, 50),
    Uint32Array.of(0, 6, 1000, 100, 1, 5, 1000, 100), // another generation, another tier
    Uint32Array.of(0, 5, 0xfffeff00, 256),
  ];
  expect(findOverlaps(apart)).toEqual([]);
  const marked = [
    { tier: 0, before: 3, generation: 5 },
    { tier: 0, before: 5, generation: 6 }, // so both live at the same time
  ];
  expect(findOverlaps(apart, marked)).toHaveLength(1);
});
