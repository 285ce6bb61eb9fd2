/**
 * What all scripts share: where things are, running other programs, and telling how far one has come.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What is fetched once for all checkouts of this user. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'walloc');

/** A failure that the reader can mend: printed without a stack. */
export class Problem extends Error {}

/**
 * Runs a program and resolves with what it printed.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {object} [options]
 * @param {boolean} [options.show] pass on what it prints while it runs
 * @param {boolean} [options.mayFail] resolve although it failed
 * @param {string} [options.cwd]
 * @param {Record<string, string | undefined>} [options.env] added to the environment
 * @param {number} [options.minutes] after which it is killed, with all that it started
 * @returns {Promise<{ output: string, status: number }>}
 */
export function run(
  program,
  args,
  { show = false, mayFail = false, cwd = ROOT, env = {}, minutes = 0 } = {},
) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: minutes > 0, // a process group of its own
    });
    let output = '';
    const kill = () => {
      if (minutes > 0 && child.pid) process.kill(-child.pid, 'SIGKILL');
    };
    const onInterrupt = () => {
      kill();
      process.exit(130);
    };
    const onTime = () => {
      console.error(`✗ ${program} did not end within ${minutes} minutes, and was killed`);
      kill();
    };
    const limit = minutes > 0 ? setTimeout(onTime, minutes * 60_000) : undefined;
    if (limit) process.once('SIGINT', onInterrupt);
    for (const [from, to] of /** @type {const} */ ([
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])) {
      from.on('data', (data) => {
        output += data;
        if (show) to.write(data);
      });
    }
    child.on('error', (cause) => {
      reject(new Problem(`${program} cannot be started: ${cause.message}`, { cause }));
    });
    child.on('close', (code) => {
      clearTimeout(limit);
      process.off('SIGINT', onInterrupt);
      const status = code ?? 1;
      if (status === 0 || mayFail) return resolve({ output, status });
      const last = show ? '' : `\n${output.trimEnd().split('\n').slice(-30).join('\n')}`;
      reject(new Problem(`${[program, ...args].join(' ')} failed (${code})${last}`));
    });
  });
}

/** A port that nobody listens on at the moment, for the server of the browser tests. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

/**
 * Says what begins, that it is still going on, and how long it took.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  console.log(`▸ ${title}`);
  const heartbeat = setInterval(() => console.log(`  … ${seconds()} s`), 15_000);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if (seconds() > 0) console.log(`  ${seconds()} s`);
  }
}

/**
 * The path of a program, undefined when there is none.
 *
 * @param {string} name
 * @param {string} [path] folders, as PATH has them
 */
export function which(name, path = process.env.PATH ?? '') {
  const folders = path.split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** @param {string} path */
export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * The whole of a script: runs it, prints a problem plainly, sets the exit status.
 *
 * @param {() => Promise<unknown>} main
 */
export async function script(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Problem ? `\n✗ ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** @param {string} url import.meta.url: whether that file is the one that node was started with */
export const isMain = (url) => process.argv[1] === fileURLToPath(url);
