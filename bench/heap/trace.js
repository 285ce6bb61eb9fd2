/* Under Node the environment names the trace that the program replays; a page sets Module.trace itself. */
if (typeof process === 'object' && process.env.BENCH_TRACE && typeof require === 'function') {
  Module['trace'] = require('zlib').gunzipSync(require('fs').readFileSync(process.env.BENCH_TRACE));
}
