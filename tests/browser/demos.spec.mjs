/**
 * The first page, and the demos that it leads to: each opens, does what it says, keeps its settings in its
 * address, hands out its result; with the keyboard, for screen readers, in light and dark, on a phone, without
 * anything moving while it runs.
 */
import { expect, test } from '@playwright/test';
import {
  DEMOS,
  PAGES,
  PHONE,
  expectNoViolations,
  failedOf,
  open,
  overflowOf,
  resultOf,
  watchErrors,
} from './pages.mjs';

test('the first page has a card for each demo, that opens it, and its source', async ({ page }) => {
  const errors = watchErrors(page);
  await open(page, 'index.html');
  const cards = page.locator('.demo');
  await expect(cards).toHaveCount(PAGES.length + DEMOS.length);
  await expect(page.locator('#mode')).toHaveText(/^isolated · \d+ cores?$/);
  for (const image of await cards.locator('img').all()) {
    await image.scrollIntoViewIfNeeded();
    await expect
      .poll(() => image.evaluate((node) => /** @type {any} */ (node).naturalWidth))
      .toBe(640);
  }
  await expectNoViolations(page);
  const addresses = await cards
    .locator('.open')
    .evaluateAll((links) => links.map((link) => /** @type {any} */ (link).href));
  const names = [...PAGES, ...DEMOS.map(({ name }) => `${name}.html`)].sort();
  expect(addresses.map((address) => address.split('/').at(-1)).sort()).toEqual(names);

  await page.getByRole('link', { name: 'Source of Live map' }).click();
  await expect(page.locator('#file-title')).toHaveText('www/map/main.js');
  await expect(page.locator('#code')).toContainText('startPage(');
  await page.getByRole('link', { name: 'map/worker.js' }).click();
  await expect(page.locator('#code')).toContainText('answerCalls(');
  await expectNoViolations(page);
  await page.getByRole('link', { name: 'All demos' }).click();
  await page.setViewportSize(PHONE);
  expect(await overflowOf(page)).toBe(0);
  await page.getByRole('link', { name: '4 GiB', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Start' })).toBeEnabled();
  expect(errors).toEqual([]);
});

for (const [i, name] of [...PAGES, ...DEMOS.map((demo) => `${demo.name}.html`)].entries()) {
  test(`${name} can be used by all, in light and dark, and on a phone`, async ({ page }) => {
    test.slow(); // twice a look at every element
    await page.emulateMedia({ colorScheme: i % 2 ? 'dark' : 'light' });
    await open(page, name);
    await expect(page.locator('#mode')).toHaveText(/^isolated · (no|\d+) workers? · at most/);
    await expectNoViolations(page);
    await page.emulateMedia({ colorScheme: i % 2 ? 'light' : 'dark' });
    await page.setViewportSize(PHONE);
    await expectNoViolations(page);
    expect(await overflowOf(page)).toBe(0);
  });
}

for (const { name, query } of DEMOS.filter((demo) => !['map', 'kill'].includes(demo.name))) {
  test(`${name} runs, moves nothing, and hands out its result`, async ({ page, context }) => {
    const errors = watchErrors(page);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.addInitScript(() => {
      const state = /** @type {any} */ (globalThis);
      state.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) state.shift += /** @type {any} */ (entry).value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await open(page, `${name}.html?${query}&autostart=1`);
    const result = await resultOf(page, 'demoResult');
    expect(result).toMatchObject({ passed: true });
    expect(await page.evaluate(() => /** @type {any} */ (globalThis).shift)).toBeLessThan(0.02);
    await page.getByRole('button', { name: 'Copy JSON' }).click();
    await expect(page.locator('#copied')).toHaveText('Copied');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(JSON.parse(copied)).toEqual(result);
    expect(errors).toEqual([]);
  });
}

for (const way of ['compact', 'rewind', 'free']) {
  test(`use after ${way} is caught`, async ({ page }) => {
    await open(page, `stale.html?way=${way}&autostart=1`);
    const result = await resultOf(page, 'demoResult');
    expect(failedOf(result.checks)).toEqual([]);
    expect(result).toMatchObject({ passed: true, way });
    await expect(page.locator('#steps li')).toHaveCount(5);
  });
}

test('contention draws a curve for each way, and fills the table', async ({ page }) => {
  await open(page, 'contention.html?threads=2&milliseconds=20&autostart=1');
  const { rows } = await resultOf(page, 'demoResult');
  expect(rows.map((/** @type {any} */ row) => row.threads)).toEqual([1, 2]);
  for (const row of rows) {
    for (const way of ['malloc', 'cursor', 'lanes']) expect(row[way]).toBeGreaterThan(0);
  }
  await expect(page.locator('#rows tr')).toHaveCount(2);
});

test('settings are kept in the address', async ({ page }) => {
  await open(page, 'upload.html?heap=32&block=wrong');
  await expect(page.getByLabel('Heap, MiB')).toHaveValue('32');
  await expect(page.getByLabel('Block, KiB')).toHaveValue('256');
  await page.getByLabel('Frames').fill('7');
  await expect(page).toHaveURL(/\?heap=32&block=256&frames=7$/);
  await page.reload();
  await expect(page.getByLabel('Frames')).toHaveValue('7');
});
