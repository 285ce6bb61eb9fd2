/* How JavaScript names an arena: by a handle, slot + 32 x serial, which a later arena in the same slot does
 * not share. Any thread. */
#ifndef WALLOC_EXPORTS_ARENA_HANDLE_H
#define WALLOC_EXPORTS_ARENA_HANDLE_H

#include "arena/arena.h"

#define NO_ARENA UINT32_MAX
#define HEAP_INSTEAD (UINT32_MAX - 1) /* of references to the heap: see reference/slot.h */

static inline uint32_t handle_of(walloc_arena *arena) {
  if (arena == NULL)
    return NO_ARENA;
  /* Relaxed: a number to compare; whether the arena is live is asked with acquire. */
  uint32_t serial = atomic_load_explicit(&arena->serial, memory_order_relaxed);
  return arena->slot + serial * WALLOC_ARENAS_MAX;
}

/* NULL when it is not, or no longer, an arena; every function refuses that with ARENA. The handle of a live arena
 * has an odd serial: see arena.h. Acquire: as in arena_is_live, in one load, since each allocation comes here. */
static inline __attribute__((always_inline)) walloc_arena *arena_of_at_once(uint32_t handle) {
  walloc_arena *arena = &walloc_arenas[handle % WALLOC_ARENAS_MAX];
  uint32_t serial = atomic_load_explicit(&arena->serial, memory_order_acquire);
  bool is_live = (handle & WALLOC_ARENAS_MAX) != 0;
  return is_live && serial * WALLOC_ARENAS_MAX == handle - handle % WALLOC_ARENAS_MAX ? arena
                                                                                      : NULL;
}

/* The same, for whoever does not ask often: a call is smaller. */
static inline walloc_arena *arena_of(uint32_t handle) { return arena_of_at_once(handle); }

#endif
