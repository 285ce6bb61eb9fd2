/* The ordered part of the storm: in each round all threads allocate and write patterns; then, while they
 * wait at a barrier, the main thread throws some of it away or grows an arena; then each thread
 * compares what has become of its blocks with what should have.
 *
 *   allocators   | allocate, write |  wait            | check | allocate, write | ...
 *   main thread  | wait            | throw away, note | wait  | wait            | ...
 *                                  A                  B       A
 *
 * `valid_rounds` is written between A and B and read between B and A: the barriers order it. */
#include "stress/storm.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PER_ROUND = 100 };

/* A block, its arena's number, and the round it is of. */
typedef struct patterned {
  walloc_ref ref;
  unsigned round;
} patterned;

typedef struct allocator {
  const storm_plan *plan;
  unsigned number;
  patterned *blocks[WALLOC_TIERS]; /* of this thread alone */
  size_t count[WALLOC_TIERS];
  size_t checked;
} allocator;

/* Blocks of a tier with a round below this are valid. Those of the mark's round and before survive
 * going back to it. Written by the main thread, see above. */
static unsigned valid_rounds[WALLOC_TIERS];

static pthread_barrier_t barrier;

static unsigned char pattern_of(const allocator *self, const patterned *block) {
  return (unsigned char)(self->number * 37 + block->round * 11 + 1);
}

static void take(allocator *self, storm_random *random, unsigned round) {
  unsigned tier = storm_below(random, WALLOC_TIERS);
  patterned *block = &self->blocks[tier][self->count[tier]];
  block->round = round;
  block->ref = walloc_alloc_ref(walloc_tier((walloc_tier_id)tier), storm_size(random) % 4096 + 1);
  if (block->ref.address == NULL)
    return; /* full until the next reset */
  memset(block->ref.address, pattern_of(self, block), block->ref.size);
  self->count[tier]++;
}

static void check_pattern(const allocator *self, const patterned *block) {
  const unsigned char *bytes = block->ref.address;
  for (size_t i = 0; i < block->ref.size; i++) {
    if (bytes[i] != pattern_of(self, block)) {
      storm_violation("block %p of round %u was overwritten", block->ref.address, block->round);
      return;
    }
  }
}

/* Keeps the valid blocks. */
static void check_blocks(allocator *self, unsigned tier) {
  size_t kept = 0;
  for (size_t i = 0; i < self->count[tier]; i++) {
    patterned *block = &self->blocks[tier][i];
    bool valid = walloc_ref_valid(block->ref);
    if (valid != (block->round < valid_rounds[tier]))
      storm_violation("block %p of round %u is %s", block->ref.address, block->round,
                      valid ? "valid, and should be stale" : "stale, and should be valid");
    if (!valid)
      continue;
    check_pattern(self, block);
    self->blocks[tier][kept++] = *block;
  }
  self->checked += self->count[tier];
  self->count[tier] = kept;
}

static void *allocate(void *argument) {
  allocator *self = argument;
  storm_random random = storm_random_for(self->plan, self->number);
  for (unsigned round = 0; round < self->plan->rounds; round++) {
    for (int i = 0; i < PER_ROUND; i++)
      take(self, &random, round);
    pthread_barrier_wait(&barrier); /* A */
    pthread_barrier_wait(&barrier); /* B */
    for (unsigned tier = 0; tier < WALLOC_TIERS; tier++)
      check_blocks(self, tier);
  }
  return NULL;
}

/* What the main thread remembers of each tier. */
typedef struct keeper {
  walloc_mark mark;
  size_t used;         /* at the mark */
  unsigned mark_round; /* + 1; 0: no mark */
} keeper;

static void expect_ok(walloc_error error, const char *what) {
  if (error != WALLOC_OK)
    storm_violation("%s: %s", what, walloc_error_text(error));
}

static void throw_away(unsigned tier, keeper *keep, unsigned round, uint32_t choice) {
  walloc_arena *arena = walloc_tier((walloc_tier_id)tier);
  valid_rounds[tier] = round + 1;
  if (choice < 3) {
    expect_ok(walloc_reset(arena), "reset");
    valid_rounds[tier] = 0;
    keep->mark_round = 0;
  } else if (choice < 5) {
    expect_ok(walloc_set_mark(arena, &keep->mark), "set_mark");
    keep->used = walloc_used(arena);
    keep->mark_round = round + 1;
  } else if (choice < 8 && keep->mark_round != 0) {
    expect_ok(choice == 5 ? walloc_compact(arena, keep->used) : walloc_rewind(keep->mark),
              "back to the mark");
    valid_rounds[tier] = keep->mark_round;
  } else if (choice == 8) {
    walloc_error error = walloc_reserve(arena, 1 << 20);
    if (error != WALLOC_ERROR_OUT_OF_MEMORY)
      expect_ok(error, "reserve");
  } else {
    expect_ok(walloc_trim(arena), "trim");
  }
}

static void lead(const storm_plan *plan) {
  storm_random random = storm_random_for(plan, STORM_THREADS_MAX);
  keeper keepers[WALLOC_TIERS] = {0};
  for (unsigned round = 0; round < plan->rounds; round++) {
    pthread_barrier_wait(&barrier); /* A */
    for (unsigned tier = 0; tier < WALLOC_TIERS; tier++)
      throw_away(tier, &keepers[tier], round, storm_below(&random, 10));
    pthread_barrier_wait(&barrier); /* B */
  }
}

void storm_run_ordered(const storm_plan *plan) {
  allocator allocators[STORM_THREADS_MAX] = {0};
  pthread_t threads[STORM_THREADS_MAX];
  size_t most = (size_t)plan->rounds * PER_ROUND;
  storm_require(pthread_barrier_init(&barrier, NULL, plan->threads + 1) == 0, "barrier");
  for (unsigned i = 0; i < plan->threads; i++) {
    allocators[i] = (allocator){.plan = plan, .number = i};
    for (unsigned tier = 0; tier < WALLOC_TIERS; tier++) {
      allocators[i].blocks[tier] = malloc(most * sizeof(patterned));
      storm_require(allocators[i].blocks[tier] != NULL, "malloc");
    }
    storm_require(pthread_create(&threads[i], NULL, allocate, &allocators[i]) == 0,
                  "pthread_create");
  }
  lead(plan);
  size_t checked = 0;
  for (unsigned i = 0; i < plan->threads; i++) {
    pthread_join(threads[i], NULL);
    checked += allocators[i].checked;
    for (unsigned tier = 0; tier < WALLOC_TIERS; tier++)
      free(allocators[i].blocks[tier]);
  }
  pthread_barrier_destroy(&barrier);
  if (checked == 0)
    storm_violation("no block was checked");
  printf("  ordered: %zu checks of blocks\n", checked);
}
