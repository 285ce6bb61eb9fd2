/* What an arena that is told to fall back does when it can grow no more: its blocks come from the heap, and
 * go back to it when their generation does. This room is all that arenas know of the heap. Any thread. */
#ifndef WALLOC_FALLBACK_H
#define WALLOC_FALLBACK_H

#include "arena/room.h"

/* A block from the heap, at the place where the cursor is. Address NULL: the heap has none either. */
block walloc_fallback_take(walloc_arena *arena, const request *r);

/* Gives back those of the arena's blocks whose place is gone; `all`: every one. A load when there are none,
 * else a step for each. */
void walloc_fallback_give(walloc_arena *arena, bool all);

#endif
