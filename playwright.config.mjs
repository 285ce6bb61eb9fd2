/**
 * Browser tests: the built pages of build/www in the machine's own Chromium; what the package does in browsers, and how
 * an engine ends workers, in Firefox, too.
 *
 * SharedArrayBuffer is never forced by a flag: the servers send the headers, and tests assert that the
 * page is isolated. Two files at a time: each takes several threads, but waits as often, for the browser to start
 * or a worker to die. No limit of time is there to be met, only to name a test that hangs.
 */
import { defineConfig } from '@playwright/test';

/** `npm test` looks for a free one. */
export const PORT = Number(process.env.WALLOC_PORT ?? 4173);

/** Debian's Chromium; without the sandbox where a container forbids it, and without talking to anybody. */
export const chromium = {
  executablePath: process.env.WALLOC_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** Debian's Firefox, which Playwright drives as it is. */
const firefox = {
  executablePath: process.env.WALLOC_FIREFOX ?? '/usr/bin/firefox-esr',
  timeout: 120_000,
};

const inChromium = {
  use: { browserName: /** @type {const} */ ('chromium'), launchOptions: chromium },
};

const SIMULATION = /\/(simulation|flight)\.spec/;

export default defineConfig({
  testDir: 'tests/browser',
  outputDir: 'build/test-results',
  timeout: 240_000,
  expect: { timeout: 60_000 },
  workers: 2,
  retries: 0,
  reporter: [['list']],
  use: { baseURL: `http://localhost:${PORT}`, screenshot: 'only-on-failure' },
  webServer: {
    command: `npx vite preview --port ${PORT} --strictPort`,
    url: `http://localhost:${PORT}/`,
    reuseExistingServer: false,
    timeout: 180_000,
  },
  projects: [
    // Those that take longest begin first, so that the end does not wait for one of them.
    { ...inChromium, name: 'chromium, simulation', testMatch: SIMULATION },
    { ...inChromium, name: 'chromium', testIgnore: SIMULATION },
    {
      name: 'firefox',
      testMatch: /\/(api|queue|storms)\.spec/,
      use: { browserName: 'firefox', channel: 'moz-firefox', launchOptions: firefox },
    },
  ],
});
