/**
 * What the pages need of server and browser, what they say when it is missing, and that they fit.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { chromium } from '../../playwright.config.mjs';
import { PAGES, PHONE, open, overflowOf, resultOf, watchErrors } from './pages.mjs';
import { serve } from '../../scripts/serve-folder.mjs';

const BUILT = fileURLToPath(new URL('../../build/www/', import.meta.url));

/**
 * Exactly one problem is shown, in place of the page.
 *
 * @param {import('@playwright/test').Page} page
 * @param {string} id
 */
async function expectProblem(page, id) {
  const alert = page.getByRole('alert');
  await expect(alert).toBeVisible();
  await expect(page.locator('[data-problem]')).toHaveCount(1);
  await expect(page.locator(`[data-problem=${id}]`)).toBeVisible();
  await expect(page.getByRole('main')).toBeHidden();
  return alert;
}

for (const name of PAGES) {
  test(`${name} is isolated`, async ({ page }) => {
    const errors = watchErrors(page);
    await open(page, name);
    await expect(page.getByRole('main')).toBeVisible();
    await expect(page.getByRole('alert')).toBeHidden();
    expect(errors).toEqual([]);
  });

  test(`${name} says that the headers are missing`, async ({ page }) => {
    // Nor may a service worker add them.
    await page.addInitScript(() =>
      Object.defineProperty(navigator, 'serviceWorker', { value: undefined }),
    );
    const errors = watchErrors(page);
    const server = await serve(BUILT, { isolated: false });
    try {
      await page.goto(`${server.url}${name}?autostart=1`);
      expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(false);
      const alert = await expectProblem(page, 'isolation');
      await expect(alert).toContainText('Cross-Origin-Opener-Policy: same-origin');
      await expect(alert).toContainText('Cross-Origin-Embedder-Policy: require-corp');
      expect(errors).toEqual([]);
    } finally {
      await server.close();
    }
  });
}

for (const name of /** @type {const} */ (['stress', 'memory'])) {
  test(`${name}.html fits a phone`, async ({ page }) => {
    await page.setViewportSize(PHONE);
    await open(page, `${name}.html?workers=2&seconds=1`);
    expect(await overflowOf(page)).toBe(0);
    await page.locator('#start').click();
    await resultOf(page, `${name}Result`);
    expect(await overflowOf(page)).toBe(0);
  });
}

test('the same files run on any server that sends the headers', async ({ page }) => {
  const server = await serve(BUILT, { isolated: true });
  try {
    await open(page, `${server.url}stress.html?autostart=1&workers=2&seconds=1`);
    expect(await resultOf(page, 'stressResult')).toMatchObject({ passed: true });
  } finally {
    await server.close();
  }
});

test('runs from a host that sends no headers: a service worker adds them', async ({ page }) => {
  const server = await serve(BUILT, { isolated: false });
  try {
    await page.goto(`${server.url}stale.html?autostart=1`);
    expect(await resultOf(page, 'demoResult')).toMatchObject({ passed: true });
    expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
    await expect(page.locator('#mode')).toHaveText(/^isolated/);
  } finally {
    await server.close();
  }
});

test('says that WebGL2 is missing', async ({ playwright, baseURL }) => {
  const args = [...chromium.args, '--disable-3d-apis'];
  const browser = await playwright.chromium.launch({ ...chromium, args });
  try {
    const page = await browser.newPage({ baseURL });
    const errors = watchErrors(page);
    await open(page, 'simulation.html?autostart=1');
    await expectProblem(page, 'webgl2');
    expect(errors).toEqual([]);
  } finally {
    await browser.close();
  }
});

test('says that WebAssembly threads are missing', async ({ page }) => {
  await page.addInitScript(() => {
    WebAssembly.validate = () => false;
  });
  await open(page, 'simulation.html?autostart=1');
  await expectProblem(page, 'wasm-threads');
});

test('says that SharedArrayBuffer is missing', async ({ page }) => {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedArrayBuffer'));
  await open(page, 'simulation.html?autostart=1');
  await expectProblem(page, 'shared-memory');
});
