/**
 * The examples for browsers: plain workers, served as they are, and the React app, built by Vite.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { build } from 'vite';
import { serve } from '../../scripts/serve-folder.mjs';
import { watchErrors } from './pages.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * How many colours a canvas shows: 1 for an empty one.
 *
 * @param {import('@playwright/test').Page} page
 */
const colorsOf = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        // In a frame of its own: what WebGL has drawn is there until the frame ends.
        requestAnimationFrame(() => {
          const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas'));
          const { width, height } = canvas;
          const context = new OffscreenCanvas(width, height).getContext('2d');
          context?.drawImage(canvas, 0, 0);
          const bytes = context?.getImageData(0, 0, width, height).data.buffer;
          resolve(new Set(new Uint32Array(bytes ?? new ArrayBuffer(0))).size);
        });
      }),
  );

/**
 * Calls `use` with the address of a folder of the checkout.
 *
 * @param {string} folder
 * @param {boolean} isolated
 * @param {(url: string) => Promise<void>} use
 */
async function withServer(folder, isolated, use) {
  const server = await serve(`${ROOT}${folder}`, { isolated });
  try {
    await use(server.url);
  } finally {
    await server.close();
  }
}

test('plain workers draw a picture, and its memory is thrown away', async ({ page }) => {
  const errors = watchErrors(page);
  await withServer('', true, async (url) => {
    await page.goto(`${url}examples/workers/`);
    await expect(page.getByRole('status')).toHaveText(
      /^3 pictures of 20 stripes, in \d+ KiB; the last stripe is gone$/,
      { timeout: 60_000 },
    );
    expect(await colorsOf(page)).toBeGreaterThan(20);
  });
  expect(errors).toEqual([]);
});

test('plain workers say what is missing without isolation', async ({ page }) => {
  await withServer('', false, async (url) => {
    await page.goto(`${url}examples/workers/`);
    await expect(page.getByRole('status')).toContainText('Cross-Origin-Opener-Policy');
  });
});

test.describe('the React app', () => {
  test.use({ viewport: { width: 480, height: 360 } }); // drawn by software
  test.beforeAll(() =>
    build({ configFile: `${ROOT}examples/react-three/vite.config.mjs`, logLevel: 'warn' }),
  );

  test('draws frames out of shared memory, and again out of the same', async ({ page }) => {
    const errors = watchErrors(page);
    await withServer('build/examples/react-three', true, async (url) => {
      await page.goto(url);
      const status = page.getByRole('status');
      await expect(status).toHaveText(/^(31|61|91) frames drawn/, { timeout: 60_000 });
      await expect.poll(() => colorsOf(page)).toBeGreaterThan(20); // not each frame is drawn anew
      await page.getByRole('slider').fill('3');
      await expect(status).toHaveText(/^(121|151|181) frames drawn/, { timeout: 60_000 });
      const [, kib] = (await status.textContent())?.match(/, (\d+) KiB/) ?? [];
      expect(Number(kib)).toBeGreaterThan(0);
      expect(Number(kib)).toBeLessThan(8 << 10); // 120 frames would take 13 MiB
    });
    expect(errors).toEqual([]);
  });

  test('says what is missing without isolation', async ({ page }) => {
    await withServer('build/examples/react-three', false, async (url) => {
      await page.goto(url);
      await expect(page.getByRole('alert')).toContainText('Cross-Origin-Opener-Policy');
    });
  });
});
