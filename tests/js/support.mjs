/**
 * What the tests of the JavaScript API share.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Walloc } from '../../workers/walloc.js';

export const MIB = 1 << 20;

export const wasm = new Uint8Array(
  readFileSync(new URL('../../workers/walloc.wasm', import.meta.url)),
);

/**
 * A walloc with little memory, shut down when the test ends, so that tests do not pile up memories.
 *
 * @param {import('node:test').TestContext} t
 * @param {Parameters<typeof Walloc.create>[0]} [options]
 */
export async function createFor(t, options) {
  const walloc = await Walloc.create({ maximum: 64 * MIB, reserve: MIB, ...options });
  t.after(() => walloc.detach());
  return walloc;
}

/**
 * That a call throws this class of error with this code, and a message that says all of these.
 *
 * @param {() => unknown} call
 * @param {typeof import('../../workers/walloc.js').WallocError} Class
 * @param {string} code
 * @param {RegExp[]} said
 */
export function throwsError(call, Class, code, ...said) {
  assert.throws(call, (/** @type {unknown} */ error) => {
    assert.ok(error instanceof Class, `${error} is not a ${Class.name}`);
    assert.equal(error.code, code);
    for (const pattern of said) assert.match(error.message, pattern);
    return true;
  });
}

/**
 * @param {Promise<unknown>} promise
 * @param {typeof import('../../workers/walloc.js').WallocError} Class
 * @param {string} code
 * @param {RegExp[]} said
 */
export async function rejectsWith(promise, Class, code, ...said) {
  const failure = await promise.then(
    () => assert.fail('not refused'),
    (error) => error,
  );
  throwsError(
    () => {
      throw failure;
    },
    Class,
    code,
    ...said,
  );
}

/** @type {Set<Worker>} */
const workers = new Set();

/* A test that fails leaves its workers behind, which would keep the process alive. */
after(() => Promise.all([...workers].map((worker) => worker.terminate())));

/** A worker that does what it is asked, one thing at a time: see worker.mjs. */
export class Helper {
  /**
   * @param {import('../../workers/api/walloc.js').Handle} handle
   * @param {string} [file] of its tasks
   */
  constructor(handle, file = './worker.mjs') {
    this.worker = new Worker(new URL(file, import.meta.url), { workerData: handle });
    workers.add(this.worker);
    this.worker.once('exit', () => workers.delete(this.worker));
  }

  /**
   * @param {string} name of a task in worker.mjs
   * @param {unknown} [argument]
   * @returns {Promise<any>} what it returned; rejects with the code or the text of its error
   */
  async call(name, argument) {
    this.worker.postMessage({ name, argument });
    const [{ result, error }] = await once(this.worker, 'message');
    if (error) throw new Error(error);
    return result;
  }

  /** Lets it detach, and waits until it has ended. */
  async end() {
    this.worker.postMessage({ name: 'end' });
    await once(this.worker, 'exit');
  }
}
