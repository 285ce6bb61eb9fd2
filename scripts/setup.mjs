/**
 * Brings what building and testing walloc needs; what is there already costs nothing.
 *
 *     npm run setup
 */
import { isMain, script } from './run.mjs';
import { setUpCmocka } from './setup/cmocka.mjs';
import { setUpEmscripten } from './setup/emscripten.mjs';
import { setUpPackages } from './setup/packages.mjs';
import { BROWSER, BUILDING, TESTING, requireNode, setUpSystem } from './setup/system.mjs';

/** What the pages need to be built and served: cmocka too, as the program on contention is built among the tests. */
export async function setUpForPages() {
  requireNode();
  await setUpSystem(BUILDING);
  const [emscripten] = await Promise.all([setUpEmscripten(), setUpPackages()]);
  await setUpCmocka();
  process.env.WALLOC_EMSCRIPTEN = emscripten;
}

/** And to be run here without a window. */
export const setUpBrowser = () => setUpSystem(BROWSER);

/** What the native builds need. */
export async function setUpForNative() {
  requireNode();
  await setUpSystem({ ...BUILDING, ...TESTING });
  await setUpCmocka();
}

/** Everything. */
export async function setUpForTests() {
  await setUpForNative();
  await setUpForPages();
}

if (isMain(import.meta.url)) {
  script(async () => {
    await setUpForTests();
    console.log(`Ready. Emscripten: ${process.env.WALLOC_EMSCRIPTEN}`);
  });
}
