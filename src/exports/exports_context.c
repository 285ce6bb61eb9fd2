/* What JavaScript calls of contexts: the C API, whose handles are numbers already. Each is called from the
 * thread that owns the instance, after thread_start. */
#include "exports/arena_handle.h"
#include "exports/exported.h"
#include "walloc_context.h"

EXPORTED("context_create")
walloc_context walloc_export_context_create(uint32_t arena, unsigned flags) {
  return walloc_context_create(arena_of(arena), flags);
}

EXPORTED("context_retain")
walloc_error walloc_export_context_retain(walloc_context context) {
  return walloc_context_retain(context);
}

EXPORTED("context_release")
walloc_error walloc_export_context_release(walloc_context context) {
  return walloc_context_release(context);
}

EXPORTED("context_arena") uint32_t walloc_export_context_arena(walloc_context context) {
  return handle_of(walloc_context_arena(context));
}
