/* The table of arenas. Slots are fixed memory: an arena's address is never anything else, so a stale
 * handle meets a dead arena, or the next one of that slot, but never somebody else's data. A slot's generation goes on from life to life,
 * so that references from an earlier one are stale.
 *
 * The table lock is the outermost one: growth and page locks are taken inside it.
 *
 * What a kill leaves behind: an arena begins and ends by one addition to its serial. Before the one that begins it,
 * a dead arena that may have a chunk already, its reserve; before the one that ends it, a live one without
 * blocks, to be destroyed again. Between the first and the lock being left: a live arena of which nobody knows, which
 * `beginning` tells of. Behind that it is the caller's, dead or not. */
#include "arena/lifetime.h"

#include "arena/gate.h"
#include "arena/room.h"
#include "error/error.h"
#include "frames/pins.h"
#include "state/state.h"

#define DEFAULT_LANE ((size_t)16384)
#define LANE_MIN ((size_t)4096)
#define LANE_MAX ((size_t)65536)

walloc_arena walloc_arenas[WALLOC_ARENAS_MAX];

/* Held while a slot is searched for, and while an arena begins or ends. */
static walloc_lock table_lock;

/* The slot of an arena that is being created. Under the table lock; 0: none. */
static uint32_t beginning;

/* Acquire and release: pairs with arena_is_live, so that a live arena's fields are visible. */
static void change_life(walloc_arena *arena) {
  atomic_fetch_add_explicit(&arena->serial, 1, memory_order_acq_rel);
}

static bool is_power_of_two(size_t value) { return value != 0 && (value & (value - 1)) == 0; }

static bool alignment_is_good(size_t alignment) {
  return alignment == 0 || (is_power_of_two(alignment) && alignment >= WALLOC_ALIGNMENT_MIN &&
                            alignment <= WALLOC_PAGE_SIZE);
}

static bool lane_is_good(size_t lane) {
  return lane == 0 || lane == WALLOC_NO_LANE || (lane >= LANE_MIN && lane <= LANE_MAX);
}

static bool budgets_are_good(const walloc_arena_config *config) {
  size_t hard = config->hard_budget;
  if (hard == 0)
    return true;
  return hard >= WALLOC_PAGE_SIZE && config->soft_budget <= hard &&
         config->reserve <= hard - hard % WALLOC_PAGE_SIZE;
}

walloc_error walloc_arena_check_config(const walloc_arena_config *config) {
  bool good = alignment_is_good(config->alignment) && lane_is_good(config->lane) &&
              budgets_are_good(config) &&
              config->reserve <= (uint64_t)PAGE_LIMIT * WALLOC_PAGE_SIZE &&
              (unsigned)config->recycle <= WALLOC_FALL_BACK;
  return good ? WALLOC_OK : WALLOC_ERROR_CONFIG;
}

static size_t lane_of(const walloc_arena_config *config, size_t alignment) {
  if (config->lane == WALLOC_NO_LANE)
    return 0;
  size_t lane = config->lane == 0 ? DEFAULT_LANE : config->lane;
  return (lane + alignment - 1) & ~(alignment - 1);
}

/* Relaxed: nobody else looks at a dead arena's counters. */
static void clear_counters(arena_counters *counters) {
  _Atomic uint64_t *const all[] = {&counters->recycled, &counters->resets,   &counters->growths,
                                   &counters->failures, &counters->pressure, &counters->recyclings};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    atomic_store_explicit(all[i], 0, memory_order_relaxed);
  atomic_store_explicit(&counters->high_water, 0, memory_order_relaxed);
}

walloc_error walloc_arena_begin(uint32_t slot, const walloc_arena_config *config) {
  walloc_arena *arena = &walloc_arenas[slot];
  size_t alignment = config->alignment == 0 ? WALLOC_ALIGNMENT_MIN : config->alignment;
  arena->slot = slot;
  arena->alignment_mask = alignment - 1;
  arena->lane = lane_of(config, alignment);
  set_kept(arena, 0);
  arena->soft_budget = config->soft_budget;
  arena->hard_budget = config->hard_budget & ~(WALLOC_PAGE_SIZE - 1);
  arena->recycle = config->recycle;
  arena->on_pressure =
      NULL; /* not for the reserve: the arena is not there yet, and locks are held */
  arena->user = config->user;
  clear_counters(&arena->counters);
  atomic_store_explicit(&arena->preserved, 0, memory_order_relaxed);
  atomic_store_explicit(&arena->pinned, 0, memory_order_relaxed); /* with change_life */
  place last = arena_cursor(arena);
  atomic_store_explicit(&arena->cursor,
                        place_of(generation_after_reset(place_generation(last)), 0, 0),
                        memory_order_release); /* with arena_cursor */
  if (config->reserve != 0) {
    request r = {arena_round_up(arena, config->reserve), alignment, config->reserve};
    walloc_error error = walloc_arena_make_room(arena, &r);
    if (error != WALLOC_OK)
      return error;
    set_kept(arena, 1);
  }
  arena->on_pressure = config->on_pressure;
  change_life(arena);
  return WALLOC_OK;
}

/* Closed to pins until the arena is dead: one that comes meanwhile sees its serial change. */
walloc_error walloc_arena_end(walloc_arena *arena) {
  if (!arena_is_live(arena))
    return WALLOC_OK;
  walloc_error error = walloc_pins_close(arena);
  if (error != WALLOC_OK)
    return error;
  error = walloc_arena_release_chunks(arena);
  if (error == WALLOC_OK)
    change_life(arena);
  walloc_pins_open(arena);
  return error;
}

/* ---- The program's own arenas -------------------------------------------------------------- */

static walloc_error create(const walloc_arena_config *config, walloc_arena **created) {
  if (!state_is_running())
    return WALLOC_ERROR_NOT_INITIALIZED;
  walloc_error error = walloc_arena_check_config(config);
  if (error != WALLOC_OK)
    return error;
  if (!walloc_lock_acquire(&table_lock))
    return WALLOC_ERROR_BUSY;
  uint32_t slot = WALLOC_TIERS;
  while (slot < WALLOC_ARENAS_MAX && arena_is_live(&walloc_arenas[slot]))
    slot++;
  beginning = slot;
  stores_in_order();
  error = slot < WALLOC_ARENAS_MAX ? walloc_arena_begin(slot, config) : WALLOC_ERROR_LIMIT;
  stores_in_order();
  beginning = 0;
  walloc_lock_release(&table_lock);
  *created = &walloc_arenas[slot];
  return error;
}

walloc_arena *walloc_arena_create(const walloc_arena_config *config) {
  static const walloc_arena_config defaults;
  walloc_arena *arena;
  walloc_error error = create(config == NULL ? &defaults : config, &arena);
  return error == WALLOC_OK ? arena : walloc_fail(error);
}

walloc_error walloc_arena_destroy(walloc_arena *arena) {
  walloc_error error = walloc_arena_check(arena);
  if (error != WALLOC_OK)
    return error;
  if (arena < &walloc_arenas[WALLOC_TIERS])
    return WALLOC_ERROR_ARENA;
  if (!walloc_lock_acquire(&table_lock))
    return WALLOC_ERROR_BUSY;
  error = walloc_arena_end(arena);
  walloc_lock_release(&table_lock);
  return error;
}

static bool is_in_table(const walloc_arena *arena) {
  uintptr_t offset = (uintptr_t)arena - (uintptr_t)walloc_arenas;
  return offset < sizeof walloc_arenas && offset % sizeof *arena == 0;
}

walloc_error walloc_arena_check(walloc_arena *arena) {
  if (!state_is_running())
    return WALLOC_ERROR_NOT_INITIALIZED;
  if (!is_in_table(arena) || !arena_is_live(arena))
    return WALLOC_ERROR_ARENA;
  return WALLOC_OK;
}

/* ---- When a thread has died ------------------------------------------------------------------ */

/* The arena that was being created never was; what dead arenas still have goes back. */
static void mend_table(void) {
  walloc_arena *created = &walloc_arenas[beginning];
  if (beginning != 0 && beginning < WALLOC_ARENAS_MAX && arena_is_live(created))
    change_life(created);
  stores_in_order();
  beginning = 0;
  for (uint32_t slot = WALLOC_TIERS; slot < WALLOC_ARENAS_MAX; slot++)
    if (!arena_is_live(&walloc_arenas[slot]))
      walloc_growth_forget(&walloc_arenas[slot]);
}

void walloc_arenas_thread_lost(uint32_t thread) {
  for (uint32_t slot = 0; slot < WALLOC_ARENAS_MAX; slot++) {
    walloc_arena *arena = &walloc_arenas[slot];
    walloc_growth_thread_lost(arena, thread);
    if (walloc_lock_take_over(&arena->history_lock, thread))
      walloc_lock_release(&arena->history_lock); /* see history.c: there is nothing to mend */
    arena_gate_thread_lost(arena, thread);
  }
  if (!walloc_lock_take_over(&table_lock, thread))
    return;
  mend_table();
  walloc_lock_release(&table_lock);
}
