/* The tightest loop there is: a block, and back it goes. */
#include "workload.h"

enum { PAIRS = 12000000, SIZE = 32 };

static result run(unsigned thread, unsigned threads) {
  result sum = {0, 0};
  uint32_t pairs = PAIRS / threads;
  for (uint32_t i = 0; i < pairs; i++) {
    uint32_t *volatile block = malloc(SIZE);
    if (block == NULL)
      abort();
    *block = i ^ thread;
    sum.checksum += *block;
    free(block);
  }
  sum.operations = (uint64_t)pairs * 2;
  return sum;
}

const workload pair = {"pair", NULL, run, NULL};
