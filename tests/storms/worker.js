/**
 * A worker of a storm, in Node and in browsers: joins what it is sent, works, and says how it went.
 */
import { Walloc } from '../../workers/walloc.js';
import { attachDlmalloc } from './dlmalloc.js';
import { work } from './work.js';

/** @type {any} */
const port =
  /** @type {any} */ (globalThis).process?.getBuiltinModule('node:worker_threads').parentPort ??
  globalThis;

port.onmessage = async (/** @type {MessageEvent} */ { data: { handle, job } }) => {
  try {
    if (handle.dlmalloc) {
      port.postMessage({ failures: work(job, await attachDlmalloc(handle), handle.memory) });
    } else {
      const walloc = await Walloc.attach(handle);
      port.postMessage({ failures: work(job, walloc.heap, handle.memory, walloc) });
      walloc.detach();
    }
  } catch (error) {
    port.postMessage({ failures: [String(error)] });
  }
};
