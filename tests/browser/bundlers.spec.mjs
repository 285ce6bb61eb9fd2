/**
 * The example programs of examples/bundlers, built by each bundler from the packed package, and run; and served
 * without a bundler, and without headers.
 */
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { ROOT, run } from '../../scripts/run.mjs';
import { serve } from '../../scripts/serve-folder.mjs';
import { freshProgram } from '../package/pack.mjs';
import { watchErrors } from './pages.mjs';

const SHARED = 'shared: a worker adds up 499500';

/** @type {string} */
let folder;
/** Where each bundler writes to, emptied before. */
const dist = () => `${folder}/dist`;

/** What Rollup and esbuild leave to their users: the page, and walloc.wasm. @param {string} entry */
function complete(entry) {
  const wasm = `${folder}/node_modules/@walloc/walloc/workers/walloc.wasm`;
  copyFileSync(wasm, `${dist()}/walloc.wasm`);
  writePage(entry);
}

/** @param {string} entry */
function writePage(entry) {
  const page = readFileSync(`${folder}/index.html`, 'utf8');
  writeFileSync(`${dist()}/index.html`, page.replace('./src/index.js', `./${entry}`));
}

/** @type {Record<string, () => Promise<unknown>>} */
const BUNDLERS = {
  vite: () => run('npx', ['vite', 'build', '--logLevel', 'warn'], { cwd: folder }),
  webpack: async () => {
    const { default: webpack } = await import('webpack');
    const stats = await new Promise((resolve, reject) =>
      webpack({ context: folder, mode: 'production', output: { path: dist() } }, (error, result) =>
        error ? reject(error) : resolve(result),
      ),
    );
    expect(stats.toString({ all: false, errors: true, warnings: true })).toBe('');
    writePage('main.js');
  },
  rollup: async () => {
    const entries = ['src/index.js', 'src/worker.js'];
    const args = [...entries, '-d', 'dist', '-p', 'node-resolve', '--failAfterWarnings'];
    await run('npx', ['rollup', ...args], { cwd: folder });
    complete('index.js');
  },
  esbuild: async () => {
    const entries = ['src/index.js', 'src/worker.js'];
    const args = [...entries, '--bundle', '--format=esm', '--outdir=dist', '--log-level=warning'];
    await run('npx', ['esbuild', ...args], { cwd: folder });
    complete('index.js');
  },
};

// Bundlers take seconds, on a busy machine minutes.
test.describe.configure({ timeout: 300_000 });

test.beforeAll(async () => {
  ({ folder } = await freshProgram('bundlers', 'examples/bundlers'));
});

/**
 * @param {import('@playwright/test').Page} page
 * @param {string} files
 * @param {{ isolated: boolean, says: string }} expected
 */
async function expectPage(page, files, { isolated, says }) {
  const errors = watchErrors(page);
  const server = await serve(files, { isolated });
  try {
    await page.goto(server.url);
    await expect(page.locator('body')).toHaveText(says, { timeout: 60_000 });
    expect(errors).toEqual([]);
  } finally {
    await server.close();
  }
}

for (const [name, build] of Object.entries(BUNDLERS)) {
  test(`${name} builds the example without configuration`, async ({ page }) => {
    rmSync(dist(), { recursive: true, force: true });
    await build();
    await expectPage(page, dist(), { isolated: true, says: SHARED });
    if (name !== 'vite') return;
    await expectPage(page, dist(), {
      isolated: false,
      says: 'single: the page adds up 499500',
    });
  });
}

test('a static server without headers serves an isolated page by a service worker', async ({
  page,
}) => {
  const files = `${folder}/static`;
  cpSync(`${folder}/node_modules/@walloc/walloc/workers`, `${files}/walloc`, { recursive: true });
  const serviceWorker = `${ROOT}node_modules/coi-serviceworker/coi-serviceworker.js`;
  copyFileSync(serviceWorker, `${files}/coi-serviceworker.js`);
  await expectPage(page, files, { isolated: false, says: SHARED });
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
});
