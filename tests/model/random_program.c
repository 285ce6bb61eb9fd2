/* Random programs of operations on several arenas, compared with the model after each few of them.
 *
 *     random_program        prints its seed
 *
 * WALLOC_SEED repeats a run exactly, WALLOC_ROUNDS multiplies the number of programs. */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ARENAS = 4, PROGRAMS = 60, STEPS = 1500, COMPARE_EVERY = 40 };

static const walloc_arena_config configs[] = {
    {.lane = WALLOC_NO_LANE, .hard_budget = 2 << 20, .recycle = WALLOC_RECYCLE_TO_MARK},
    {.lane = 4096, .alignment = 64},
    {.lane = WALLOC_NO_LANE, .alignment = 128, .reserve = 100000},
    {.lane = 16384, .recycle = WALLOC_RECYCLE_TO_MARK},
    {.lane = WALLOC_NO_LANE, .alignment = 4096},
    {.lane = 65536, .alignment = 16, .hard_budget = 1 << 20},
};

static model_arena models[ARENAS];
static uint32_t seed, random_state;
static int program, step;
static const char *doing = "";

static void fail(const char *what) {
  fflush(stdout);
  fprintf(stderr, "WALLOC_SEED=%u, program %d, step %d (%s): %s\n", seed, program, step, doing,
          what);
  exit(EXIT_FAILURE);
}

static void require(bool holds, const char *what) {
  if (!holds)
    fail(what);
}

static uint32_t below(uint32_t limit) {
  random_state = random_state * 1664525u + 1013904223u;
  return (uint32_t)((uint64_t)random_state * limit >> 32);
}

static size_t random_size(void) {
  if (below(50) == 0)
    return 1 + below(600000);
  return 1 + below(1u << below(14));
}

static uint64_t recyclings_of(walloc_arena *arena) {
  walloc_arena_stats stats;
  walloc_get_arena_stats(arena, &stats);
  return stats.recyclings;
}

/* ---- Operations ----------------------------------------------------------------------------- */

static void create(model_arena *model) {
  doing = "create";
  const walloc_arena_config *config = &configs[below(sizeof configs / sizeof *configs)];
  walloc_arena *arena = walloc_arena_create(config);
  require(arena != NULL, "no arena");
  model_begin(model, arena, config);
}

static void destroy(model_arena *model) {
  doing = "destroy";
  require(walloc_arena_destroy(model->arena) == WALLOC_OK, "refused");
  for (size_t i = 0; i < model->count; i++)
    require(!walloc_ref_valid(model->blocks[i].ref), "a block outlived its arena");
}

/* Sets a mark, which makes the place exact also with lanes. */
static bool mark(model_arena *model, model_mark *made) {
  doing = "mark";
  require(walloc_set_mark(model->arena, &made->mark) == WALLOC_OK, "refused");
  made->place = model_here(model);
  made->valid = true;
  return true;
}

/* Whether recycling is sure to make room: for less than half of what the budget has behind the preserved
 * place, as that may be in two pieces. */
static bool must_recycle(const model_arena *model, size_t used, size_t size) {
  size_t budget = model->config.hard_budget, kept = model->preserved.used;
  if (budget != 0 && (kept >= budget || size + 8 * WALLOC_PAGE_SIZE > (budget - kept) / 2))
    return false;
  return model->config.recycle == WALLOC_RECYCLE_TO_MARK && model->preserved.order != 0 &&
         model->preserved.used < used && !model_is_too_deep(model, model->preserved);
}

static void allocate(model_arena *model) {
  doing = "allocate";
  size_t size = random_size(), alignment = (size_t)8 << below(10);
  size_t used = walloc_used(model->arena);
  uint64_t recyclings = recyclings_of(model->arena);
  model_here(model); /* the high-water mark before a recycling */
  bool aligned = below(6) == 0;
  walloc_ref ref = aligned ? walloc_alloc_aligned_ref(model->arena, size, alignment)
                           : walloc_alloc_ref(model->arena, size);
  if (recyclings_of(model->arena) != recyclings) {
    require(model->preserved.order != 0, "recycled without a preserved place");
    model_go_back(model, model->preserved);
  } else if (ref.address == NULL) {
    require(walloc_used(model->arena) == used, "a failure has changed what is used");
    require(!must_recycle(model, used, size), "it failed without recycling");
  }
  if (ref.address == NULL) {
    require(walloc_last_error() == WALLOC_ERROR_OUT_OF_MEMORY ||
                walloc_last_error() == WALLOC_ERROR_BUDGET,
            walloc_error_text(walloc_last_error()));
    return;
  }
  require(!aligned || (uintptr_t)ref.address % alignment == 0, "not aligned");
  if (model->count < MODEL_BLOCKS_MAX)
    model_add(model, ref, (unsigned char)below(256));
  else
    model_here(model);
}

static void reset(model_arena *model) {
  doing = "reset";
  model_here(model);
  require(walloc_reset(model->arena) == WALLOC_OK, "refused");
  require(walloc_used(model->arena) == 0, "something is left");
  model_go_back(model, (model_place){0, 0});
  model->level_count = 0;
  for (size_t i = 0; i < MODEL_MARKS_MAX; i++)
    model->marks[i].valid = false;
  model->preserved.order = 0;
}

static size_t round_up(const model_arena *model, size_t size) {
  size_t mask = (model->config.alignment == 0 ? 8 : model->config.alignment) - 1;
  return (size + mask) & ~mask;
}

/* To any place without lanes, to a mark's with them. */
static void compact(model_arena *model) {
  doing = "compact";
  model_place here = model_here(model);
  const model_mark *to = &model->marks[below(MODEL_MARKS_MAX)];
  bool to_mark = model_has_lanes(model);
  if (to_mark && !to->valid)
    return;
  size_t preserve = to_mark ? to->place.used : below((uint32_t)(here.used + here.used / 8 + 1));
  model_place target = to_mark ? to->place : (model_place){round_up(model, preserve), here.order};
  walloc_error error = walloc_compact(model->arena, preserve);
  if (preserve > here.used) {
    require(error == WALLOC_ERROR_PRESERVE, "more than is used was preserved");
  } else if (model_is_too_deep(model, target)) {
    require(error == WALLOC_ERROR_LIMIT, "nested too deep");
  } else {
    require(error == WALLOC_OK, walloc_error_text(error));
    model_go_back(model, target);
    model->preserved = target;
  }
  size_t expected = error == WALLOC_OK ? target.used : here.used;
  require(walloc_used(model->arena) == expected, "what is used is wrong");
}

static void rewind_to_mark(model_arena *model) {
  doing = "rewind";
  model_mark *to = &model->marks[below(MODEL_MARKS_MAX)];
  if (to->mark.arena != model->arena)
    return;
  model_place here = model_here(model);
  walloc_error error = walloc_rewind(to->mark);
  if (!to->valid) {
    require(error == WALLOC_ERROR_STALE, "a stale mark was taken");
  } else if (model_is_too_deep(model, to->place)) {
    require(error == WALLOC_ERROR_LIMIT, "nested too deep");
  } else {
    require(error == WALLOC_OK, walloc_error_text(error));
    model_go_back(model, to->place);
  }
  size_t expected = error == WALLOC_OK ? to->place.used : here.used;
  require(walloc_used(model->arena) == expected, "what is used is wrong");
}

static void preserve(model_arena *model) {
  model_mark here;
  mark(model, &here);
  doing = "preserve";
  require(walloc_preserve(model->arena) == WALLOC_OK, "refused");
  model->preserved = here.place;
}

static void reserve(model_arena *model) {
  doing = "reserve";
  size_t used = walloc_used(model->arena);
  walloc_error error = walloc_reserve(model->arena, 1 + below(300000));
  require(error == WALLOC_OK || error == WALLOC_ERROR_OUT_OF_MEMORY || error == WALLOC_ERROR_BUDGET,
          walloc_error_text(error));
  require(walloc_used(model->arena) == used, "it used something");
}

static void trim(model_arena *model) {
  doing = "trim";
  require(walloc_trim(model->arena) == WALLOC_OK, "refused");
}

/* ---- Programs ------------------------------------------------------------------------------- */

static void do_something(void) {
  model_arena *model = &models[below(ARENAS)];
  uint32_t choice = below(100);
  if (choice < 80)
    allocate(model);
  else if (choice < 83)
    reset(model);
  else if (choice < 87)
    compact(model);
  else if (choice < 90)
    mark(model, &model->marks[below(MODEL_MARKS_MAX)]);
  else if (choice < 93)
    rewind_to_mark(model);
  else if (choice < 95)
    preserve(model);
  else if (choice < 97)
    reserve(model);
  else if (choice < 99)
    trim(model);
  else {
    destroy(model);
    create(model);
  }
}

static void compare_all(void) {
  for (int i = 0; i < ARENAS; i++) {
    const char *difference = model_compare(&models[i]);
    if (difference != NULL)
      fail(difference);
  }
}

static void run_program(void) {
  walloc_config config = {.maximum = 12 << 20, .reserve = 1 << 20, .share = {1, 1, 1}};
  doing = "init";
  require(walloc_init(&config) == WALLOC_OK, "refused");
  for (int i = 0; i < ARENAS; i++)
    create(&models[i]);
  for (step = 0; step < STEPS; step++) {
    do_something();
    if (step % COMPARE_EVERY == 0)
      compare_all();
  }
  compare_all();
  require(walloc_shutdown() == WALLOC_OK, "shutdown refused");
}

int main(void) {
  const char *wanted = getenv("WALLOC_SEED"), *rounds = getenv("WALLOC_ROUNDS");
  seed = wanted == NULL ? (uint32_t)time(NULL) : (uint32_t)strtoul(wanted, NULL, 10);
  int programs = PROGRAMS * (rounds == NULL ? 1 : (int)strtol(rounds, NULL, 10));
  printf("WALLOC_SEED=%u\n", seed);
  random_state = seed;
  for (program = 0; program < programs; program++)
    run_program();
  printf("%d programs of %d operations\n", programs, STEPS);
  return EXIT_SUCCESS;
}
