/**
 * Takes the picture of the README: the built page in headless Chromium, in the middle of the frames.
 *
 *     node scripts/screenshot.mjs        writes docs/images/simulation.png; after npm run build
 */
import { mkdirSync, statSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { chromium as browserOptions } from '../playwright.config.mjs';
import { Problem, ROOT, script } from './run.mjs';
import { servePages } from './serve.mjs';

const PICTURE = 'docs/images/simulation.png';
const WIDTH = 1280;
const HEIGHT = 920;
const BYTES_MAX = 500_000;

/** When the textures of the second refill are drawn and the tiers are well filled. */
const FRAME = 100;
const FRAMES = 600; // more than are drawn until then, so that the run is not over
const TIMEOUT = 5 * 60_000;

/**
 * Drops the lowest two bits of each colour, which nobody sees: what is left takes two thirds of the bytes.
 *
 * @param {import('@playwright/test').Browser} browser
 * @param {Buffer} picture
 */
async function saveSmaller(browser, picture) {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
  await page.setContent('<body style="margin: 0"><canvas style="display: block"></canvas></body>');
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas'));
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.drawImage(bitmap, 0, 0);
    const image = context.getImageData(0, 0, canvas.width, canvas.height);
    image.data.forEach((value, i) => {
      if (i % 4 !== 3) image.data[i] = value & 0xfc;
    });
    context.putImageData(image, 0, 0);
  }, picture.toString('base64'));
  await page.screenshot({ path: `${ROOT}${PICTURE}` });
}

/** @param {string} url of the pages */
async function takePicture(url) {
  const browser = await chromium.launch(browserOptions);
  try {
    const page = await browser.newPage({
      viewport: { width: WIDTH, height: HEIGHT },
      colorScheme: 'dark',
    });
    const settings = `autostart=1&workers=4&workload=normal&frames=${FRAMES}&seed=1`;
    await page.goto(new URL(`?${settings}`, url).href);
    await page.waitForFunction(
      (frame) => {
        const text = document.getElementById('stage-status')?.textContent ?? '';
        return Number(/frame (\d+)/.exec(text)?.[1]) >= frame;
      },
      FRAME,
      { timeout: TIMEOUT },
    );
    const picture = await page.screenshot();
    await page.close();
    await saveSmaller(browser, picture);
  } finally {
    await browser.close();
  }
}

script(async () => {
  mkdirSync(`${ROOT}docs/images`, { recursive: true });
  const server = await servePages(4180);
  try {
    await takePicture(server.url);
  } finally {
    await server.close();
  }
  const { size } = statSync(`${ROOT}${PICTURE}`);
  if (size > BYTES_MAX) throw new Problem(`${PICTURE} has ${size} bytes, more than ${BYTES_MAX}`);
  console.log(`${PICTURE}: ${Math.round(size / 1024)} KiB`);
});
