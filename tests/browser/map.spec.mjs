/**
 * The live map: shows what the workers take, who owns a page, the frames before; and goes on when every worker
 * hangs.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { readDump } from '../../workers/map/dump.js';
import { open, resultOf, watchErrors } from './pages.mjs';

test('shows owners and frames, and goes on when all workers hang', async ({ page }) => {
  const errors = watchErrors(page);
  await open(page, 'map.html?workers=2&autostart=1');
  const map = page.locator('walloc-map');
  const owner = map.locator('.owner');
  await expect
    .poll(async () => Number(await page.locator('#frames').textContent()))
    .toBeGreaterThan(3);
  await expect(map.locator('.about')).toHaveText(/obtained of at most 512 MiB.+3 threads/);

  // By mouse and by keyboard.
  const canvas = map.locator('canvas');
  await canvas.hover({ position: { x: 2, y: 2 } });
  await expect(owner).toHaveText(/^0x00000000: foreign/);
  await canvas.focus();
  for (let i = 0; i < 8; i++) await canvas.press('ArrowRight');
  await expect(owner).toHaveText(/^0x00080000: .*render, chunk \d+: (in use|preserved|idle)/);

  // What is drawn is not one colour.
  const colours = await canvas.evaluate((node) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (node);
    const context = /** @type {HTMLCanvasElement} */ (node).getContext('2d');
    const pixels = context?.getImageData(0, 0, width, height).data.buffer;
    return new Set(new Uint32Array(/** @type {ArrayBuffer} */ (pixels))).size;
  });
  expect(colours).toBeGreaterThan(5);

  await page.getByRole('button', { name: 'Hang all workers' }).click();
  await expect(page.locator('#status')).toHaveText('No frame any more');
  const frames = await page.locator('#frames').textContent();
  const snapshots = async () =>
    Number((await page.locator('#snapshots').textContent())?.replace(',', ''));
  const before = await snapshots();
  await expect.poll(snapshots).toBeGreaterThan(before + 3);
  expect(await page.locator('#frames').textContent()).toBe(frames);

  // Back through the frames, and a look at who owned what then.
  await map.getByRole('button', { name: 'Pause' }).click();
  const slider = map.getByRole('slider', { name: 'Frame' });
  await slider.press('Home');
  await expect(map.locator('.when')).toHaveText(/before the newest$/);
  await map.getByRole('button', { name: 'Live' }).click();

  await page.getByRole('button', { name: 'Stop' }).click();
  const result = await resultOf(page, 'demoResult');
  expect(result).toMatchObject({ hung: true, workers: 2 });
  expect(result.recycled).toBeGreaterThan(0);

  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the map' }).click();
  const dump = readDump(readFileSync(await (await saved).path(), 'utf8'));
  expect(dump).toEqual(result.snapshot);
  expect(dump.arenas.map(({ name }) => name)).toEqual(['render', 'scene', 'entity']);
  expect(errors).toEqual([]);
});

test('a killed worker stops no other', async ({ page }) => {
  const errors = watchErrors(page);
  await open(page, 'kill.html?workers=2&autostart=1');
  const workers = page.locator('#workers-list li');
  await expect(workers).toHaveCount(2);
  const blocksOf = async (/** @type {number} */ i) =>
    Number(
      /([\d,]+) blocks/.exec((await workers.nth(i).textContent()) ?? '')?.[1].replaceAll(',', ''),
    );
  await expect.poll(() => blocksOf(0)).toBeGreaterThan(0);
  await expect.poll(() => blocksOf(1)).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Kill worker 1' }).click();
  await expect(workers.nth(0)).toContainText('has ended', { timeout: 30_000 });
  const then = await blocksOf(1);
  await expect.poll(() => blocksOf(1)).toBeGreaterThan(then);
  await page.getByRole('button', { name: 'Stop' }).click();
  const result = await resultOf(page, 'demoResult');
  expect(result).toMatchObject({ workers: 2, killed: 1, stalled: 0 });
  expect(result.recovered).toBe(1);
  expect(errors).toEqual([]);
});
