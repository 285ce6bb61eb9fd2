/**
 * Runs the program bench/contention.c, and each of its threads: Emscripten starts those from this same
 * address, with a name of their own. Posts every line that it prints, and in the end its status.
 *
 * Classic, as the program is. It lies beside the program: see scripts/build.mjs.
 */
{
  const scope = /** @type {any} */ (self);
  const load = () => scope.importScripts('bench_contention.js');

  if (scope.name === 'em-pthread') {
    load();
  } else {
    scope.onmessage = (/** @type {MessageEvent<string[]>} */ { data }) => {
      /** @type {string[]} */
      const errors = [];
      scope.Module = {
        arguments: data,
        print: (/** @type {string} */ line) => scope.postMessage({ line }),
        printErr: (/** @type {string} */ line) => errors.push(line),
        onExit: (/** @type {number} */ status) =>
          scope.postMessage({ status, error: errors.join(' ') }),
      };
      load();
    };
    // A failure that nobody awaits is an error like others.
    scope.onunhandledrejection = (/** @type {PromiseRejectionEvent} */ { reason }) => {
      throw reason;
    };
  }
}
