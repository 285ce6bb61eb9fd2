/* Threads that start, allocate, and end; half of what they leave is freed by whoever waited for them. */
#include "workload.h"

#include <pthread.h>

enum { STARTS = 240, BLOCKS = 600 };

typedef struct life {
  uint32_t random;
  result sum;
  void *blocks[BLOCKS];
} life;

static void *live(void *argument) {
  life *l = argument;
  for (int i = 0; i < BLOCKS; i++)
    l->blocks[i] = stamped(random_size(&l->random, 4, 11), (uint32_t)i);
  for (int i = 0; i < BLOCKS; i += 2)
    free_stamped(l->blocks[i], &l->sum);
  l->sum.operations += BLOCKS;
  return NULL;
}

static result run(unsigned thread, unsigned threads) {
  static life lives[THREADS_MAX]; /* each its thread's own */
  life *l = &lives[thread];
  l->random = random_seed(thread);
  for (uint32_t i = 0; i < STARTS / threads; i++) {
    pthread_t id;
    if (pthread_create(&id, NULL, live, l) != 0)
      abort();
    pthread_join(id, NULL);
    for (int b = 1; b < BLOCKS; b += 2)
      free_stamped(l->blocks[b], &l->sum);
  }
  return l->sum;
}

const workload short_threads = {"threads", NULL, run, NULL};
