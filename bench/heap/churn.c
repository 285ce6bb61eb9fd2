/* A table of blocks of 16 bytes to 64 KiB, replaced at random. */
#include "workload.h"

enum { BLOCKS = 1024, REPLACEMENTS = 2400000 };

static result run(unsigned thread, unsigned threads) {
  static void *tables[THREADS_MAX][BLOCKS]; /* each its thread's own */
  void **blocks = tables[thread];
  uint32_t random = random_seed(thread), replacements = REPLACEMENTS / threads;
  result sum = {0, 0};
  for (uint32_t i = 0; i < replacements; i++) {
    uint32_t slot = random_below(&random, BLOCKS);
    if (blocks[slot] != NULL)
      free_stamped(blocks[slot], &sum);
    blocks[slot] = stamped(random_size(&random, 4, 16), i);
  }
  sum.operations += replacements;
  for (int i = 0; i < BLOCKS; i++)
    if (blocks[i] != NULL)
      free_stamped(blocks[i], &sum);
  return sum;
}

const workload churn = {"churn", NULL, run, NULL};
