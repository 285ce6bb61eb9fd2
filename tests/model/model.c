/* See model.h. */
#include "model/model.h"

#include <string.h>

static size_t alignment_of(const model_arena *model) {
  return model->config.alignment == 0 ? WALLOC_ALIGNMENT_MIN : model->config.alignment;
}

bool model_has_lanes(const model_arena *model) { return model->config.lane != WALLOC_NO_LANE; }

void model_begin(model_arena *model, walloc_arena *arena, const walloc_arena_config *config) {
  model->arena = arena;
  model->config = *config;
  model->order = 0;
  model->high_water = 0;
  model->preserved = (model_place){0, 0};
  model->count = model->stale_count = model->level_count = 0;
  memset(model->marks, 0, sizeof model->marks);
}

model_place model_here(model_arena *model) {
  size_t used = walloc_used(model->arena);
  if (used > model->high_water)
    model->high_water = used;
  return (model_place){used, ++model->order};
}

void model_add(model_arena *model, walloc_ref ref, unsigned char pattern) {
  memset(ref.address, pattern, ref.size);
  model->blocks[model->count++] = (model_block){ref, model_here(model), pattern};
}

static bool survives(const model_arena *model, model_place place, model_place target) {
  return model_has_lanes(model) ? place.order < target.order : place.used <= target.used;
}

static void remember_stale(model_arena *model, walloc_ref ref) {
  if (model->stale_count == MODEL_STALE_MAX)
    memmove(model->stale, model->stale + 1, --model->stale_count * sizeof *model->stale);
  model->stale[model->stale_count++] = ref;
}

static void drop_levels(model_arena *model, size_t used) {
  while (model->level_count > 0 && model->levels[model->level_count - 1] >= used)
    model->level_count--;
}

bool model_is_too_deep(const model_arena *model, model_place place) {
  size_t below = 0;
  while (below < model->level_count && model->levels[below] < place.used)
    below++;
  return below >= WALLOC_PRESERVED_LEVELS_MAX;
}

void model_go_back(model_arena *model, model_place place) {
  size_t kept = 0;
  for (size_t i = 0; i < model->count; i++) {
    if (survives(model, model->blocks[i].end, place))
      model->blocks[kept++] = model->blocks[i];
    else
      remember_stale(model, model->blocks[i].ref);
  }
  model->count = kept;
  for (size_t i = 0; i < MODEL_MARKS_MAX; i++) {
    if (model->marks[i].place.used > place.used)
      model->marks[i].valid = false;
  }
  if (model->preserved.used > place.used)
    model->preserved.order = 0;
  drop_levels(model, place.used);
  model->levels[model->level_count++] = place.used;
}

static bool pattern_holds(const model_block *block) {
  const unsigned char *bytes = block->ref.address;
  for (size_t i = 0; i < block->ref.size; i++) {
    if (bytes[i] != block->pattern)
      return false;
  }
  return true;
}

const char *model_compare(model_arena *model) {
  walloc_arena_stats stats;
  if (walloc_get_arena_stats(model->arena, &stats) != WALLOC_OK)
    return "there are no statistics";
  for (size_t i = 0; i < model->count; i++) {
    const model_block *block = &model->blocks[i];
    if (!walloc_ref_valid(block->ref))
      return "a block is stale that should be valid";
    if ((uintptr_t)block->ref.address % alignment_of(model) != 0)
      return "a block is not aligned";
    if (!pattern_holds(block))
      return "a block was overwritten";
  }
  for (size_t i = 0; i < model->stale_count; i++) {
    if (walloc_ref_valid(model->stale[i]))
      return "a block is valid that should be stale";
  }
  if (stats.allocated != stats.recycled + stats.used)
    return "allocated is not recycled + used";
  if (stats.high_water != model->high_water)
    return "the high-water mark is wrong";
  if (stats.used > stats.capacity)
    return "more is used than there is";
  if (model->config.hard_budget != 0 && stats.capacity > model->config.hard_budget)
    return "the hard budget is exceeded";
  return NULL;
}
