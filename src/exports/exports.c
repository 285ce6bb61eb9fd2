/* What JavaScript calls, in the attached walloc.wasm and in Emscripten programs with libwalloc_javascript.a: the C
 * API with numbers for arguments.
 *
 * An arena is a handle: see arena_handle.h. More than one number goes through the calling thread's scratch
 * area, with the layout that the C structs have on wasm32. Each is called from the thread that owns the
 * instance, after thread_start. */
#include <stdalign.h>
#include <stddef.h>

#include "arena/arena.h"
#include "arena/gate.h"
#include "arena/history.h"
#include "arena/room.h"
#include "error/error.h"
#include "exports/arena_handle.h"
#include "exports/control.h"
#include "exports/exported.h"
#include "frames/pins.h"
#include "pages/pages.h"

_Static_assert(sizeof(walloc_arena_config) == 8 * 4, "read by JavaScript as 8 numbers");
_Static_assert(sizeof(walloc_config) == (6 + WALLOC_TIERS * 8) * 4, "read as 30 numbers");
_Static_assert(offsetof(walloc_arena_stats, allocated) == 32, "8 numbers, then 7 of 64 bits");
_Static_assert(offsetof(walloc_arena_stats, generation) == 88, "and the generation");
_Static_assert(sizeof(walloc_heap_stats) == 8 * 4, "written as 6 numbers, then one of 64 bits");
_Static_assert(sizeof(walloc_memory_stats) == 6 * 4, "written as 6 numbers");

/* The calling thread's own: what goes in and out beside arguments and results. */
static _Thread_local union {
  alignas(8) place place;
  walloc_config config;
  walloc_arena_config arena_config;
  walloc_arena_stats arena_stats;
  walloc_memory_stats memory_stats;
  walloc_heap_stats heap_stats;
  uint32_t words[2];
  unsigned char bytes[160];
} scratch;

EXPORTED("scratch") void *walloc_export_scratch(void) { return &scratch; }

EXPORTED("last_error") walloc_error walloc_export_last_error(void) { return walloc_last_error(); }

/* ---- Pressure -------------------------------------------------------------------------------- */

IMPORTED("walloc", "pressure")
bool walloc_import_pressure(uint32_t arena, uint32_t needed, uint32_t level);

static bool ask_javascript(walloc_arena *arena, size_t needed, walloc_pressure level, void *user) {
  (void)user;
  return walloc_import_pressure(handle_of(arena), needed, level);
}

/* JavaScript has no function pointers to give: any number but 0 means that it wants to be asked. */
static void take_callback(walloc_arena_config *config) {
  if (config->on_pressure != NULL)
    config->on_pressure = ask_javascript;
}

/* ---- Starting, tiers, arenas ----------------------------------------------------------------- */

static void remember_misuse(const walloc_misuse *misuse, void *user);

/* A program that walloc is linked into says itself what happens on misuse. */
EXPORTED("init") walloc_error walloc_export_init(void) {
  walloc_config config = scratch.config;
  if (!EXPORTS_ARE_LINKED) {
    walloc_heap_on_misuse(remember_misuse, NULL);
    atomic_store_explicit(&walloc_control.maximum, config.maximum, memory_order_relaxed);
  }
  for (int tier = 0; tier < WALLOC_TIERS; tier++)
    take_callback(&config.tier[tier]);
  return walloc_init(&config);
}

EXPORTED("shutdown") walloc_error walloc_export_shutdown(void) { return walloc_shutdown(); }

EXPORTED("tier") uint32_t walloc_export_tier(uint32_t tier) {
  return handle_of(walloc_tier((walloc_tier_id)tier));
}

EXPORTED("arena_create") uint32_t walloc_export_arena_create(void) {
  walloc_arena_config config = scratch.arena_config;
  take_callback(&config);
  return handle_of(walloc_arena_create(&config));
}

EXPORTED("arena_destroy") walloc_error walloc_export_arena_destroy(uint32_t arena) {
  return walloc_arena_destroy(arena_of(arena));
}

/* What JavaScript allocates by itself with, the calling thread's: the address of its lane for the arena, 0 where the
 * module is to be asked each time; and the mask of its alignment. In a program that
 * walloc is linked into, C code may allocate in this thread for a later arena in the same slot, and builds that look for
 * use of stale memory mark each block. */
static void tell_lane(const walloc_arena *arena) {
  const char *lane = (const char *)walloc_arena_lanes() + arena->slot * WALLOC_LANE_SIZE;
  scratch.words[0] = EXPORTS_ARE_LINKED || arena_is_gated() ? 0 : (uint32_t)(uintptr_t)lane;
  scratch.words[1] = (uint32_t)arena->alignment_mask;
}

/* Where the generation is read by a plain load; 0 for no arena. Then it also tells of the lane. */
EXPORTED("cursor") void *walloc_export_cursor(uint32_t arena) {
  walloc_arena *found = arena_of(arena);
  if (found == NULL)
    return NULL;
  tell_lane(found);
  return &found->cursor;
}

/* Whether all pages of a range belong to one chunk of the arena. An empty range has none where it lies
 * between two. */
EXPORTED("owns") bool walloc_export_owns(uint32_t arena, uint32_t address, uint32_t length) {
  const walloc_arena *found = arena_of(arena);
  uint64_t end = (uint64_t)address + length;
  page_index first = address / (uint32_t)WALLOC_PAGE_SIZE;
  for (page_index page = first; (uint64_t)page * WALLOC_PAGE_SIZE < end; page++) {
    page_mark entry = page_entry(page) | (page == first ? PAGE_NOT_FIRST : 0);
    if (found == NULL || entry != (PAGE_ARENA + found->slot) + PAGE_NOT_FIRST)
      return false;
  }
  return true;
}

/* ---- Allocating ------------------------------------------------------------------------------ */

EXPORTED("alloc") void *walloc_export_alloc(uint32_t arena, size_t size, size_t alignment) {
  return walloc_arena_allocate(arena_of_at_once(arena), size, alignment, &scratch.place);
}

EXPORTED("reserve") walloc_error walloc_export_reserve(uint32_t arena, size_t bytes) {
  return walloc_reserve(arena_of(arena), bytes);
}

EXPORTED("trim") walloc_error walloc_export_trim(uint32_t arena) {
  return walloc_trim(arena_of(arena));
}

/* ---- Throwing away --------------------------------------------------------------------------- */

static place place_from(uint32_t low, uint32_t high) { return (place)high << 32 | low; }

EXPORTED("reset") walloc_error walloc_export_reset(uint32_t arena) {
  return walloc_reset(arena_of(arena));
}

EXPORTED("compact") walloc_error walloc_export_compact(uint32_t arena, size_t preserve) {
  return walloc_compact(arena_of(arena), preserve);
}

EXPORTED("set_mark") walloc_error walloc_export_set_mark(uint32_t arena) {
  walloc_mark mark = {NULL, 0};
  walloc_error error = walloc_set_mark(arena_of(arena), &mark);
  scratch.place = mark.place;
  return error;
}

EXPORTED("rewind") walloc_error walloc_export_rewind(uint32_t arena, uint32_t low, uint32_t high) {
  return walloc_rewind((walloc_mark){arena_of(arena), place_from(low, high)});
}

EXPORTED("preserve") walloc_error walloc_export_preserve(uint32_t arena) {
  return walloc_preserve(arena_of(arena));
}

EXPORTED("take_back")
bool walloc_export_take_back(uint32_t arena, void *address, uint32_t low, uint32_t high) {
  return walloc_arena_take_back(arena_of(arena), address, place_from(low, high));
}

/* All arenas and the heap, so alone. Who is refused keeps what it has; the others are empty. */
EXPORTED("reset_all") walloc_error walloc_export_reset_all(void) {
  if (walloc_tier(WALLOC_RENDER) == NULL)
    return WALLOC_ERROR_NOT_INITIALIZED;
  walloc_error first = WALLOC_OK;
  for (uint32_t slot = 0; slot <= WALLOC_ARENAS_MAX; slot++) {
    walloc_error error = WALLOC_OK;
    if (slot == WALLOC_ARENAS_MAX)
      error = walloc_heap_reset();
    else if (arena_is_live(&walloc_arenas[slot]))
      error = walloc_reset(&walloc_arenas[slot]);
    if (first == WALLOC_OK)
      first = error;
  }
  return first;
}

EXPORTED("place_valid")
bool walloc_export_place_valid(uint32_t arena, uint32_t low, uint32_t high) {
  walloc_arena *found = arena_of(arena);
  return found != NULL && walloc_history_holds(found, place_from(low, high));
}

/* ---- The heap -------------------------------------------------------------------------------- */

/* What the calling thread's call was found out to do, until JavaScript has been told. */
static _Thread_local walloc_misuse_kind misused;

static void remember_misuse(const walloc_misuse *misuse, void *user) {
  (void)user;
  misused = misuse->kind;
}

EXPORTED("malloc") void *walloc_export_malloc(size_t size, size_t alignment) {
  return alignment == 0 ? walloc_malloc(size) : walloc_aligned_alloc(alignment, size);
}

EXPORTED("calloc") void *walloc_export_calloc(size_t count, size_t size) {
  return walloc_calloc(count, size);
}

EXPORTED("realloc") void *walloc_export_realloc(void *block, size_t size) {
  return walloc_realloc(block, size);
}

EXPORTED("free") void walloc_export_free(void *block) { walloc_free(block); }

/* A walloc_misuse_kind, or 0. */
EXPORTED("misuse") unsigned walloc_export_misuse(void) {
  unsigned kind = misused;
  misused = 0;
  return kind;
}

EXPORTED("usable_size") size_t walloc_export_usable_size(const void *block) {
  return walloc_usable_size(block);
}

EXPORTED("heap_reset") walloc_error walloc_export_heap_reset(void) { return walloc_heap_reset(); }

EXPORTED("heap_stats") void walloc_export_heap_stats(void) {
  walloc_get_heap_stats(&scratch.heap_stats);
}

/* The thread reads nothing any more: its pins end, too, as the next one has its number. */
EXPORTED("thread_end") void walloc_export_thread_end(void) {
  walloc_pins_thread_lost(walloc_platform_thread());
  walloc_thread_end();
}

/* ---- Asking ---------------------------------------------------------------------------------- */

EXPORTED("used") size_t walloc_export_used(uint32_t arena) { return walloc_used(arena_of(arena)); }

EXPORTED("available") size_t walloc_export_available(uint32_t arena) {
  return walloc_available(arena_of(arena));
}

EXPORTED("arena_stats") walloc_error walloc_export_arena_stats(uint32_t arena) {
  return walloc_get_arena_stats(arena_of(arena), &scratch.arena_stats);
}

EXPORTED("memory_stats") walloc_error walloc_export_memory_stats(void) {
  return walloc_get_memory_stats(&scratch.memory_stats);
}

/* A page's entry in the map: see pages/map.h. */
EXPORTED("page") uint32_t walloc_export_page(uint32_t page) {
  return page < PAGE_COUNT ? page_entry(page) : PAGE_FOREIGN;
}
