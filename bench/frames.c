/* One frame's work, over and over: every thread takes blocks for the frame and writes to them; at its end
 * all are thrown away. walloc resets one tier for all threads; a malloc frees block by block.
 *
 *     frames [threads] [frames] [blocks]     prints nanoseconds for each block and thread
 *
 * Compiled with BENCH_MALLOC it uses the C library's malloc, whichever it was linked with, and nothing of
 * walloc. The frame's barrier is part of both, and small beside thousands of blocks. */
#include "clock.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef BENCH_MALLOC
#include "walloc.h"
#endif

enum { THREADS_MAX = 16, SIZES = 1024 };

static uint16_t sizes[SIZES]; /* written before the threads start */
static int threads = 1;
static int frames = 200;
static int blocks = 10000;
static pthread_barrier_t barrier;
static _Atomic int failed; /* set by any thread */

/* 16 to 512 bytes, small ones more often. */
static void choose_sizes(void) {
  uint32_t random = 12345;
  for (int i = 0; i < SIZES; i++) {
    random = random * 1664525u + 1013904223u;
    uint32_t most = 32u << (random >> 28) % 5;
    sizes[i] = (uint16_t)(16 + (random >> 8) % (most - 15));
  }
}

static void *take(size_t size) {
#ifdef BENCH_MALLOC
  return malloc(size);
#else
  return walloc_tier_alloc(WALLOC_ENTITY, size);
#endif
}

/* The end of a frame: alone is the one thread that the barrier chose, when no other is at work. */
static void throw_away(void **taken) {
#ifdef BENCH_MALLOC
  for (int i = 0; i < blocks; i++)
    free(taken[i]);
  pthread_barrier_wait(&barrier);
#else
  (void)taken;
  // NOLINTNEXTLINE(bugprone-posix-return): this constant is one of its results
  if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
    walloc_reset(walloc_tier(WALLOC_ENTITY));
#endif
  pthread_barrier_wait(&barrier);
}

static void *work(void *taken_blocks) {
  void **taken = taken_blocks;
  for (int frame = 0; frame < frames; frame++) {
    for (int i = 0; i < blocks; i++) {
      uint64_t *block = take(sizes[(i + frame) % SIZES]);
      if (block == NULL) {
        atomic_store_explicit(&failed, 1, memory_order_relaxed); /* read after the join */
        break;
      }
      *block = (uint64_t)i;
      taken[i] = block;
    }
    throw_away(taken);
  }
  return NULL;
}

/* The time of all frames, from the first thread's start to the last one's end. */
static double run(void) {
  pthread_t all[THREADS_MAX];
  void **taken = calloc((size_t)threads * (size_t)blocks, sizeof(void *));
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  double start = clock_ns();
  for (int i = 0; i < threads; i++) {
    if (pthread_create(&all[i], NULL, work, taken + (size_t)i * (size_t)blocks) != 0)
      exit(EXIT_FAILURE);
  }
  for (int i = 0; i < threads; i++)
    pthread_join(all[i], NULL);
  double elapsed = clock_ns() - start;
  pthread_barrier_destroy(&barrier);
  free(taken);
  return elapsed;
}

static int argument(int count, char **values, int which, int otherwise) {
  return count > which ? (int)strtol(values[which], NULL, 10) : otherwise;
}

int main(int count, char **values) {
  threads = argument(count, values, 1, threads);
  frames = argument(count, values, 2, frames);
  blocks = argument(count, values, 3, blocks);
  if (threads < 1 || threads > THREADS_MAX || frames < 1 || blocks < 1) {
    fprintf(stderr, "usage: frames [threads, 1 to %d] [frames] [blocks]\n", THREADS_MAX);
    return EXIT_FAILURE;
  }
  choose_sizes();
#ifndef BENCH_MALLOC
  if (walloc_init(NULL) != WALLOC_OK)
    return EXIT_FAILURE;
#endif
  double elapsed = run();
  if (atomic_load_explicit(&failed, memory_order_relaxed)) {
    fprintf(stderr, "out of memory\n");
    return EXIT_FAILURE;
  }
  printf("%.2f\n", elapsed / ((double)frames * blocks));
  return EXIT_SUCCESS;
}
