/* History. See history.h for what it holds.
 *
 *     summary:  | generation : 24 | oldest : 24 | number of levels : 16 |
 *
 * `oldest` is the generation that the last reset began: of what is older nothing is left.
 *
 * Argument. The history of generation g (odd) lies in history[(g / 2) % 2].
 * - A reader that finds the cursor at g sees that history: it was written before the cursor was moved
 *   to g by a release, and the reader's load of the cursor acquires.
 * - It is next written for a generation at least g + 4, by a thread that has seen the cursor at g + 1 or
 *   later: writers are serialised by the history lock and derive `next` from the cursor they see, and
 *   from g itself they write the other one. The entries are stored with release and loaded with
 *   acquire: so a reader that got such a newer entry sees, when it reads the cursor again, a generation
 *   other than g, and starts over. One that still finds g has read g's history only.
 * - A reset takes no lock, and may come between a writer's preparation for g and its move of the cursor:
 *   then the move fails, and the prepared history is of an odd generation that the cursor has not
 *   reached; resets make even ones, so no reader ever looks at it before it is written again.
 *
 * What a kill leaves behind: a history that no generation uses yet, and the lock. The next holder writes it anew. Behind
 * the move of the cursor all of it is there; only `preserved` may still be the place before, which holds or not like
 * any other. */
#include "arena/history.h"

#define OLDEST_SHIFT 16
#define GENERATION_IN_SUMMARY_SHIFT 40
#define LEVELS_MASK 0xFFFFu

static uint64_t summary_of(uint32_t generation, uint32_t oldest, uint32_t levels) {
  return (uint64_t)generation << GENERATION_IN_SUMMARY_SHIFT | (uint64_t)oldest << OLDEST_SHIFT |
         levels;
}

static uint32_t summary_oldest(uint64_t summary) {
  return (uint32_t)(summary >> OLDEST_SHIFT) & GENERATION_MASK;
}

static uint32_t summary_levels(uint64_t summary) { return (uint32_t)summary & LEVELS_MASK; }

static arena_history *history_of(walloc_arena *arena, uint32_t generation) {
  return &arena->history[(generation >> 1) & 1];
}

/* Acquire and release: see the argument, second point. */
static place level_at(arena_history *history, uint32_t n) {
  return atomic_load_explicit(&history->level[n], memory_order_acquire);
}

static void set_level(arena_history *history, uint32_t n, place level) {
  atomic_store_explicit(&history->level[n], level, memory_order_release);
}

static uint64_t load_summary(arena_history *history) {
  return atomic_load_explicit(&history->summary, memory_order_acquire);
}

static bool is_in_history(arena_history *history, place end, uint32_t now) {
  uint64_t summary = load_summary(history);
  uint32_t age = generation_age(place_generation(end), now);
  if (age > generation_age(summary_oldest(summary), now))
    return false;
  uint32_t levels = summary_levels(summary);
  for (uint32_t n = 0; n < levels && n < WALLOC_PRESERVED_LEVELS_MAX; n++) {
    place level = level_at(history, n);
    if (generation_age(place_generation(level), now) < age)
      return place_position(end) <= place_position(level);
  }
  return true;
}

bool walloc_history_holds(walloc_arena *arena, place end) {
  for (;;) {
    uint32_t now = place_generation(arena_cursor(arena));
    if (place_generation(end) == now)
      return true;
    if (!generation_has_history(now))
      return false;
    bool holds = is_in_history(history_of(arena, now), end, now);
    if (place_generation(arena_cursor(arena)) == now)
      return holds;
  }
}

walloc_error walloc_history_prepare(walloc_arena *arena, place now, uint32_t next, bool add_level,
                                    uint64_t position) {
  uint32_t generation = place_generation(now);
  arena_history *from = history_of(arena, generation);
  arena_history *to = history_of(arena, next);
  uint32_t oldest = generation, levels = 0;
  if (generation_has_history(generation)) {
    uint64_t summary = load_summary(from);
    oldest = summary_oldest(summary);
    levels = summary_levels(summary);
  }
  while (add_level && levels > 0 && place_position(level_at(from, levels - 1)) >= position)
    levels--;
  if (add_level && levels == WALLOC_PRESERVED_LEVELS_MAX)
    return WALLOC_ERROR_LIMIT;
  for (uint32_t n = 0; n < levels; n++)
    set_level(to, n, level_at(from, n));
  if (add_level)
    set_level(to, levels++, (place)next << GENERATION_SHIFT | position);
  atomic_store_explicit(&to->summary, summary_of(next, oldest, levels), memory_order_release);
  return WALLOC_OK;
}
