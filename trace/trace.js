/* Brings the trace that a program replays into its memory; called on the main thread. Under Node it is in a file,
 * packed or not, that the environment's BENCH_TRACE or the first argument names; a page has put the unpacked
 * bytes into Module.trace. */
// @ts-nocheck: a template for Emscripten's linker, which puts it where these names are known.
/* global addToLibrary, Module, HEAPU8, readTraceFile */
addToLibrary({
  $readTraceFile: (name) => {
    const bytes = require('fs').readFileSync(name);
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? require('zlib').gunzipSync(bytes) : bytes;
  },
  fetch_trace__deps: ['$readTraceFile'],
  fetch_trace__proxy: 'sync',
  fetch_trace__sig: 'ipi', // so that a 64-bit address comes as a number
  fetch_trace: (to, most) => {
    const trace = Module['trace'] ?? readTraceFile(process.env.BENCH_TRACE ?? process.argv[2]);
    if (trace.length > most) return 0;
    HEAPU8.set(trace, to);
    return trace.length;
  },
});
