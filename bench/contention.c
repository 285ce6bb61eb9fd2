/* Threads that take blocks at the same time, three ways: the C library's malloc and free, an arena with one cursor
 * for all threads, an arena with a lane for each. Prints a line of JSON for each number of threads, so that curves
 * can grow while it runs: www/contention shows them.
 *
 *     contention [threads at most] [milliseconds for each]
 *
 * A thread takes 64 blocks of 64 bytes and writes to them; then malloc frees them, and each thread resets the arena
 * after 256 rounds of its own. Blocks of other threads may be thrown away by that while they are written: they are
 * scratch, nobody reads them. */
#include "clock.h"
#include "walloc.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS_MAX = 16, BATCH = 64, BLOCK = 64, ROUNDS_TO_RESET = 256 };

typedef enum way { WAY_MALLOC, WAY_CURSOR, WAY_LANES, WAYS } way;
static const char *const names[WAYS] = {"malloc", "cursor", "lanes"};

/* Written by the first thread while no other runs. */
static walloc_arena *arenas[WAYS];
static way current;

static _Atomic int ready; /* threads that wait for the start; counted up by each */
/* Written by the first thread. A thread that gets no processor between the two signs sees the second alone. */
static _Atomic int sign;
enum { WAIT, START, END };
static _Atomic int failed;

typedef struct worker {
  _Alignas(128) pthread_t thread;
  uint64_t blocks; /* written at the end, read after the join */
} worker;

static worker workers[THREADS_MAX];

static void *take(void) {
  return current == WAY_MALLOC ? malloc(BLOCK) : walloc_alloc(arenas[current], BLOCK);
}

static void round_of(uint64_t round) {
  uint64_t *taken[BATCH];
  int count = 0;
  for (; count < BATCH; count++) {
    taken[count] = take();
    if (taken[count] == NULL) {
      atomic_store_explicit(&failed, 1, memory_order_relaxed); /* read after the join */
      break;
    }
    *taken[count] = round;
  }
  if (current == WAY_MALLOC) {
    for (int i = 0; i < count; i++)
      free(taken[i]);
  } else if (round % ROUNDS_TO_RESET == 0) {
    walloc_reset(arenas[current]);
  }
}

/* Whoever waits leaves the processor to the others, who may not even have begun: there may be fewer processors than
 * threads, and in a browser the threads that begin them are among those who need one. */
static void nap(long nanoseconds) {
  struct timespec pause = {0, nanoseconds};
  nanosleep(&pause, NULL);
}

/* At least one round, so that it counts also where the end comes at once. Relaxed: the words carry nothing but
 * themselves; creation and join order the rest. */
static void *work(void *argument) {
  worker *self = argument;
  atomic_fetch_add_explicit(&ready, 1, memory_order_relaxed);
  while (atomic_load_explicit(&sign, memory_order_relaxed) == WAIT)
    nap(100000);
  uint64_t round = 0;
  do
    round_of(++round);
  while (atomic_load_explicit(&sign, memory_order_relaxed) == START &&
         atomic_load_explicit(&failed, memory_order_relaxed) == 0);
  self->blocks = round * BATCH;
  return NULL;
}

static void start(int threads) {
  atomic_store_explicit(&ready, 0, memory_order_relaxed);
  atomic_store_explicit(&sign, WAIT, memory_order_relaxed);
  for (int i = 0; i < threads; i++) {
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
      exit(EXIT_FAILURE);
  }
  while (atomic_load_explicit(&ready, memory_order_relaxed) < threads)
    nap(100000);
}

/* Millions of blocks each second, of all threads together. */
static double measure(int threads, double milliseconds) {
  start(threads);
  double begin = clock_ns();
  atomic_store_explicit(&sign, START, memory_order_relaxed);
  while (clock_ns() - begin < milliseconds * 1e6)
    nap(1000000);
  atomic_store_explicit(&sign, END, memory_order_relaxed);
  uint64_t blocks = 0;
  for (int i = 0; i < threads; i++) {
    pthread_join(workers[i].thread, NULL);
    blocks += workers[i].blocks;
  }
  return (double)blocks / (clock_ns() - begin) * 1e3;
}

int main(int count, char **values) {
  long most = count > 1 ? strtol(values[1], NULL, 10) : 4;
  long milliseconds = count > 2 ? strtol(values[2], NULL, 10) : 200;
  if (most < 1 || most > THREADS_MAX || milliseconds < 1) {
    fprintf(stderr, "usage: contention [threads, 1 to %d] [milliseconds]\n", THREADS_MAX);
    return EXIT_FAILURE;
  }
  walloc_config config = {.maximum = (size_t)1 << 30};
  if (walloc_init(&config) != WALLOC_OK)
    return EXIT_FAILURE;
  arenas[WAY_CURSOR] = walloc_arena_create(
      &(walloc_arena_config){.alignment = BLOCK, .lane = WALLOC_NO_LANE, .reserve = 16 << 20});
  arenas[WAY_LANES] =
      walloc_arena_create(&(walloc_arena_config){.alignment = BLOCK, .reserve = 16 << 20});
  if (arenas[WAY_CURSOR] == NULL || arenas[WAY_LANES] == NULL)
    return EXIT_FAILURE;
  for (int threads = 1; threads <= (int)most; threads++) {
    printf("{\"threads\": %d", threads);
    for (int i = 0; i < WAYS; i++) {
      current = (way)i;
      printf(", \"%s\": %.4g", names[i], measure(threads, (double)milliseconds));
      if (i != WAY_MALLOC)
        walloc_reset(arenas[i]);
    }
    printf("}\n");
    fflush(stdout);
  }
  return atomic_load_explicit(&failed, memory_order_relaxed) ? EXIT_FAILURE : EXIT_SUCCESS;
}
