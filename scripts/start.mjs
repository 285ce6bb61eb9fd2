/**
 * Runs the demo: sets up what is missing, builds, serves the pages on an isolated origin.
 *
 *     npm start                      until Ctrl-C; prints the address
 *     npm start -- --headless        the simulation in headless Chromium: prints its console and a
 *                                    summary; the exit status is 0 when every check held
 *     npm start -- --port 8080
 */
import { parseArgs } from 'node:util';
import { Problem, script } from './run.mjs';
import { buildPages } from './build.mjs';
import { setUpBrowser, setUpForPages } from './setup.mjs';

const USAGE = 'npm start -- [--headless] [--port N]';

function readArguments() {
  try {
    const options = /** @type {const} */ ({
      headless: { type: 'boolean', default: false },
      port: { type: 'string', default: '5173' },
    });
    const { values } = parseArgs({ options });
    const port = Number(values.port);
    if (Number.isInteger(port) && port > 0 && port < 65536) return { ...values, port };
    throw new Error(`${values.port} is no port`);
  } catch (cause) {
    throw new Problem(`${/** @type {Error} */ (cause).message}\nUsage: ${USAGE}`, { cause });
  }
}

script(async () => {
  const { headless, port } = readArguments();
  await setUpForPages();
  if (headless) await setUpBrowser();
  await buildPages();
  // Only now: these come with the packages that have just been set up.
  const { servePages } = await import('./serve.mjs');
  const server = await servePages(port);
  if (!headless) {
    console.log(`\nThe demo is at ${server.url} (Ctrl-C ends it)`);
    return;
  }
  try {
    const { runHeadless } = await import('./headless.mjs');
    process.exitCode = (await runHeadless(server.url)) ? 0 : 1;
  } finally {
    await server.close();
  }
});
