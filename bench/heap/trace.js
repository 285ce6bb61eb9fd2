/* Brings the trace that the program replays into its memory; called on the main thread. Under Node the
 * environment names a packed file; a page has put the unpacked bytes into Module.trace. */
// @ts-nocheck: a template for Emscripten's linker, which puts it where these names are known.
/* global addToLibrary, Module, HEAPU8 */
addToLibrary({
  fetch_trace__proxy: 'sync',
  fetch_trace: (to, most) => {
    const trace =
      Module['trace'] ??
      require('zlib').gunzipSync(require('fs').readFileSync(process.env.BENCH_TRACE));
    if (trace.length > most) return 0;
    HEAPU8.set(trace, to);
    return trace.length;
  },
});
