/**
 * What the tests of the demo pages share: opening a page while watching for errors, waiting for its
 * result, and reaching into the memory that it shares.
 */
import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';

/** @typedef {import('@playwright/test').Page} BrowserPage */
/** @typedef {{ id: string, name: string, passed: boolean, detail: string }} Outcome */

export const PAGES = ['simulation.html', 'stress.html', 'memory.html'];

/** The other demos, with settings that keep a run short, and what then happens by itself. */
export const DEMOS = [
  { name: 'map', query: 'workers=2' },
  { name: 'contention', query: 'threads=2&milliseconds=20' },
  { name: 'kill', query: 'workers=2' },
  { name: 'stale', query: 'way=reset' },
  { name: 'compare', query: 'objects=500&frames=10' },
  { name: 'upload', query: 'heap=16&block=64&frames=3' },
];

/**
 * Everything that a page complains about from now on.
 *
 * @param {BrowserPage} page
 */
export function watchErrors(page) {
  /** @type {string[]} */
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return errors;
}

/**
 * Opens a page of build/www, which must be cross-origin isolated.
 *
 * @param {BrowserPage} page
 * @param {string} address relative to the server, with its query
 */
export async function open(page, address) {
  await page.goto(address);
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
}

/**
 * What a page leaves in `window` when it has ended.
 *
 * @param {BrowserPage} page
 * @param {'simulationResult' | 'stressResult' | 'memoryResult' | 'demoResult'} name
 * @returns {Promise<any>}
 */
export async function resultOf(page, name) {
  const result = await page.waitForFunction((key) => /** @type {any} */ (globalThis)[key], name);
  return result.jsonValue();
}

/**
 * What keeps people from using the page, or a part of it: nothing. Only that is collected; and as no page has frames, there
 * is no need for axe's second page, in which it puts together what it found in each.
 *
 * @param {BrowserPage} page
 * @param {string} [part] a selector
 */
export async function expectNoViolations(page, part = 'html') {
  const axe = new AxeBuilder({ page }).include(part).options({ resultTypes: ['violations'] });
  const { violations } = await axe.setLegacyMode().analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`)).toEqual([]);
}

/** By how many pixels a page is wider than its window. @param {BrowserPage} page */
export const overflowOf = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export const PHONE = { width: 360, height: 740 };

/** @param {Outcome[]} checks */
export const failedOf = (checks) => checks.filter((check) => !check.passed);

/**
 * One check of a result.
 *
 * @param {{ checks: Outcome[] }} result
 * @param {string} id
 */
export function checkOf({ checks }, id) {
  const found = checks.find((check) => check.id === id);
  if (!found) throw new Error(`no check ${id}`);
  return found;
}

/**
 * Runs `meddle` on the page before a call goes to a worker, with the memory that both share: to do what
 * must not happen, and see whether the page notices.
 *
 * @param {BrowserPage} page not opened yet
 * @param {(memory: WebAssembly.Memory, call: { name: string, argument: any }) => void} meddle
 *   self-contained: it is sent to the page as text
 */
export async function meddleBeforeCalls(page, meddle) {
  await page.addInitScript(`{
    const meddle = ${meddle};
    const post = Worker.prototype.postMessage;
    let memory;
    WebAssembly.Memory = class extends WebAssembly.Memory {
      constructor(description) {
        super(description);
        memory = this;
      }
    };
    Worker.prototype.postMessage = function (message, ...rest) {
      meddle(memory, message);
      return post.call(this, message, ...rest);
    };
  }`);
}
