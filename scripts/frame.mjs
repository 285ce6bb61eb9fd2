/**
 * What the pages have in common: each demo of www/demos.json is put into the frame of www/frame/page.html, and
 * has a card on the first page. A plugin of Vite's.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ROOT, readJson } from './run.mjs';

/**
 * @typedef {object} Demo
 * @property {string} page the name of its file and folder
 * @property {string} title
 * @property {string} about at the top of the page
 * @property {string} text on its card
 * @property {string} facts how it runs by default
 */

/** @type {Demo[]} in the order of the cards */
export const DEMOS = readJson(`${ROOT}www/demos.json`);

/**
 * The template with values in the place of their names.
 *
 * @param {string} name of a file in www/frame
 * @param {Record<string, string>} values
 */
const filled = (name, values) =>
  readFileSync(`${ROOT}www/frame/${name}.html`, 'utf8').replace(
    /\{(\w+)\}/g,
    (_, key) => values[key],
  );

/** @param {string} html @param {string} page */
function framed(html, page) {
  const demo = DEMOS.find((one) => one.page === page);
  if (demo) return html.replace(/<main[^]*<\/main>/, (main) => filled('page', { ...demo, main }));
  return html.replace('<!-- cards -->', () =>
    DEMOS.map((one) => filled('card', { ...one })).join(''),
  );
}

export const putIntoFrame = () => ({
  name: 'put-into-frame',
  transformIndexHtml: {
    order: /** @type {const} */ ('pre'),
    handler: (/** @type {string} */ html, /** @type {{ filename: string }} */ { filename }) =>
      framed(html, basename(filename, '.html')),
  },
});
