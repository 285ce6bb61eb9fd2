/**
 * The simulation's flight: sections are built, used and recycled in a ring of arenas that does not grow; the ring is
 * shown to everybody. That damage is noticed is in simulation.spec.mjs.
 */
import { expect, test } from '@playwright/test';
import {
  PHONE,
  expectNoViolations,
  failedOf,
  open,
  overflowOf,
  resultOf,
  watchErrors,
} from './pages.mjs';

/** @typedef {import('@playwright/test').Page} BrowserPage */

const RING = 12;
const SHORT = 'simulation.html?autostart=1&workload=small&frames=60&sections=17&workers=3&seed=5';

/**
 * Has the page watch itself in each animation frame of the flight: how large its memory is from the second lap
 * on, in which states each arena of the ring has been, and with which sections.
 *
 * @param {BrowserPage} page not opened yet
 */
async function watchFlight(page) {
  await page.addInitScript(() => {
    const state = /** @type {any} */ (globalThis);
    state.shift = 0;
    state.sizes = [];
    state.seen = {};
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) state.shift += /** @type {any} */ (entry).value;
    }).observe({ type: 'layout-shift', buffered: true });
    WebAssembly.Memory = class extends WebAssembly.Memory {
      /** @param {WebAssembly.MemoryDescriptor} description */
      constructor(description) {
        super(description);
        state.memory = this;
      }
    };
    const look = () => {
      requestAnimationFrame(look);
      if (!document.querySelector('[data-phase=flight][aria-current]')) return;
      const buttons = document.querySelectorAll('#sections-list button');
      const sections = [...buttons].map((button) => Number(button.querySelector('b')?.textContent));
      buttons.forEach((button, i) => {
        const { states, held } = (state.seen[i] ??= { states: {}, held: {} });
        states[/** @type {HTMLElement} */ (button).dataset.state ?? ''] = true;
        if (sections[i] >= 0) held[sections[i]] = true;
      });
      // The page measures once twelve are built; a section beyond them is built after that.
      const isSecondLap = sections.some((section) => section > buttons.length + 1);
      const size = state.memory.buffer.byteLength;
      if (isSecondLap && state.sizes.at(-1) !== size) state.sizes.push(size);
    };
    requestAnimationFrame(look);
  });
}

/** @param {BrowserPage} page @param {string} expression */
const stateOf = (page, expression) => page.evaluate(`globalThis.${expression}`);

test('8 workers recycle every section, in a ring of arenas that does not grow', async ({
  page,
}) => {
  const errors = watchErrors(page);
  await watchFlight(page);
  await open(page, SHORT.replace('workers=3', 'workers=8'));
  const result = await resultOf(page, 'simulationResult');
  expect(failedOf(result.checks)).toEqual([]);
  expect(result).toMatchObject({ passed: true, frames: 60, settings: { workers: 8 } });
  const { flown, stats } = result;
  expect(flown.built).toBeGreaterThanOrEqual(2 * RING);
  expect(flown).toMatchObject({ read: flown.built, recycled: flown.built, changed: 0, unread: 0 });
  expect(flown.refusals).toBeGreaterThanOrEqual(flown.built);
  expect(flown.recycledBytes).toBeGreaterThan(flown.built * 50_000);
  expect(stats.memory.obtained).toBeGreaterThan(0);

  expect(await stateOf(page, 'sizes')).toHaveLength(1);
  const seen = /** @type {Record<string, { states: object, held: object }>} */ (
    await stateOf(page, 'seen')
  );
  expect(Object.keys(seen)).toHaveLength(RING);
  for (const { states, held } of Object.values(seen)) {
    expect(Object.keys(states)).toEqual(expect.arrayContaining(['kept', 'live', 'recycled']));
    const [first, second] = Object.keys(held).map(Number);
    expect(second - first).toBe(RING);
  }
  expect(await stateOf(page, 'shift')).toBeLessThan(0.02);
  await expect(page.locator('#sections-list button[data-state=recycled]')).toHaveCount(RING);
  expect(errors).toEqual([]);
});

test('shows the ring to everybody: by keyboard, in light and dark, on a phone', async ({
  page,
}) => {
  test.slow(); // twice a look at every element
  await open(page, SHORT.replace('sections=17', 'sections=9000'));
  const third = page.locator('#sections-list button').nth(2);
  await expect(third).toHaveAttribute('data-state', 'live', { timeout: 60_000 });
  await third.focus();
  await page.keyboard.press('Enter');
  await expect(third).toHaveAttribute('aria-pressed', 'true');
  await expect(page.locator('#section-detail')).toHaveText(
    /^(Section \d+, (live|preserved|leaving|loading)|Recycled) in arena \d+/,
  );
  await page.getByRole('button', { name: 'Stop' }).click();
  await resultOf(page, 'simulationResult');
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    if (colorScheme === 'dark') await page.setViewportSize(PHONE);
    await expectNoViolations(page, '#page');
  }
  expect(await overflowOf(page)).toBe(0);
});

test('leads to the comparison with the workload that is set', async ({ page }) => {
  await open(page, 'simulation.html?workload=small&frames=77');
  await page.getByLabel('Workload').selectOption('large');
  await page.getByLabel('Frames').fill('99');
  await page.getByRole('link', { name: 'Compare with' }).click();
  await expect(page.getByLabel('Objects')).toHaveValue('15000');
  await expect(page.getByLabel('Frames')).toHaveValue('99');
});
