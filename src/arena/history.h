/* History: which blocks of earlier generations are still there.
 *
 * A reset leaves nothing; compact and rewind leave what ends at or before the place they went back to,
 * a level; a mark leaves all. So a block that ends at e, of generation b, is there if every level made
 * since b is at or behind e. An old level at or behind a newer one says nothing that the newer does not
 * say: it is dropped. What stays is ascending in generation and in position,
 *
 *     level 0: generation 3, position 100
 *     level 1: generation 7, position 180
 *     level 2: generation 9, position 500   <- the newest
 *
 * and for b the first level with a newer generation is the lowest one that concerns it: one comparison
 * decides. WALLOC_PRESERVED_LEVELS_MAX levels are kept; a compact that would need more is refused.
 *
 * Two histories take turns. That of generation g is written before the cursor comes to g, and not again
 * before the cursor has gone on to the next generation with a history: see history.c. */
#ifndef WALLOC_ARENA_HISTORY_H
#define WALLOC_ARENA_HISTORY_H

#include "arena/arena.h"

/* Whether a block that ends at `end` has not been thrown away. Any thread, no lock. One load when its
 * generation is the current one; otherwise a search of the levels, again if a generation ends
 * meanwhile. */
bool walloc_history_holds(walloc_arena *arena, place end);

/* Writes the history of generation `next`, to be entered from `now`'s: the same levels, and with
 * `add_level` one more at `position`. LIMIT when there is no room for it. Under the history lock. */
walloc_error walloc_history_prepare(walloc_arena *arena, place now, uint32_t next, bool add_level,
                                    uint64_t position);

#endif
