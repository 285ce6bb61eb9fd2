/* Whether a recording is wanted, and where it goes: see sink_memory.c. On the main thread, where a page's
 * Module is. */
// @ts-nocheck: a template for Emscripten's linker, which puts it where these names are known.
/* global addToLibrary, Module, HEAPU8, ENVIRONMENT_IS_NODE */
addToLibrary({
  walloc_trace_wanted__proxy: 'sync',
  walloc_trace_wanted: () =>
    Number(Boolean(ENVIRONMENT_IS_NODE ? process.env.WALLOC_TRACE : Module['onTrace'])),
  walloc_trace_save__proxy: 'sync',
  walloc_trace_save__sig: 'vpp', // so that 64-bit addresses come as numbers
  walloc_trace_save: (bytes, length) => {
    const trace = HEAPU8.slice(bytes, bytes + length);
    if (!ENVIRONMENT_IS_NODE) Module['onTrace'](trace);
    else require('fs').writeFileSync(process.env.WALLOC_TRACE, trace, { flag: 'wx' });
  },
});
