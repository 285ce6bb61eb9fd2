/**
 * The API over an Emscripten program that walloc is linked into, with libwalloc_javascript.a beside it: the
 * program's own walloc, memory and threads. Each of its threads has a Module object of its own.
 */
import { TYPE, errorFrom } from './errors.js';
import { Thread } from './thread.js';

const PREFIX = '_walloc_js_';

/**
 * What such a program's `Module` has for us, once it runs.
 *
 * @typedef {object} LinkedModule
 * @property {WebAssembly.Memory} [wallocMemory] set by its export enter
 * @property {(arena: number, needed: number, level: number) => number} [wallocPressure]
 */

/**
 * @param {LinkedModule} Module
 * @returns {[Thread, boolean]} the thread, and whether the program has started walloc already
 */
export function enterLinked(Module) {
  const named = Object.entries(Module ?? {}).filter(([name]) => name.startsWith(PREFIX));
  const wasm = /** @type {import('./thread.js').Exports} */ (
    /** @type {unknown} */ (
      Object.fromEntries(named.map(([name, value]) => [name.slice(PREFIX.length), value]))
    )
  );
  const isRunning = Boolean(wasm.enter?.());
  const memory = Module?.wallocMemory;
  if (!memory) {
    throw errorFrom(
      TYPE,
      'Walloc.from wants the Module of a program that runs, with libwalloc_javascript.a',
    );
  }
  const thread = new Thread(memory);
  thread.enter(wasm);
  Module.wallocPressure = thread.imports.walloc.pressure;
  return [thread, isRunning];
}
