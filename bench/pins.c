/* What pins, frames and contexts cost, as ratios taken in one run:
 *
 *   - pin and unpin, also one within another, beside a 64-byte block from a lane
 *   - a reset of an arena that was pinned once, by one and by 16 threads, beside one that never was
 *   - an advance of frames beside that reset
 *   - retain and release beside the block
 *
 * Rounds of what is compared alternate; the medians count. Exits with a failure only when a call fails. */
#include "clock.h"
#include "walloc.h"
#include "walloc_context.h"
#include "walloc_frames.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 31, TIMES = 20000, BLOCK = 64, THREADS = 16 };

typedef struct series {
  const char *name;
  void (*once)(void);
  double ns[ROUNDS];
} series;

static walloc_arena *allocated, *never, *pinned, *outer;
static walloc_frames *frames;
static walloc_context context;

static void require(int holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "%s failed: %s\n", what, walloc_error_text(walloc_last_error()));
    exit(EXIT_FAILURE);
  }
}

static void allocate(void) { require(walloc_alloc(allocated, BLOCK) != NULL, "walloc_alloc"); }

static void pin_and_unpin(void) {
  require(walloc_pin(pinned) == WALLOC_OK, "walloc_pin");
  require(walloc_unpin(pinned) == WALLOC_OK, "walloc_unpin");
}

static void pin_again_and_unpin(void) {
  require(walloc_pin(outer) == WALLOC_OK, "walloc_pin");
  require(walloc_unpin(outer) == WALLOC_OK, "walloc_unpin");
}

static void reset_never(void) { require(walloc_reset(never) == WALLOC_OK, "walloc_reset"); }

static void reset_pinned(void) { require(walloc_reset(pinned) == WALLOC_OK, "walloc_reset"); }

static void advance(void) { require(walloc_frames_advance(frames) == WALLOC_OK, "advance"); }

static void retain_and_release(void) {
  require(walloc_context_retain(context) == WALLOC_OK, "walloc_context_retain");
  require(walloc_context_release(context) == WALLOC_OK, "walloc_context_release");
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values) {
  qsort(values, ROUNDS, sizeof *values, compare);
  return values[ROUNDS / 2];
}

/* Each beside the first. */
static void measure(series *all, int count) {
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < count; i++) {
      double start = clock_ns();
      for (int n = 0; n < TIMES; n++)
        all[i].once();
      all[i].ns[round] = (clock_ns() - start) / (double)TIMES;
    }
    walloc_reset(allocated);
  }
  double first = median(all[0].ns);
  for (int i = 1; i < count; i++) {
    double own = median(all[i].ns);
    printf("%s / %s: %.2f (%.1f ns, %.1f ns)\n", all[i].name, all[0].name, own / first, own, first);
  }
}

static void *pin_once(void *barrier) {
  pin_and_unpin();
  pthread_barrier_wait(barrier); /* so that each has a row of its own */
  return NULL;
}

static void pin_by_many(void) {
  pthread_t threads[THREADS];
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int i = 0; i < THREADS; i++)
    require(pthread_create(&threads[i], NULL, pin_once, &barrier) == 0, "pthread_create");
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&barrier);
}

static void begin(void) {
  require(walloc_init(NULL) == WALLOC_OK, "walloc_init");
  allocated = walloc_arena_create(&(walloc_arena_config){.reserve = (size_t)2 * TIMES * BLOCK});
  never = walloc_arena_create(NULL);
  pinned = walloc_arena_create(NULL);
  outer = walloc_arena_create(NULL);
  frames = walloc_frames_create(NULL);
  require(allocated != NULL && never != NULL && pinned != NULL && outer != NULL && frames != NULL,
          "create");
  context = walloc_context_create(allocated, 0);
  require(context != WALLOC_NO_CONTEXT, "walloc_context_create");
  require(walloc_pin(outer) == WALLOC_OK, "walloc_pin");
  pin_and_unpin();
}

int main(void) {
  static series calls[] = {{.name = "a block from a lane", .once = allocate},
                           {.name = "pin and unpin", .once = pin_and_unpin},
                           {.name = "pin and unpin within a pin", .once = pin_again_and_unpin},
                           {.name = "retain and release", .once = retain_and_release}};
  static series few[] = {{.name = "never pinned", .once = reset_never},
                         {.name = "a reset where 1 thread has pinned", .once = reset_pinned},
                         {.name = "an advance of frames", .once = advance}};
  static series many[] = {{.name = "never pinned", .once = reset_never},
                          {.name = "a reset where 17 threads have pinned", .once = reset_pinned}};
  begin();
  measure(calls, 4);
  measure(few, 3);
  pin_by_many();
  measure(many, 2);
  require(walloc_unpin(outer) == WALLOC_OK, "walloc_unpin");
  return walloc_shutdown() == WALLOC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
