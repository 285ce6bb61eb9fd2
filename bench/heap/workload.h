/* What a workload is, and what all of them share. A workload does the same operations whoever's malloc it
 * runs on and however the threads interleave, so that its checksum proves that the work was done.
 *
 * A call of malloc, calloc, realloc or free is one operation. `begin` and `end` run alone; `run` runs on each
 * of the threads at the same time, and only that is timed. */
#ifndef WALLOC_BENCH_WORKLOAD_H
#define WALLOC_BENCH_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { THREADS_MAX = 4 };

typedef struct result {
  uint64_t operations, checksum;
} result;

typedef struct workload {
  const char *name;
  void (*begin)(unsigned threads); /* may be NULL */
  result (*run)(unsigned thread, unsigned threads);
  result (*end)(void); /* may be NULL */
} workload;

/* Those that a program knows, NULL behind the last. */
extern const workload *const workloads[];

/* A block that holds its size and a number, as the programs that these workloads stand for use what they
 * ask for: its first and last bytes are written, and looked at again before it is freed. */
typedef struct stamp {
  uint32_t size, number;
} stamp;

/* At least sizeof(stamp) bytes. Aborts when out of memory. */
void *stamped(uint32_t size, uint32_t number);

/* Frees a stamped block; its number and size are added to the checksum. Aborts when it was overwritten. */
void free_stamped(void *block, result *sum);

/* Checks it without freeing it. */
void check_stamped(const void *block);

/* Numbers that look random: xorshift (Marsaglia, Journal of Statistical Software 8, 2003). */
static inline uint32_t next_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

static inline uint32_t random_seed(unsigned thread) { return 88675123u + thread * 362436069u; }

static inline uint32_t random_below(uint32_t *state, uint32_t limit) {
  return (uint32_t)((uint64_t)next_random(state) * limit >> 32);
}

/* From 2^from up to below 2^to, every doubling as often as any other. */
static inline uint32_t random_size(uint32_t *state, uint32_t from, uint32_t to) {
  uint32_t doubling = from + random_below(state, to - from);
  return (1u << doubling) + random_below(state, 1u << doubling);
}

#endif
