/**
 * The pictures of the first page's cards: each demo in the middle of its work.
 */
import { mkdirSync } from 'node:fs';
import { ROOT } from '../run.mjs';

const FOLDER = `${ROOT}www/public/cards`;
const WIDTH = 960;
const HEIGHT = 600;
const SCALE = 2 / 3; // to 640 x 400
const TIMEOUT = 5 * 60_000;

/** A number in the text of an element, without its separators. Runs on the page. */
const numberIn = `(id) => Number((document.getElementById(id)?.textContent ?? '').replace(/[^0-9]/g, ''))`;
const isFlyingOver = `(section) => Number(/section (\\d+)/.exec(document.getElementById('stage-status').textContent)?.[1]) >= section`;
const isDone = `Boolean(window.demoResult ?? window.stressResult ?? window.memoryResult)`;

/** Settings of the simulation that come to the flight soon, and draw it in full however slow that is. */
export const FLIGHT = 'workload=normal&frames=60&sections=17&seed=1&adapt=0';

/** What software draws a second says nothing. */
export const HIDE_RATE = '#stage-status { visibility: hidden }';

/** What is opened, what is waited for, what is pressed and waited for then, and what is at the top of the picture. */
const CARDS = [
  {
    name: 'simulation',
    query: FLIGHT,
    until: `(${isFlyingOver})(13)`,
    top: '.stage-card',
  },
  { name: 'map', query: 'workers=3', until: `(${numberIn})('frames') >= 250`, top: 'walloc-map' },
  { name: 'compare', query: 'objects=10000&frames=200', until: isDone, top: '.trial' },
  { name: 'contention', query: 'threads=8&milliseconds=200', until: isDone, top: '.trial' },
  { name: 'stress', query: 'workers=4&seconds=3&seed=1', until: isDone, top: '.trial' },
  {
    name: 'kill',
    query: 'workers=4',
    until: `(${numberIn})('blocks') >= 200000`,
    press: '#workers-list li:nth-child(2) button',
    then: `(${numberIn})('recovered') >= 1`,
    top: '.trial',
  },
  { name: 'stale', query: 'way=reset', until: isDone, top: '.trial' },
  { name: 'upload', query: 'frames=20', until: isDone, top: '.trial' },
  { name: 'memory', query: 'workers=2', until: isDone, top: '.trial' },
];

/**
 * @param {import('@playwright/test').Browser} browser
 * @param {string} url of the pages
 * @param {string[]} names all without them
 */
export async function takeCards(browser, url, names) {
  mkdirSync(FOLDER, { recursive: true });
  for (const { name, query, until, press, then, top } of CARDS) {
    if (names.length > 0 && !names.includes(name)) continue;
    const page = await browser.newPage({
      viewport: { width: WIDTH, height: HEIGHT },
      deviceScaleFactor: SCALE,
      colorScheme: 'dark',
    });
    await page.goto(new URL(`${name}.html?autostart=1&${query}`, url).href);
    await page.waitForFunction(until, undefined, { timeout: TIMEOUT });
    if (press && then) {
      await page.locator(press).click();
      await page.waitForFunction(then, undefined, { timeout: TIMEOUT });
    }
    await page
      .locator(top)
      .first()
      .evaluate((element) => {
        scrollTo(0, element.getBoundingClientRect().top + scrollY - 8);
      });
    await page.addStyleTag({ content: HIDE_RATE });
    await page.screenshot({ path: `${FOLDER}/${name}.jpg`, type: 'jpeg', quality: 75 });
    await page.close();
    console.log(`${name}.jpg`);
  }
}
