/**
 * Takes the pictures, of the built pages in headless Chromium: after npm run build.
 *
 *     node scripts/screenshot.mjs          those of the README: docs/images
 *     node scripts/screenshot.mjs cards    those of the first page: www/public/cards; or those that are named
 */
import { mkdirSync, statSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { chromium as browserOptions } from '../playwright.config.mjs';
import { Problem, ROOT, script } from './run.mjs';
import { FLIGHT, HIDE_RATE, takeCards } from './screenshot/cards.mjs';
import { servePages } from './serve.mjs';

const FOLDER = 'docs/images';
const WIDTH = 1280;
const HEIGHT = 860;
const BYTES_MAX = 500_000;
const TIMEOUT = 5 * 60_000;

/** What is opened, and what is waited for: the text of an element, and a number in it. */
const PICTURES = [
  {
    file: 'simulation.png',
    // In the second lap of the flight, drawn in full however slow that is.
    address: `simulation.html?autostart=1&${FLIGHT}`,
    element: 'stage-status',
    text: 'section',
    number: 13,
  },
];

/**
 * Drops the lowest two bits of each colour, which nobody sees: what is left takes two thirds of the bytes.
 *
 * @param {import('@playwright/test').Browser} browser
 * @param {Buffer} picture
 * @param {string} path
 */
async function saveSmaller(browser, picture, path) {
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
  await page.screenshot({ path });
  await page.close();
}

/**
 * @param {import('@playwright/test').Browser} browser
 * @param {string} url of the pages
 * @param {typeof PICTURES[number]} picture
 */
async function takePicture(browser, url, { file, address, element, text, number }) {
  const page = await browser.newPage({
    viewport: { width: WIDTH, height: HEIGHT },
    colorScheme: 'dark',
  });
  await page.goto(new URL(address, url).href);
  await page.waitForFunction(
    ([id, start, least]) => {
      const shown = document.getElementById(String(id))?.textContent ?? '';
      return shown.startsWith(String(start)) && Number(/\d+/.exec(shown)?.[0]) >= Number(least);
    },
    [element, text, number],
    { timeout: TIMEOUT },
  );
  await page.addStyleTag({ content: HIDE_RATE });
  const picture = await page.screenshot();
  await page.close();
  const path = `${ROOT}${FOLDER}/${file}`;
  await saveSmaller(browser, picture, path);
  const { size } = statSync(path);
  if (size > BYTES_MAX) throw new Problem(`${file} has ${size} bytes, more than ${BYTES_MAX}`);
  console.log(`${file}: ${Math.round(size / 1024)} KiB`);
}

script(async () => {
  mkdirSync(`${ROOT}${FOLDER}`, { recursive: true });
  const [what, ...names] = process.argv.slice(2);
  const server = await servePages(4180);
  const browser = await chromium.launch(browserOptions);
  try {
    if (what === 'cards') await takeCards(browser, server.url, names);
    else for (const picture of PICTURES) await takePicture(browser, server.url, picture);
  } finally {
    await browser.close();
    await server.close();
  }
});
