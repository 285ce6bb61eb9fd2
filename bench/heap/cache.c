/* Whether an allocator puts blocks of two threads into one cache line, after Berger et al., "Hoard" (ASPLOS
 * 2000). Thrash: each thread allocates a small block, writes to it many times and frees it. Scratch: the same,
 * but each begins with the block that the main thread gave it, which lay beside those of the others.
 *
 * Hoard's programs write two million times to each block, and then the calls count for nothing; here it is a
 * hundred times. */
#include "workload.h"

enum { BLOCKS = 2000000, WRITES = 100, SIZE = 8 };

static unsigned char *given[THREADS_MAX]; /* by the main thread, before the others start */

static void write_often(volatile unsigned char *block, result *sum) {
  for (uint32_t i = 0; i < WRITES; i++)
    block[i % SIZE]++;
  sum->checksum += block[0];
}

static result work(unsigned char *block, uint32_t blocks) {
  result sum = {0, 0};
  for (uint32_t i = 0; i < blocks; i++) {
    if (block == NULL)
      block = malloc(SIZE);
    if (block == NULL)
      abort();
    for (int b = 0; b < SIZE; b++)
      block[b] = (unsigned char)i;
    write_often(block, &sum);
    free(block);
    block = NULL;
    sum.operations += 2;
  }
  return sum;
}

static void give(unsigned threads) {
  for (unsigned i = 0; i < threads; i++)
    given[i] = malloc(SIZE);
}

static result scratch(unsigned thread, unsigned threads) {
  return work(given[thread], BLOCKS / threads);
}

static result thrash(unsigned thread, unsigned threads) {
  (void)thread;
  return work(NULL, BLOCKS / threads);
}

const workload cache_scratch = {"cache-scratch", give, scratch, NULL};
const workload cache_thrash = {"cache-thrash", NULL, thrash, NULL};
