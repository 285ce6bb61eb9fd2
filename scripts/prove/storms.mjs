/**
 * The kill storms at full length: 10,000 kills, or as many as said, in Node, Firefox and Chromium. `npm test` runs a
 * tenth of that.
 *
 *     node scripts/prove/storms.mjs [kills]        WALLOC_SEED=... repeats the choices of a run
 */
import { run, script, step } from '../run.mjs';
import { buildPages } from '../build.mjs';
import { setUpForTests } from '../setup.mjs';

/** The share of each, by what a kill costs there. */
const NODE = 0.64;
const FIREFOX = 0.24;

const [wanted = '10000'] = process.argv.slice(2);
const kills = Number(wanted);

/**
 * @param {number} count
 * @param {string[]} command
 */
const storm = (count, [program, ...args]) =>
  run(program, args, { show: true, env: { WALLOC_STORM_KILLS: String(count) } });

script(async () => {
  if (!(kills >= 40)) throw new Error(`How many kills? Not ${wanted}: 40 or more.`);
  await setUpForTests();
  await buildPages();
  const inNode = Math.round(kills * NODE);
  const inFirefox = Math.round(kills * FIREFOX);
  const inChromium = kills - inNode - inFirefox;
  const browser = ['npx', 'playwright', 'test', 'browser/storms.spec.mjs', '--project'];
  await step(`${inNode} kills in Node`, () =>
    storm(inNode, ['node', '--test', '--test-reporter=spec', 'tests/js/storms.test.mjs']),
  );
  await step(`${inFirefox} kills in Firefox`, () => storm(inFirefox, [...browser, 'firefox']));
  await step(`${inChromium} kills in Chromium`, () => storm(inChromium, [...browser, 'chromium']));
});
