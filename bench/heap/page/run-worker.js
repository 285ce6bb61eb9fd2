/**
 * One run of a program of bench/heap, and each of its threads: Emscripten starts those from this same
 * address, with a name of their own.
 *
 * Classic, as the programs are. The block keeps its names out of theirs.
 */
{
  const scope = /** @type {any} */ (self);
  const program = new URLSearchParams(location.search).get('program');
  const load = () => scope.importScripts(`../${program}.js`);

  /** @param {{ settings: string[], trace?: Uint8Array }} message */
  const run = ({ settings, trace }) => {
    /** @type {string[]} */
    const lines = [];
    /** @type {string[]} */
    const errors = [];
    scope.Module = {
      arguments: settings,
      trace,
      locateFile: (/** @type {string} */ name) => `../${name}`,
      print: (/** @type {string} */ line) => lines.push(line),
      printErr: (/** @type {string} */ line) => errors.push(line),
      onExit: (/** @type {number} */ status) => scope.postMessage({ status, lines, errors }),
    };
    scope.onerror = (/** @type {string} */ message) => {
      scope.postMessage({ status: -1, lines, errors: [...errors, message] });
    };
    load();
  };

  if (scope.name === 'em-pthread') {
    load();
  } else {
    scope.onmessage = (/** @type {MessageEvent} */ { data }) => run(data);
    // A failure that nobody awaits is an error like others.
    scope.onunhandledrejection = (/** @type {PromiseRejectionEvent} */ { reason }) => {
      throw reason;
    };
  }
}
