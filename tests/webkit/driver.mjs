/**
 * WebKitGTK's browser on a display of its own, driven by WebDriver over HTTP.
 *
 * Shared memory is off there by default: it is switched on by an environment variable of the engine. What passes
 * here says that the engine can do it, and not what users of Safari have.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, which } from '../../scripts/run.mjs';
import { WEBKIT } from '../../scripts/setup/system.mjs';

const BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';

/** Programs that are not installed. */
export const missing = () => Object.keys(WEBKIT).filter((program) => !which(program));

/** A display without a screen: Xvfb chooses a free number, and writes it when it can be used. */
async function startDisplay() {
  const args = ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'];
  const server = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const [number] = await once(
    /** @type {import('node:stream').Readable} */ (server.stdio[3]),
    'data',
  );
  return { display: `:${String(number).trim()}`, end: () => server.kill() };
}

/** @param {string} address */
const connection =
  (address) =>
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  async (method, path, body) => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const { value } = /** @type {any} */ (await response.json());
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };

/** Asks until the driver answers. @param {ReturnType<typeof connection>} call */
async function answering(call) {
  for (let tries = 0; ; tries++) {
    try {
      return await call('GET', '/status');
    } catch (error) {
      if (tries === 600) throw error;
      await pause(100);
    }
  }
}

/**
 * Opens a browser.
 *
 * @returns {Promise<{
 *   open: (url: string) => Promise<unknown>,
 *   evaluate: <T>(page: () => Promise<T>) => Promise<T>,
 *   end: () => Promise<void>,
 * }>} evaluate runs a function in the page; it sees nothing from around it
 */
export async function startWebKit() {
  const { display, end: endDisplay } = await startDisplay();
  const port = await freePort();
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
    stdio: 'ignore',
    env: {
      ...process.env,
      DISPLAY: display,
      JSC_useSharedArrayBuffer: '1',
      LIBGL_ALWAYS_SOFTWARE: '1',
      // As root there is no sandbox to be had.
      ...(process.getuid?.() === 0 ? { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' } : {}),
    },
  });
  const ended = once(driver, 'exit');
  const endAll = async () => {
    driver.kill();
    await ended;
    endDisplay();
  };
  try {
    const call = connection(`http://127.0.0.1:${port}`);
    await answering(call);
    const browser = { binary: BROWSER, args: ['--automation'] };
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': browser } };
    const { sessionId } = await call('POST', '/session', { capabilities });
    const session = `/session/${sessionId}`;
    await call('POST', `${session}/timeouts`, { script: 120_000, pageLoad: 120_000 });
    return {
      open: (url) => call('POST', `${session}/url`, { url }),
      evaluate: async (page) => {
        const script = `const done = arguments[0];
          (${page})().then((value) => done({ value }), (error) => done({ error: String(error) }));`;
        const { value, error } = await call('POST', `${session}/execute/async`, {
          script,
          args: [],
        });
        if (error) throw new Error(error);
        return value;
      },
      end: async () => {
        // The browser may take its answer with it.
        await call('DELETE', session).catch(() => undefined);
        await endAll();
      },
    };
  } catch (error) {
    await endAll();
    throw error;
  }
}
