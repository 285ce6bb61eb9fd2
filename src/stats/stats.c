/* Statistics: what people and tools read. Nothing in walloc decides by them. Any thread. */
#include "arena/history.h"
#include "pages/pages.h"

static uint64_t count_of(_Atomic uint64_t *counter) {
  return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Walks the table without the growth lock: exact when nobody grows. */
static void add_chunks(walloc_arena *arena, walloc_arena_stats *stats) {
  for (uint32_t n = 0; n < WALLOC_CHUNKS_MAX; n++) {
    chunk c = arena_chunk(arena, n);
    if (c == CHUNK_NONE)
      break;
    stats->chunks++;
    stats->capacity += (size_t)chunk_bytes(c);
  }
}

static size_t preserved_bytes(walloc_arena *arena) {
  place preserved = atomic_load_explicit(&arena->preserved, memory_order_acquire);
  if (preserved == 0 || !walloc_history_holds(arena, preserved))
    return 0;
  return (size_t)walloc_arena_distance(arena, preserved);
}

walloc_error walloc_get_arena_stats(walloc_arena *arena, walloc_arena_stats *stats) {
  walloc_error error = walloc_arena_check(arena);
  if (error != WALLOC_OK)
    return error;
  arena_counters *counters = &arena->counters;
  *stats = (walloc_arena_stats){.used = walloc_used(arena),
                                .preserved = preserved_bytes(arena),
                                .alignment = arena_alignment(arena),
                                .soft_budget = arena->soft_budget,
                                .hard_budget = arena->hard_budget,
                                .recycled = count_of(&counters->recycled),
                                .resets = count_of(&counters->resets),
                                .growths = count_of(&counters->growths),
                                .failures = count_of(&counters->failures),
                                .pressure = count_of(&counters->pressure),
                                .recyclings = count_of(&counters->recyclings),
                                .generation = place_generation(arena_cursor(arena))};
  stats->high_water = atomic_load_explicit(&counters->high_water, memory_order_relaxed);
  stats->allocated = stats->recycled + stats->used;
  add_chunks(arena, stats);
  return WALLOC_OK;
}

/* Bytes in chunks, and of those the bytes in chunks that could be given up. */
static uint64_t idle_bytes(walloc_arena *arena, uint64_t *capacity) {
  place now = arena_cursor(arena);
  uint64_t idle = 0;
  *capacity = 0;
  for (uint32_t n = 0; n < WALLOC_CHUNKS_MAX; n++) {
    chunk c = arena_chunk(arena, n);
    if (c == CHUNK_NONE)
      break;
    *capacity += chunk_bytes(c);
    if (n >= kept_chunks(arena) && (n > place_chunk(now) || place_position(now) == 0))
      idle += chunk_bytes(c);
  }
  return idle;
}

walloc_error walloc_get_memory_stats(walloc_memory_stats *stats) {
  walloc_pages_sums sums = walloc_pages_count();
  uint64_t arenas = 0;
  for (uint32_t slot = 0; slot < WALLOC_ARENAS_MAX; slot++) {
    uint64_t capacity = 0;
    if (arena_is_live(&walloc_arenas[slot]))
      idle_bytes(&walloc_arenas[slot], &capacity);
    arenas += capacity;
  }
  *stats = (walloc_memory_stats){.maximum = (size_t)sums.maximum * WALLOC_PAGE_SIZE,
                                 .obtained = (size_t)sums.obtained * WALLOC_PAGE_SIZE,
                                 .free = (size_t)sums.free * WALLOC_PAGE_SIZE,
                                 .arenas = (size_t)arenas,
                                 .heap = (size_t)sums.heap * WALLOC_PAGE_SIZE,
                                 .own = (size_t)sums.own * WALLOC_PAGE_SIZE};
  return WALLOC_OK;
}

/* Room behind the cursor in chunks that the arena has. */
static uint64_t room_of(walloc_arena *arena) {
  uint64_t capacity;
  idle_bytes(arena, &capacity);
  uint64_t used = walloc_arena_distance(arena, arena_cursor(arena));
  return used < capacity ? capacity - used : 0;
}

size_t walloc_available(walloc_arena *arena) {
  if (walloc_arena_check(arena) != WALLOC_OK)
    return 0;
  walloc_pages_sums sums = walloc_pages_count();
  uint64_t capacity, others = 0, ignored;
  for (uint32_t slot = 0; slot < WALLOC_ARENAS_MAX; slot++) {
    walloc_arena *other = &walloc_arenas[slot];
    if (other != arena && arena_is_live(other))
      others += idle_bytes(other, &ignored);
  }
  uint64_t growth = ((uint64_t)sums.free + sums.headroom) * WALLOC_PAGE_SIZE + others;
  idle_bytes(arena, &capacity);
  if (arena->hard_budget != 0) {
    uint64_t left = arena->hard_budget > capacity ? arena->hard_budget - capacity : 0;
    growth = growth < left ? growth : left;
  }
  return (size_t)(room_of(arena) + growth);
}
