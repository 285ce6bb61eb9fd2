/**
 * Getting at the compiled walloc.wasm, which lies beside this file, and at shared memory for it.
 * Only the thread that creates walloc needs this; all others get both with the handle.
 */
import { WallocError, WallocOutOfMemory, WallocUnsupported } from './api/errors.js';

/** A module of nothing but a shared memory: valid where WebAssembly has threads. */
const THREADS_PROBE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1]);

/** Throws WallocUnsupported where memory cannot be shared between threads, and says what to do. */
export function requireSharedMemory() {
  if (
    globalThis.crossOriginIsolated === false ||
    typeof SharedArrayBuffer === 'undefined' ||
    !globalThis.WebAssembly?.validate(THREADS_PROBE)
  ) {
    throw new WallocUnsupported(
      'UNSUPPORTED',
      'Shared memory needs a current browser and a cross-origin isolated page. Serve it and its workers, ' +
        'from localhost or over HTTPS, with the headers "Cross-Origin-Opener-Policy: same-origin" and ' +
        '"Cross-Origin-Embedder-Policy: require-corp".',
    );
  }
}

/**
 * @param {number} initial pages of 64 KiB
 * @param {number} maximum
 */
export function createMemory(initial, maximum) {
  try {
    return new WebAssembly.Memory({ initial, maximum, shared: true });
  } catch (cause) {
    throw new WallocOutOfMemory(
      'OUT_OF_MEMORY',
      `No room for a memory of ${maximum} pages: drop others, or pass a smaller maximum.`,
      { cause },
    );
  }
}

/**
 * The module and this thread's instance of it, from the module's address (relative to the page; default:
 * beside this file), its bytes, or itself. Throws LOAD.
 *
 * @param {URL | string | BufferSource | WebAssembly.Module | undefined} source
 * @param {WebAssembly.Imports} imports
 * @returns {Promise<[WebAssembly.Module, WebAssembly.Instance]>}
 */
export async function load(source = new URL('./walloc.wasm', import.meta.url), imports) {
  const isAddress = typeof source === 'string' || source instanceof URL;
  try {
    const code = isAddress ? await read(source) : source;
    const module = code instanceof WebAssembly.Module ? code : await WebAssembly.compile(code);
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
