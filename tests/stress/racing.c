/* The racing part of the storm: one thread resets, compacts, marks, rewinds, reserves and trims without
 * pause, while all others allocate.
 *
 * What may be thrown away at any moment must not be written to, or two threads would write the same
 * memory: of those blocks only the references are kept, and checked when all have ended. One arena more
 * is never thrown away, only marked, trimmed and preserved, and soon full: its blocks carry patterns, which
 * would show if anything of it were handed out a second time. */
#include "stress/storm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_EVERY = 8 }; /* one block of so many is of the arena that is kept */

typedef struct allocator {
  const storm_plan *plan;
  walloc_arena *kept_arena;
  unsigned number;
  walloc_ref *blocks; /* written by this thread; read after the join */
  size_t count;
  walloc_ref *kept;
  size_t kept_count;
  size_t refused;
} allocator;

static _Atomic bool done; /* written by the main thread, after it has joined the allocators */

static unsigned char pattern_of(const walloc_ref *block) {
  return (unsigned char)((uintptr_t)block->address >> 3 ^ block->size ^ 0x5A);
}

static void take_kept(allocator *self, size_t size) {
  walloc_ref block = walloc_alloc_ref(self->kept_arena, size);
  if (block.address == NULL)
    return;
  memset(block.address, pattern_of(&block), block.size);
  self->kept[self->kept_count++] = block;
}

static void take_racing(allocator *self, storm_random *random, size_t size) {
  walloc_arena *arena = walloc_tier((walloc_tier_id)storm_below(random, WALLOC_TIERS));
  walloc_ref block = storm_below(random, 8) == 0 ? walloc_alloc_aligned_ref(arena, size, 512)
                                                 : walloc_alloc_ref(arena, size);
  if (block.address != NULL) {
    self->blocks[self->count++] = block;
    return;
  }
  self->refused++;
  if (walloc_last_error() != WALLOC_ERROR_OUT_OF_MEMORY &&
      walloc_last_error() != WALLOC_ERROR_LIMIT)
    storm_violation("%zu bytes refused: %s", size, walloc_error_text(walloc_last_error()));
}

static void *allocate(void *argument) {
  allocator *self = argument;
  storm_random random = storm_random_for(self->plan, self->number);
  for (unsigned i = 0; i < self->plan->blocks; i++) {
    size_t size = storm_size(&random);
    if (i % KEPT_EVERY == 0)
      take_kept(self, size < 256 ? size : 256);
    else
      take_racing(self, &random, size);
  }
  return NULL;
}

/* What takes nothing away, on the arena that is kept. */
static void disturb(walloc_arena *kept) {
  walloc_mark mark;
  walloc_error error = walloc_set_mark(kept, &mark);
  if (error != WALLOC_OK)
    storm_violation("a mark was refused: %s", walloc_error_text(error));
  walloc_preserve(kept);
  walloc_trim(kept);
}

static void throw_away_once(walloc_arena *arena, uint32_t choice) {
  walloc_mark mark;
  switch (choice) {
  case 0:
    walloc_reset(arena);
    return;
  case 1: /* what is used may have shrunk meanwhile: then it is refused, and nothing happens */
    walloc_compact(arena, walloc_used(arena) / 2);
    return;
  case 2:
    if (walloc_set_mark(arena, &mark) == WALLOC_OK)
      walloc_rewind(mark);
    return;
  case 3:
    walloc_reserve(arena, 1 << 20);
    return;
  case 4:
    walloc_trim(arena);
    return;
  default:
    walloc_preserve(arena);
    return;
  }
}

typedef struct thrower {
  const storm_plan *plan;
  walloc_arena *kept_arena;
} thrower;

static void *throw_away(void *argument) {
  const thrower *self = argument;
  storm_random random = storm_random_for(self->plan, STORM_THREADS_MAX);
  size_t used = 0;
  while (!atomic_load_explicit(&done, memory_order_acquire)) {
    walloc_arena *arena = walloc_tier((walloc_tier_id)storm_below(&random, WALLOC_TIERS));
    throw_away_once(arena, storm_below(&random, 6));
    disturb(self->kept_arena);
    if (walloc_used(self->kept_arena) < used)
      storm_violation("less is used of the kept arena than before");
    used = walloc_used(self->kept_arena);
    walloc_arena *other = walloc_arena_create(NULL); /* takes pages, and gives them back */
    if (other != NULL) {
      walloc_alloc(other, 1 + storm_below(&random, 100000));
      walloc_arena_destroy(other);
    }
  }
  return NULL;
}

static void check_kept(const allocator *self) {
  for (size_t i = 0; i < self->kept_count; i++) {
    const walloc_ref *block = &self->kept[i];
    if (!walloc_ref_valid(*block))
      storm_violation("%p of the kept arena is stale", block->address);
    for (size_t at = 0; at < block->size; at++) {
      if (((unsigned char *)block->address)[at] != pattern_of(block)) {
        storm_violation("%p of the kept arena was overwritten", block->address);
        break;
      }
    }
  }
}

static void check_all(const storm_plan *plan, allocator *allocators) {
  size_t count = 0, refused = 0;
  walloc_ref *all = malloc(((size_t)plan->threads * plan->blocks + 1) * sizeof *all);
  storm_require(all != NULL, "malloc");
  for (unsigned i = 0; i < plan->threads; i++) {
    check_kept(&allocators[i]);
    memcpy(all + count, allocators[i].blocks, allocators[i].count * sizeof *all);
    count += allocators[i].count;
    memcpy(all + count, allocators[i].kept, allocators[i].kept_count * sizeof *all);
    count += allocators[i].kept_count;
    refused += allocators[i].refused;
    free(allocators[i].blocks);
    free(allocators[i].kept);
  }
  if (count == 0)
    storm_violation("no block was handed out");
  storm_check_blocks(all, count);
  free(all);
  walloc_arena_stats stats;
  walloc_get_arena_stats(walloc_tier(WALLOC_RENDER), &stats);
  printf("  racing: %zu blocks, %zu refused, render tier thrown away %llu times\n", count, refused,
         (unsigned long long)stats.resets);
}

void storm_run_racing(const storm_plan *plan) {
  static allocator allocators[STORM_THREADS_MAX];
  pthread_t threads[STORM_THREADS_MAX], throwing;
  walloc_arena_config config = {.alignment = 32, .lane = 4096, .hard_budget = 4 << 20};
  walloc_arena *kept = walloc_arena_create(&config);
  storm_require(kept != NULL, "walloc_arena_create");
  atomic_store_explicit(&done, false, memory_order_release);
  for (unsigned i = 0; i < plan->threads; i++) {
    allocators[i] = (allocator){.plan = plan, .kept_arena = kept, .number = i};
    allocators[i].blocks = malloc(plan->blocks * sizeof(walloc_ref));
    allocators[i].kept = malloc(plan->blocks * sizeof(walloc_ref));
    storm_require(allocators[i].blocks != NULL && allocators[i].kept != NULL, "malloc");
  }
  thrower thrower_of_all = {plan, kept};
  storm_require(pthread_create(&throwing, NULL, throw_away, &thrower_of_all) == 0,
                "pthread_create");
  for (unsigned i = 0; i < plan->threads; i++)
    storm_require(pthread_create(&threads[i], NULL, allocate, &allocators[i]) == 0,
                  "pthread_create");
  for (unsigned i = 0; i < plan->threads; i++)
    pthread_join(threads[i], NULL);
  atomic_store_explicit(&done, true, memory_order_release);
  pthread_join(throwing, NULL);
  check_all(plan, allocators);
}
