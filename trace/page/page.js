/**
 * The page that replays a trace: hands a file to walloc-replay, in a worker, and shows what it prints.
 */
const form = /** @type {HTMLFormElement} */ (document.querySelector('form'));
const status = /** @type {HTMLElement} */ (document.querySelector('[role=status]'));
const alert = /** @type {HTMLElement} */ (document.querySelector('[role=alert]'));

/** @param {Uint8Array<ArrayBuffer>} bytes packed with gzip, or not */
async function unpack(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * @param {Uint8Array} trace
 * @param {string[]} settings times and threads
 * @returns {Promise<{ status: number, lines: string[], errors: string[] }>}
 */
function replay(trace, settings) {
  const worker = new Worker(new URL('run-worker.js?program=walloc-replay', import.meta.url));
  const ended = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message ?? 'The worker cannot be started'));
  });
  worker.postMessage({ settings: ['the trace', ...settings], trace });
  return ended.finally(() => worker.terminate());
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const data = new FormData(form);
  const [file, times, threads] = ['trace', 'times', 'threads'].map((name) => data.get(name));
  status.textContent = 'Replaying …';
  alert.textContent = '';
  try {
    const bytes = await unpack(new Uint8Array(await /** @type {File} */ (file).arrayBuffer()));
    const result = await replay(bytes, [String(times), String(threads)]);
    if (result.status !== 0) throw new Error(result.errors.join(' ') || 'It was aborted');
    const [operations, checksum, each] = result.lines.join('').split(' ');
    status.textContent = `${operations} operations, checksum ${checksum}, ${each} ns for each`;
  } catch (error) {
    status.textContent = '';
    alert.textContent = `Failed: ${/** @type {Error} */ (error).message}`;
  }
});

if (!globalThis.crossOriginIsolated) {
  form.hidden = true;
  alert.textContent =
    'This page is not cross-origin isolated: the server must send Cross-Origin-Opener-Policy: same-origin ' +
    'and Cross-Origin-Embedder-Policy: require-corp.';
}
