/* The control block's contents. See control.h. */
#include "exports/control.h"

#include <stddef.h>

#include "arena/arena.h"
#include "exports/thread_block.h"
#include "pages/map.h"
#include "state/state.h"

_Static_assert(sizeof(walloc_control_block) == 30 * 4, "read by JavaScript as 30 numbers");
_Static_assert(offsetof(arena_counters, high_water) == 6 * 8,
               "6 numbers of 64 bits, then one of 32");
_Static_assert(offsetof(arena_history, level) == 8, "the summary, then the levels");

walloc_control_block walloc_control = {.magic = CONTROL_MAGIC,
                                       .version = CONTROL_VERSION,
                                       .size = sizeof(walloc_control_block),
                                       .page_size = WALLOC_PAGE_SIZE,
                                       .map_low = walloc_map_low,
                                       .map_low_count = MAP_LOW,
                                       .map_high = &walloc_map_high,
                                       .state = &walloc_current_state,
                                       .arenas = walloc_arenas,
                                       .arena_count = WALLOC_ARENAS_MAX,
                                       .arena_size = sizeof(walloc_arena),
                                       .chunks_max = WALLOC_CHUNKS_MAX,
                                       .levels_max = WALLOC_PRESERVED_LEVELS_MAX,
                                       .cursor = offsetof(walloc_arena, cursor),
                                       .alignment_mask = offsetof(walloc_arena, alignment_mask),
                                       .soft_budget = offsetof(walloc_arena, soft_budget),
                                       .hard_budget = offsetof(walloc_arena, hard_budget),
                                       .serial = offsetof(walloc_arena, serial),
                                       .preserved = offsetof(walloc_arena, preserved),
                                       .counters = offsetof(walloc_arena, counters),
                                       .chunks = offsetof(walloc_arena, chunks),
                                       .start = offsetof(walloc_arena, start),
                                       .history = offsetof(walloc_arena, history),
                                       .history_size = sizeof(arena_history),
                                       .threads = walloc_thread_slots,
                                       .threads_max = THREADS_MAX,
                                       .thread_block_size = THREAD_BLOCK_SIZE,
                                       .lane_size = WALLOC_LANE_SIZE};
