/* The table of arenas: creating and destroying them. */
#ifndef WALLOC_ARENA_LIFETIME_H
#define WALLOC_ARENA_LIFETIME_H

#include "arena/arena.h"

/* OK, or CONFIG. */
walloc_error walloc_arena_check_config(const walloc_arena_config *config);

/* Brings the dead arena of a slot to life, with its reserve. Alone with that slot. */
walloc_error walloc_arena_begin(uint32_t slot, const walloc_arena_config *config);

/* Ends an arena: its references are stale, its memory is given back. OK for one that is not live. */
walloc_error walloc_arena_end(walloc_arena *arena);

/* For recovery, under the page lock: mends what the dead thread left of all arenas, and frees their locks. */
void walloc_arenas_thread_lost(uint32_t thread);

#endif
