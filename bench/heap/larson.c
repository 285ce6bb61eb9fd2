/* A server, after Larson and Krishnan, "Memory allocation for long-running server applications" (ISMM 1998):
 * each thread replaces blocks of random sizes in a table; after a while it ends, and a new thread goes on with
 * its table, so that most blocks are freed by another thread than the one they are from. */
#include "workload.h"

#include <pthread.h>

enum { BLOCKS = 1000, GENERATIONS = 5, REPLACEMENTS = 6000000, SIZE_LEAST = 10, SIZE_MOST = 500 };

typedef struct table {
  uint32_t random, replacements;
  result sum;
  void *blocks[BLOCKS];
} table;

static table tables[THREADS_MAX]; /* each is that of one thread at a time */

static void *new_block(table *t) {
  t->sum.operations++;
  uint32_t size = SIZE_LEAST + random_below(&t->random, SIZE_MOST - SIZE_LEAST);
  return stamped(size, t->random);
}

static void begin(unsigned threads) {
  for (unsigned i = 0; i < threads; i++) {
    tables[i].random = random_seed(i);
    tables[i].replacements = REPLACEMENTS / threads / GENERATIONS;
    for (int b = 0; b < BLOCKS; b++)
      tables[i].blocks[b] = new_block(&tables[i]);
  }
}

static void *live(void *argument) {
  table *t = argument;
  for (uint32_t i = 0; i < t->replacements; i++) {
    void **block = &t->blocks[random_below(&t->random, BLOCKS)];
    free_stamped(*block, &t->sum);
    *block = new_block(t);
  }
  return NULL;
}

/* The one who asked for the server only waits. */
static result run(unsigned thread, unsigned threads) {
  (void)threads;
  table *t = &tables[thread];
  for (int i = 0; i < GENERATIONS; i++) {
    pthread_t id;
    if (pthread_create(&id, NULL, live, t) != 0)
      abort();
    pthread_join(id, NULL);
  }
  for (int b = 0; b < BLOCKS; b++)
    free_stamped(t->blocks[b], &t->sum);
  return t->sum;
}

const workload larson = {"larson", begin, run, NULL};
