/* A program that uses memory and, told so, then reads stale memory: see stale_reads.cmake, which runs it.
 *
 *     stale_read           uses everything in order: exits with 0
 *     stale_read WHAT      reads one byte that was thrown away: under the address sanitizer it ends there */
#include "walloc.h"
#include "walloc_reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool holds) {
  if (!holds)
    exit(3);
}

static walloc_arena *new_arena(size_t lane) {
  walloc_arena *arena = walloc_arena_create(&(walloc_arena_config){.lane = lane});
  require(arena != NULL);
  return arena;
}

static char *fill(void *block, size_t size) {
  require(block != NULL);
  return memset(block, 0x5A, size);
}

/* Each gives the address of a byte that was thrown away. */

static const char *reset_lane(void) {
  walloc_arena *arena = new_arena(0);
  const char *block = fill(walloc_alloc(arena, 100), 100);
  require(walloc_reset(arena) == WALLOC_OK);
  return block + 99;
}

static const char *reset_large(void) {
  walloc_arena *arena = new_arena(WALLOC_NO_LANE);
  const char *block = fill(walloc_alloc(arena, 3 << 20), 3 << 20);
  require(walloc_reset(arena) == WALLOC_OK);
  fill(walloc_alloc(arena, 1000), 1000);
  return block + 1008;
}

static const char *compacted(void) {
  walloc_arena *arena = new_arena(WALLOC_NO_LANE);
  char *kept = fill(walloc_alloc(arena, 64), 64), *gone = fill(walloc_alloc(arena, 64), 64);
  require(walloc_compact(arena, 64) == WALLOC_OK);
  fill(kept, 64);
  return gone;
}

static const char *rewound(void) {
  walloc_arena *arena = new_arena(0);
  walloc_mark mark;
  char *kept = fill(walloc_alloc(arena, 64), 64);
  require(walloc_set_mark(arena, &mark) == WALLOC_OK);
  const char *gone = fill(walloc_alloc_aligned(arena, 64, 4096), 64);
  require(walloc_rewind(mark) == WALLOC_OK);
  fill(kept, 64);
  return gone + 63;
}

static const char *destroyed(void) {
  walloc_arena *arena = new_arena(0);
  const char *gone = fill(walloc_alloc(arena, 1000), 1000);
  require(walloc_arena_destroy(arena) == WALLOC_OK);
  return gone;
}

static const char *behind_block(void) {
  return fill(walloc_alloc(walloc_tier(WALLOC_RENDER), 100), 100) + 100;
}

static const char *freed(size_t size, size_t at) {
  char *block = fill(walloc_malloc(size), size);
  void *volatile other = walloc_malloc(size);
  walloc_free(block);
  walloc_free(other);
  return block + at;
}

static const char *freed_small(void) { return freed(100, 16); }
static const char *freed_large(void) { return freed(100000, 99999); }
static const char *freed_huge(void) { return freed(9 << 20, 0); }

static const char *freed_by_reference(void) {
  walloc_ref ref = walloc_malloc_ref(100);
  const char *block = fill(ref.address, 100);
  require(walloc_free_ref(ref) == WALLOC_OK);
  return block + 50;
}

static const char *behind_reference(void) {
  return fill(walloc_malloc_ref(100).address, 100) + 100;
}

static const struct {
  const char *name;
  const char *(*throw_away)(void);
} kinds[] = {{"reset_lane", reset_lane},
             {"reset_large", reset_large},
             {"compacted", compacted},
             {"rewound", rewound},
             {"destroyed", destroyed},
             {"behind_block", behind_block},
             {"freed_small", freed_small},
             {"freed_large", freed_large},
             {"freed_huge", freed_huge},
             {"freed_by_reference", freed_by_reference},
             {"behind_reference", behind_reference}};

int main(int count, char **values) {
  require(walloc_init(NULL) == WALLOC_OK);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    const volatile char *stale = kinds[i].throw_away();
    if (count < 2 || strcmp(values[1], kinds[i].name) != 0)
      continue;
    printf("reading\n");
    fflush(stdout);
    printf("read %d\n", *stale);
  }
  return walloc_shutdown() == WALLOC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
