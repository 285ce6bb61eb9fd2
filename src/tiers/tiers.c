/* Starting and ending, and the three tiers: the arenas of the first three slots, with a share of the
 * reserve each.
 *
 *     reserve:   [ render 50 % | scene 30 % | entity 15 % | 5 % free: the next to grow has it ]
 *
 * walloc_init and walloc_shutdown are called alone; walloc_tier from any thread. */
#include "arena/arena.h"
#include "arena/lifetime.h"
#include "context/context.h"
#include "error/error.h"
#include "frames/frames.h"
#include "frames/pins.h"
#include "pages/pages.h"
#include "queue/queue.h"
#include "state/state.h"

#define DEFAULT_RESERVE ((size_t)16 << 20)

static const size_t default_alignment[WALLOC_TIERS] = {128, 64, 8};
static const unsigned default_share[WALLOC_TIERS] = {50, 30, 15};

/* ---- Configuration with its defaults filled in ---------------------------------------------- */

static size_t share_within_budget(const walloc_config *config, int tier) {
  size_t share = (size_t)((uint64_t)config->reserve * config->share[tier] / 100);
  size_t budget = config->tier[tier].hard_budget;
  return budget == 0 || share <= budget ? share : budget - budget % WALLOC_PAGE_SIZE;
}

static walloc_error fill_in(walloc_config *config) {
  unsigned shares = 0;
  if (config->maximum == 0 || config->maximum > walloc_platform_maximum())
    config->maximum = walloc_platform_maximum();
  if (config->reserve == 0)
    config->reserve = DEFAULT_RESERVE < config->maximum ? DEFAULT_RESERVE : config->maximum / 2;
  for (int tier = 0; tier < WALLOC_TIERS; tier++) {
    walloc_arena_config *own = &config->tier[tier];
    if (config->share[tier] == 0)
      config->share[tier] = default_share[tier];
    if (config->share[tier] > 100)
      return WALLOC_ERROR_CONFIG;
    shares += config->share[tier];
    if (own->alignment == 0)
      own->alignment = default_alignment[tier];
    if (own->reserve == 0)
      own->reserve = share_within_budget(config, tier);
    if (walloc_arena_check_config(own) != WALLOC_OK)
      return WALLOC_ERROR_CONFIG;
  }
  return shares <= 100 && config->reserve <= config->maximum ? WALLOC_OK : WALLOC_ERROR_CONFIG;
}

/* ---- Starting and ending -------------------------------------------------------------------- */

static walloc_error end_all_arenas(void) {
  for (uint32_t slot = 0; slot < WALLOC_ARENAS_MAX; slot++) {
    walloc_error error = walloc_arena_end(&walloc_arenas[slot]);
    if (error != WALLOC_OK)
      return error;
  }
  return WALLOC_OK;
}

/* The whole reserve is obtained in one growth; tiers take theirs out of it, the rest stays free. */
static walloc_error begin_tiers(const walloc_config *config) {
  walloc_error error = walloc_pages_prepare(pages_holding(config->reserve));
  for (uint32_t tier = 0; tier < WALLOC_TIERS && error == WALLOC_OK; tier++)
    error = walloc_arena_begin(tier, &config->tier[tier]);
  if (error != WALLOC_OK)
    end_all_arenas();
  return error;
}

static walloc_error start(walloc_config config) {
  walloc_error error = fill_in(&config);
  if (error != WALLOC_OK)
    return error;
  if (!walloc_platform_start())
    return WALLOC_ERROR_OUT_OF_MEMORY;
  error = walloc_heap_set_strategy(config.strategy);
  if (error != WALLOC_OK)
    return error;
  walloc_pages_start(config.maximum);
  return begin_tiers(&config);
}

walloc_error walloc_init(const walloc_config *config) {
  static const walloc_config defaults;
  if (!state_leave(STOPPED))
    return WALLOC_ERROR_INITIALIZED;
  walloc_error error = start(config == NULL ? defaults : *config);
  state_enter(error == WALLOC_OK ? RUNNING : STOPPED);
  return error;
}

walloc_error walloc_shutdown(void) {
  if (!state_is_running())
    return WALLOC_ERROR_NOT_INITIALIZED;
  if (walloc_pins_holder(NULL) != 0)
    return WALLOC_ERROR_PINNED;
  walloc_error error = walloc_queues_end();
  if (error == WALLOC_OK)
    error = end_all_arenas();
  if (error != WALLOC_OK)
    return error;
  walloc_contexts_end();
  walloc_frames_end();
  state_enter(STOPPED);
  return WALLOC_OK;
}

/* ---- Tiers ---------------------------------------------------------------------------------- */

walloc_arena *walloc_tier(walloc_tier_id tier) {
  if (!state_is_running())
    return walloc_fail(WALLOC_ERROR_NOT_INITIALIZED);
  if ((unsigned)tier >= WALLOC_TIERS)
    return walloc_fail(WALLOC_ERROR_ARENA);
  return &walloc_arenas[tier];
}

void *walloc_tier_alloc(walloc_tier_id tier, size_t size) {
  walloc_arena *arena = walloc_tier(tier);
  return arena == NULL ? NULL : walloc_alloc(arena, size);
}
