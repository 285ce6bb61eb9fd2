/* What an arena must do, in the simplest words: a list of blocks, each with the bytes that were written
 * into it, of which throwing away removes the last ones. One thread.
 *
 * A place is told in two ways: by walloc_used, and by a number that counts allocations and marks. In an
 * arena without lanes a block's place is known from walloc_used. With lanes only the order is known, and
 * only marks are places to go back to. */
#ifndef MODEL_H
#define MODEL_H

#include "walloc.h"

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_BLOCKS_MAX = 4096, MODEL_MARKS_MAX = 8, MODEL_STALE_MAX = 64 };

typedef struct model_place {
  size_t used;
  uint64_t order;
} model_place;

typedef struct model_block {
  walloc_ref ref;
  model_place end;
  unsigned char pattern;
} model_block;

typedef struct model_mark {
  walloc_mark mark;
  model_place place;
  bool valid;
} model_mark;

typedef struct model_arena {
  walloc_arena *arena;
  walloc_arena_config config;
  uint64_t order;
  size_t high_water;
  model_place preserved; /* order 0: none */
  model_block blocks[MODEL_BLOCKS_MAX];
  size_t count;
  walloc_ref stale[MODEL_STALE_MAX]; /* the last ones that were thrown away */
  size_t stale_count;
  model_mark marks[MODEL_MARKS_MAX];
  size_t levels[WALLOC_PRESERVED_LEVELS_MAX + 2];
  size_t level_count;
} model_arena;

/* Begins with an arena that was just created. */
void model_begin(model_arena *model, walloc_arena *arena, const walloc_arena_config *config);

bool model_has_lanes(const model_arena *model);

/* A block has been handed out: remembers it, and writes its pattern. */
void model_add(model_arena *model, walloc_ref ref, unsigned char pattern);

/* The place now. With lanes: right after a mark, or it is not exact. */
model_place model_here(model_arena *model);

/* All behind the place has been thrown away. */
void model_go_back(model_arena *model, model_place place);

/* Whether going back to the place would nest too deep. */
bool model_is_too_deep(const model_arena *model, model_place place);

/* Compares everything. NULL when all is as it must be, else what is not. */
const char *model_compare(model_arena *model);

#endif
