/**
 * Runs the programs of bench/heap, each run in a fresh worker, and fetches what they need.
 *
 * @typedef {import('../summary.mjs').Run} Run
 */
import { ALLOCATORS, commandOf } from '../summary.mjs';

/** Where the programs and the traces are. */
const FOLDER = new URL('..', import.meta.url);

/**
 * Milliseconds from the end of a program to that of its worker, in which the worker's own end: Chromium
 * keeps the memory for good when they are still there, and after some hundred runs has no room for more.
 */
const REST = 1000;

/** @param {string} path */
async function fetchBytes(path) {
  const response = await fetch(new URL(path, FOLDER));
  if (!response.ok) throw new Error(`${response.url} cannot be fetched: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** @param {Uint8Array<ArrayBuffer>} bytes packed, unless the server has let the browser unpack them */
async function unpack(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @type {Map<string, Uint8Array>} by name */
const traces = new Map();

/** @param {string} name */
async function fetchTrace(name) {
  const trace = traces.get(name) ?? (await unpack(await fetchBytes(`traces/${name}.trace.gz`)));
  traces.set(name, trace);
  return trace;
}

/**
 * What a worker says in the end.
 *
 * @param {Worker} worker
 * @param {AbortSignal} signal
 * @returns {Promise<{ status: number, lines: string[], errors: string[] }>}
 */
const answerOf = (worker, signal) =>
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message ?? 'A worker cannot be started'));
    signal.onabort = () => reject(signal.reason);
  });

/**
 * @param {string} bench
 * @param {string} allocator
 * @param {number} threads
 * @param {AbortSignal} signal
 * @returns {Promise<Run>}
 */
export async function runOnce(bench, allocator, threads, signal) {
  const { program, workload, trace: name } = commandOf(bench, allocator);
  const trace = name && (await fetchTrace(name));
  signal.throwIfAborted();
  const worker = new Worker(new URL(`run-worker.js?program=${program}`, import.meta.url));
  try {
    worker.postMessage({ settings: [workload, String(threads)], trace });
    const { status, lines, errors } = await answerOf(worker, signal);
    if (status !== 0) throw new Error(`${program} has failed (${status}). ${errors.join(' ')}`);
    setTimeout(() => worker.terminate(), REST);
    return JSON.parse(lines.join(''));
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/**
 * How large the module of a minimal program is.
 *
 * @returns {Promise<Record<string, number>>} by allocator
 */
export async function fetchSizes() {
  const sizes = ALLOCATORS.map(async (name) => {
    const { length } = await fetchBytes(`bench_minimal_${name}.wasm`);
    return [name, length];
  });
  return Object.fromEntries(await Promise.all(sizes));
}
