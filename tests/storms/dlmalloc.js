/**
 * The SDK's dlmalloc, as a module that plain workers instantiate on a shared memory: see dlmalloc_platform.c.
 *
 *     | the module's data | stack of thread 0 | stack of thread 1 | ... | blocks, from 32 MiB on
 */
const STACKS = 1 << 20;
const STACK = 1 << 16;

/**
 * @typedef {object} DlmallocHandle
 * @property {WebAssembly.Module} dlmalloc
 * @property {WebAssembly.Memory} memory
 * @property {number} thread below 256, no other living one's
 */

/**
 * @param {BufferSource} code
 * @returns {Promise<DlmallocHandle>}
 */
export async function createDlmalloc(code) {
  const memory = new WebAssembly.Memory({ initial: 1024, maximum: 4096, shared: true });
  return { dlmalloc: await WebAssembly.compile(code), memory, thread: 0 };
}

/**
 * The calling thread's instance.
 *
 * @param {DlmallocHandle} handle
 * @returns {Promise<import('./work.js').Heap>}
 */
export async function attachDlmalloc({ dlmalloc, memory, thread }) {
  const { exports } = await WebAssembly.instantiate(dlmalloc, { env: { memory } });
  const { malloc, free, __stack_pointer, __wasm_init_tls } = /** @type {any} */ (exports);
  const stack = STACKS + thread * STACK;
  __stack_pointer.value = stack + STACK;
  __wasm_init_tls(stack);
  return { malloc, free };
}
