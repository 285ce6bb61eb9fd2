/**
 * Browser tests: the built pages of build/www in the machine's own Chromium; what the package does in browsers, and how
 * an engine ends workers, in Firefox, too.
 *
 * SharedArrayBuffer is never forced by a flag: the servers send the headers, and tests assert that the
 * page is isolated. Tests run one after the other: each takes several threads already.
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

export default defineConfig({
  testDir: 'tests/browser',
  outputDir: 'build/test-results',
  timeout: 120_000,
  workers: 1,
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
    { name: 'chromium', use: { browserName: 'chromium', launchOptions: chromium } },
    {
      name: 'firefox',
      testMatch: /\/(api|queue|storms)\.spec/,
      use: { browserName: 'firefox', channel: 'moz-firefox', launchOptions: firefox },
    },
  ],
});
