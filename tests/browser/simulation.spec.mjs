/**
 * The simulation page: runs to its end with every check held; stops; notices damage; tells what went wrong. With
 * many workers it is in flight.spec.mjs.
 */
import { expect, test } from '@playwright/test';
import {
  PHONE,
  checkOf,
  failedOf,
  meddleBeforeCalls,
  open,
  overflowOf,
  resultOf,
  watchErrors,
} from './pages.mjs';

const MIB = 1024 * 1024;

test('completes with the normal workload, all checks passed', async ({ page }) => {
  const errors = watchErrors(page);
  await open(page, 'simulation.html?seed=7&workload=normal&frames=60&sections=17');
  await page.getByRole('button', { name: 'Start Simulation' }).click();
  const result = await resultOf(page, 'simulationResult');

  expect(failedOf(result.checks)).toEqual([]);
  expect(result.checks.length).toBeGreaterThan(20);
  expect(result).toMatchObject({
    passed: true,
    stopped: false,
    error: null,
    settings: { seed: 7 },
  });
  expect(result.frames).toBeGreaterThanOrEqual(60);
  const { render, scene, entity } = result.stats.tiers;
  expect(render.resets).toBeGreaterThanOrEqual(result.frames);
  expect(entity.resets).toBeGreaterThanOrEqual(result.frames / 10);
  expect(scene.resets).toBeGreaterThanOrEqual(result.frames / 60);
  expect(scene.highWater).toBeGreaterThan(84 * MIB); // textures of 4, 16 and 64 MiB
  expect(scene.recyclings).toBeGreaterThan(0);
  expect(render.failures).toBeGreaterThan(0);

  await expect(page.locator('#verdict')).toContainText('Passed');
  await expect(page.locator('#checks li.passed')).toHaveCount(result.checks.length);
  await expect(page.locator('#console time').first()).toHaveText(/^\s*\d+\.\d{3}$/);
  for (const tier of ['render', 'scene', 'entity']) {
    const bar = page.locator(`.tier.${tier}`);
    await expect(bar.locator('dd')).toHaveText(Array(4).fill(/^\d+\.\d+ MiB$/));
    expect((await bar.locator('.used').boundingBox())?.width).toBeGreaterThan(0);
  }
  expect(errors).toEqual([]);
});

test('completes with one worker, and fits a phone', async ({ page }) => {
  await page.setViewportSize(PHONE);
  const errors = watchErrors(page);
  await open(page, 'simulation.html?workload=small&frames=60&sections=17&workers=1');
  expect(await overflowOf(page)).toBe(0);
  await page.getByRole('button', { name: 'Start Simulation' }).click();
  const result = await resultOf(page, 'simulationResult');
  expect(failedOf(result.checks)).toEqual([]);
  expect(result).toMatchObject({ passed: true, frames: 60, settings: { workers: 1 } });
  expect(await overflowOf(page)).toBe(0);
  expect(errors).toEqual([]);
});

test('stops, and can be started again', async ({ page }) => {
  const errors = watchErrors(page);
  await open(page, 'simulation.html?workload=small&frames=5000');
  const start = page.getByRole('button', { name: 'Start Simulation' });
  const stop = page.getByRole('button', { name: 'Stop' });
  await expect(stop).toBeDisabled();
  for (let run = 0; run < 2; run++) {
    await start.click();
    await expect(start).toBeDisabled();
    await expect(page.locator('#stage-status')).toContainText(/frame \d+/);
    await stop.click();
    const result = await resultOf(page, 'simulationResult');
    expect(result).toMatchObject({ stopped: true, passed: false, error: null });
    expect(result.frames).toBeGreaterThan(0);
    await expect(page.locator('#verdict')).toContainText('Stopped');
    await expect(start).toBeEnabled();
    await expect(stop).toBeDisabled();
  }
  expect(errors).toEqual([]);
});

test('notices one changed bit of a section in sight, and one of a preserved model', async ({
  page,
}) => {
  await meddleBeforeCalls(page, (memory, { name, argument }) => {
    // The last verification is the first one after the pressure began.
    const state = /** @type {any} */ (globalThis);
    state.memory = memory;
    if (name === 'exhaustMemory') state.isFull = true;
    if (name !== 'verify' || !state.isFull || state.done) return;
    state.done = true;
    const { address, length } = argument[0].refs.normals;
    const bytes = new Uint8Array(memory.buffer, address, length * 4);
    bytes[bytes.length - 1] ^= 1;
  });
  await open(page, 'simulation.html?autostart=1&workload=small&frames=60&sections=17&workers=2');
  await page.waitForFunction(() => {
    const live = document.querySelector('#sections-list [data-state=live]');
    const address = Number(/** @type {HTMLElement | null} */ (live)?.dataset.address);
    if (!address) return false;
    const { memory } = /** @type {any} */ (globalThis);
    new Uint8Array(memory.buffer, address, 1)[0] ^= 1;
    return true;
  });
  const result = await resultOf(page, 'simulationResult');
  expect(failedOf(result.checks).map(({ id }) => id)).toEqual(['sectionBytes', 'intact']);
  expect(checkOf(result, 'sectionBytes').detail).toContain(', 1 changed');
  expect(checkOf(result, 'intact').detail).toMatch(/^changed: /);
  expect(result.passed).toBe(false);
  await expect(page.locator('#verdict')).toContainText('Failed');
  await expect(page.locator('#checks li.failed')).toHaveCount(2);
});

test('says which model could not be had', async ({ page }) => {
  await page.route('**/models/bunny.mesh', (route) => route.fulfill({ status: 404 }));
  await open(page, 'simulation.html?autostart=1&workload=small&frames=60&sections=17&workers=2');
  const result = await resultOf(page, 'simulationResult');
  expect(result.passed).toBe(false);
  expect(result.error).toContain('bunny.mesh: HTTP 404');
  expect(checkOf(result, 'streamed').passed).toBe(false);
  await expect(page.locator('#verdict')).toContainText('bunny.mesh');
  await expect(page.getByRole('button', { name: 'Start Simulation' })).toBeEnabled();
});
