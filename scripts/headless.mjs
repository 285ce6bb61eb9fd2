/**
 * The simulation without a window: its console goes to this one.
 */
import { chromium } from '@playwright/test';
import { chromium as browserOptions } from '../playwright.config.mjs';

const TIMEOUT = 5 * 60_000;

/**
 * Runs the simulation and prints what it says. Resolves with whether every check held.
 *
 * @param {string} url of the pages
 */
export async function runHeadless(url) {
  const browser = await chromium.launch(browserOptions);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on('console', (message) => {
      if (message.type() !== 'warning') console.log(message.text()); // the driver's remarks
    });
    let broken = false;
    page.on('pageerror', (error) => {
      broken = true;
      console.error(error);
    });
    await page.goto(new URL('simulation.html?autostart=1', url).href);
    const isolated = await page.evaluate(() => globalThis.crossOriginIsolated);
    const ended = await page.waitForFunction(
      () => /** @type {any} */ (globalThis).simulationResult,
      undefined,
      { timeout: TIMEOUT },
    );
    const { passed, checks } = await ended.jsonValue();
    const held = checks.filter((/** @type {{ passed: boolean }} */ check) => check.passed).length;
    console.log(`\nCross-origin isolated: ${isolated ? 'yes' : 'no'}`);
    for (const check of checks) {
      console.log(`${check.passed ? '✓' : '✗'} ${check.name}: ${check.detail}`);
    }
    console.log(`\n${held} of ${checks.length} checks held`);
    return passed && isolated && !broken && held === checks.length && held > 0;
  } finally {
    await browser.close();
  }
}
