/**
 * The machine's own programs: what they are needed for, and the Debian package of each.
 */
import { Problem, step, which } from '../run.mjs';
import { install } from './debian.mjs';

/** @type {Record<string, string>} program: package */
export const BUILDING = {
  cmake: 'cmake',
  ninja: 'ninja-build',
  python3: 'python3', // emcc is written in it
};

/** @type {Record<string, string>} */
export const BROWSER = { chromium: 'chromium' };

/** @type {Record<string, string>} */
export const TESTING = {
  gcc: 'gcc',
  'g++': 'g++',
  'pkg-config': 'pkgconf',
  git: 'git',
  xz: 'xz-utils',
  'clang-format': 'clang-format',
  'clang-tidy': 'clang-tidy',
  'firefox-esr': 'firefox-esr',
  ...BROWSER,
};

/** For the tests in WebKitGTK, which `npm run prove` brings and `npm test` uses where it is. @type {Record<string, string>} */
export const WEBKIT = { WebKitWebDriver: 'webkit2gtk-driver', Xvfb: 'xvfb' };

/** @param {Record<string, string>} programs */
export async function setUpSystem(programs) {
  const missing = Object.entries(programs).filter(([program]) => !which(program));
  if (!missing.length) return;
  const packages = missing.map(([, name]) => name);
  await step(`Programs: installing ${packages.join(', ')}`, () => install(packages));
  const still = missing.filter(([program]) => !which(program)).map(([program]) => program);
  if (still.length) throw new Problem(`Installed, but not on PATH: ${still.join(', ')}`);
}

/** Node itself, which cannot be installed from here. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Problem(
    `Node ${process.versions.node} is too old: walloc is built with 20.19 or newer. Get one from your ` +
      "system's packages or from nodejs.org, put it first on PATH and run this again.",
  );
}
