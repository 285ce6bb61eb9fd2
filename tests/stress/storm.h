/* The storm: many threads allocate from the same arenas while another throws them away.
 *
 *     storm.c      runs both parts with 4, 8 and 16 threads; prints and takes the seed
 *     ordered.c    throwing away happens between rounds: every block's bytes and validity are checked
 *     racing.c     throwing away happens at any moment: no two blocks may ever have overlapped
 *     check.c      what is checked about blocks once all threads have ended
 */
#ifndef STORM_H
#define STORM_H

#include "walloc.h"

#include <stdbool.h>
#include <stdint.h>

enum { STORM_THREADS_MAX = 16 };

/* How one storm is run; the same for all its threads, which only read it. */
typedef struct storm_plan {
  unsigned threads; /* that allocate; one more throws away */
  unsigned rounds;  /* of the ordered part */
  unsigned blocks;  /* for each thread in the racing part */
  uint32_t seed;
} storm_plan;

/* Each thread has its own, seeded by its number. */
typedef struct storm_random {
  uint32_t state;
} storm_random;

static inline storm_random storm_random_for(const storm_plan *plan, unsigned thread) {
  return (storm_random){plan->seed * 2654435761u + thread * 40503u + 1};
}

/* From 0 to below - 1. */
static inline uint32_t storm_below(storm_random *random, uint32_t below) {
  random->state = random->state * 1664525u + 1013904223u;
  return (uint32_t)((uint64_t)random->state * below >> 32);
}

/* Mostly small sizes, now and then one above every lane. */
static inline size_t storm_size(storm_random *random) {
  if (storm_below(random, 64) == 0)
    return 1 + storm_below(random, 200000);
  return 1 + storm_below(random, 1 << storm_below(random, 12));
}

/* Violations are counted, and the first few described on stderr. Any thread. */
void storm_violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned storm_violations(void);

/* A program error of the test itself, or of the machine: ends the process. */
_Noreturn void storm_give_up(const char *what);

static inline void storm_require(bool holds, const char *what) {
  if (!holds)
    storm_give_up(what);
}

/* Both parts: each counts its violations. */
void storm_run_ordered(const storm_plan *plan);
void storm_run_racing(const storm_plan *plan);

/* No two blocks of one generation of an arena overlap, nor two that are still valid, of any arena; each is
 * aligned, and lies in one chunk. Sorts the blocks. Alone. */
void storm_check_blocks(walloc_ref *blocks, size_t count);

#endif
