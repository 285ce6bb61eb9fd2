/* What an arena costs, as ratios taken in one run:
 *
 *   - 64-byte blocks from a lane, beside a plain pointer bump
 *   - one addition beside a compare-and-swap loop on one word, by 1, 2 and 4 threads
 *   - reset and compact with 1 MiB and with 1 GiB in use
 *
 * Rounds of what is compared alternate, so that a slow moment of the machine meets both; the medians
 * count. Exits with a failure only when an allocation fails. */
#include "clock.h"
#include "plain_bump.h"
#include "walloc.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 31, BLOCKS = 100000, BLOCK = 64, ADDITIONS = 200000, RESETS = 2000, THREADS = 4 };

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values) {
  qsort(values, ROUNDS, sizeof *values, compare);
  return values[ROUNDS / 2];
}

static void require(int holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "%s failed: %s\n", what, walloc_error_text(walloc_last_error()));
    exit(EXIT_FAILURE);
  }
}

/* ---- Lane and plain bump ------------------------------------------------------------------- */

static double time_plain(void) {
  double start = clock_ns();
  for (int i = 0; i < BLOCKS; i++) {
    int *block = plain_bump(BLOCK);
    require(block != NULL, "plain bump");
    *block = i;
  }
  return (clock_ns() - start) / (double)BLOCKS;
}

static double time_lane(walloc_arena *arena) {
  double start = clock_ns();
  for (int i = 0; i < BLOCKS; i++) {
    int *block = walloc_alloc(arena, BLOCK);
    require(block != NULL, "walloc_alloc");
    *block = i;
  }
  return (clock_ns() - start) / (double)BLOCKS;
}

static void compare_lane_with_plain_bump(void) {
  const size_t bytes = (size_t)BLOCKS * BLOCK;
  static double plain[ROUNDS], lane[ROUNDS];
  walloc_arena_config config = {.alignment = 64, .reserve = 2 * bytes, .lane = 65536};
  walloc_arena *arena = walloc_arena_create(&config);
  require(arena != NULL, "walloc_arena_create");
  char *memory = walloc_alloc(arena, bytes);
  require(memory != NULL, "walloc_alloc");
  walloc_mark mark;
  walloc_set_mark(arena, &mark);
  for (int i = 0; i < ROUNDS; i++) {
    plain_bump_begin(memory, bytes);
    plain[i] = time_plain();
    walloc_rewind(mark);
    lane[i] = time_lane(arena);
  }
  walloc_arena_destroy(arena);
  double a = median(lane), b = median(plain);
  printf("64-byte block from a lane: %.2f ns, plain pointer bump: %.2f ns\n", a, b);
  printf("lane / plain bump: %.2f (limit 2)\n", a / b);
}

/* ---- Addition and compare-and-swap --------------------------------------------------------- */

static _Alignas(128) _Atomic uint64_t word; /* written by all threads */

static void *add(void *unused) {
  (void)unused;
  for (int i = 0; i < ADDITIONS; i++)
    atomic_fetch_add_explicit(&word, 8, memory_order_seq_cst); /* as the cursor */
  return NULL;
}

static void *swap(void *unused) {
  (void)unused;
  for (int i = 0; i < ADDITIONS; i++) {
    uint64_t seen = atomic_load_explicit(&word, memory_order_acquire);
    while (!atomic_compare_exchange_weak_explicit(&word, &seen, seen + 8, memory_order_seq_cst,
                                                  memory_order_acquire))
      continue;
  }
  return NULL;
}

static double time_threads(int count, void *(*work)(void *)) {
  pthread_t threads[THREADS];
  double start = clock_ns();
  for (int i = 0; i < count; i++)
    require(pthread_create(&threads[i], NULL, work, NULL) == 0, "pthread_create");
  for (int i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  return (clock_ns() - start) / (double)ADDITIONS;
}

static void compare_addition_with_swap(void) {
  static double added[ROUNDS], swapped[ROUNDS];
  for (int count = 1; count <= THREADS; count *= 2) {
    for (int i = 0; i < ROUNDS; i++) {
      added[i] = time_threads(count, add);
      swapped[i] = time_threads(count, swap);
    }
    double a = median(swapped), b = median(added);
    printf("%d thread%s on one word: compare-and-swap / addition: %.2f (%.1f ns, %.1f ns)\n", count,
           count == 1 ? "" : "s", a / b, a, b);
  }
}

/* ---- Throwing away ------------------------------------------------------------------------- */

static double time_resets(walloc_arena *arena, size_t in_use, int keep) {
  double spent = 0;
  for (int i = 0; i < RESETS; i++) {
    walloc_reset(arena);
    require(walloc_alloc(arena, in_use) != NULL, "walloc_alloc");
    double start = clock_ns();
    if (keep)
      walloc_compact(arena, BLOCK);
    else
      walloc_reset(arena);
    spent += clock_ns() - start;
  }
  return spent / (double)RESETS;
}

static void compare_sizes(const char *what, walloc_arena *arena, int keep) {
  static double small[ROUNDS], large[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    small[i] = time_resets(arena, (size_t)1 << 20, keep);
    large[i] = time_resets(arena, (size_t)1 << 30, keep);
  }
  double a = median(large), b = median(small);
  printf("%s with 1 GiB in use / with 1 MiB: %.2f (%.0f ns, %.0f ns)\n", what, a / b, a, b);
}

static void compare_throwing_away(void) {
  walloc_arena_config config = {.reserve = (size_t)1 << 30};
  walloc_arena *arena = walloc_arena_create(&config);
  require(arena != NULL, "walloc_arena_create");
  compare_sizes("reset", arena, 0);
  compare_sizes("compact", arena, 1);
  walloc_arena_destroy(arena);
}

int main(void) {
  require(walloc_init(NULL) == WALLOC_OK, "walloc_init");
  compare_lane_with_plain_bump();
  compare_addition_with_swap();
  compare_throwing_away();
  return walloc_shutdown() == WALLOC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
