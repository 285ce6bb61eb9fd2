/**
 * Getting at the compiled walloc.wasm, which lies beside this file, and at shared memory for it.
 * Only the thread that creates walloc needs this; all others get both with the handle.
 */
import { WallocError, WallocOutOfMemory, WallocUnsupported } from './api/errors.js';

/** A module of nothing but a shared memory: valid where WebAssembly has threads. */
const THREADS_PROBE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1]);

const HEADERS =
  'Shared memory needs a current browser and a cross-origin isolated page. Serve it and its workers, ' +
  'from localhost or over HTTPS, with the headers "Cross-Origin-Opener-Policy: same-origin" and ' +
  '"Cross-Origin-Embedder-Policy: require-corp".';

/** Whether memory can be shared between threads here. */
export const canShare = () =>
  globalThis.crossOriginIsolated !== false &&
  typeof SharedArrayBuffer !== 'undefined' &&
  globalThis.WebAssembly?.validate(THREADS_PROBE);

/** What to do where it cannot. @param {string} [message] */
export const unsupported = (message = HEADERS) => new WallocUnsupported('UNSUPPORTED', message);

/**
 * A memory with the largest maximum that can be had: what was asked, or the half of it, and so on.
 *
 * @param {number} initial pages of 64 KiB
 * @param {number} maximum
 * @param {number} least maximum
 * @param {boolean} shared
 * @returns {[WebAssembly.Memory, number]} and its maximum
 */
export function createMemory(initial, maximum, least, shared) {
  for (let pages = maximum; ; pages = Math.max(least, pages >> 1)) {
    try {
      return [new WebAssembly.Memory({ initial, maximum: pages, shared }), pages];
    } catch (cause) {
      if (pages > least) continue;
      throw new WallocOutOfMemory(
        'OUT_OF_MEMORY',
        `No room for a memory of ${pages} pages: drop others, or pass a smaller maximum or reserve.`,
        { cause },
      );
    }
  }
}

/** The end of the module's import of its memory: the name, a memory, shared with a maximum. */
const SHARED_IMPORT = [...'memory'].map((letter) => letter.charCodeAt(0)).concat(2, 3);

/**
 * The same module for a memory that is not shared, which is one bit of it.
 *
 * @param {BufferSource} code
 */
function unshared(code) {
  const view = ArrayBuffer.isView(code) ? code : new Uint8Array(code);
  const bytes = new Uint8Array(view.byteLength);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  const at = bytes.findIndex((_byte, i) =>
    SHARED_IMPORT.every((wanted, j) => bytes[i + j] === wanted),
  );
  if (at >= 0) bytes[at + SHARED_IMPORT.length - 1] = 1;
  return bytes;
}

/**
 * The module and this thread's instance of it, from the module's address (relative to the page; default:
 * beside this file), its bytes, or itself. Throws LOAD, UNSUPPORTED.
 *
 * @param {URL | string | BufferSource | WebAssembly.Module | undefined} source
 * @param {WebAssembly.Imports} imports
 * @param {boolean} shared
 * @returns {Promise<[WebAssembly.Module, WebAssembly.Instance]>}
 */
export async function load(source = new URL('./walloc.wasm', import.meta.url), imports, shared) {
  const isAddress = typeof source === 'string' || source instanceof URL;
  if (!shared && source instanceof WebAssembly.Module) {
    throw unsupported(
      `A module cannot be made to run without shared memory: pass bytes. ${HEADERS}`,
    );
  }
  try {
    const code = isAddress ? await read(source) : source;
    const module =
      code instanceof WebAssembly.Module
        ? code
        : await WebAssembly.compile(shared ? code : unshared(code));
    return [module, await WebAssembly.instantiate(module, imports)];
  } catch (cause) {
    throw new WallocError(
      'LOAD',
      `${isAddress ? source : 'It'} is not walloc.wasm: ${cause}. Pass its address or its bytes as the option wasm.`,
      { cause },
    );
  }
}

/**
 * @param {URL | string} address
 * @returns {Promise<BufferSource>}
 */
async function read(address) {
  const url = new URL(address, globalThis.location?.href);
  if (url.protocol === 'file:') {
    // Node's fetch does not read files. Asked for in this way, bundlers for browsers see no import.
    return /** @type {any} */ (globalThis).process.getBuiltinModule('node:fs').readFileSync(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return response.arrayBuffer();
}
