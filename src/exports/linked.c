/* What an Emscripten program needs beside the exports for Walloc.from(Module): its memory, and a way to each
 * thread's callbacks. Only in libwalloc_javascript.a.
 *
 * Each thread of such a program has a Module object of its own, and what is written to it here is that thread's. */
#include <emscripten/em_js.h>
#include <stdbool.h>
#include <stdint.h>

#include "exports/exported.h"
#include "state/state.h"

/* clang-format off */
EM_JS(bool, walloc_import_pressure, (uint32_t arena, uint32_t needed, uint32_t level), {
  return Module["wallocPressure"] ? Module["wallocPressure"](arena, needed, level) : 0;
})

EM_JS(void, walloc_import_memory, (void), { Module["wallocMemory"] = wasmMemory; })
/* clang-format on */

/* Whether walloc_init has been called already. */
EXPORTED("enter") bool walloc_export_enter(void) {
  walloc_import_memory();
  return state_is_running();
}
