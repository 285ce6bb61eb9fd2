/* Mixed sizes and lifetimes, after the stress test that Leijen, Zorn and de Moura describe with mimalloc (APLAS
 * 2019): a thread makes many blocks that die soon, some that it keeps, and exchanges some with other threads,
 * which free them. */
#include "workload.h"

#include <stdatomic.h>

enum { ROUNDS = 240, STEPS = 24000, RECENT = 512, KEPT = 2048, EXCHANGED = 1024 };

/* Written by all threads, by exchange; acquire and release: a block comes with what is in it. */
static void *_Atomic exchanged[EXCHANGED];

typedef struct lives {
  uint32_t random;
  result sum;
  void *recent[RECENT], *kept[KEPT];
} lives;

/* Most are small; one in a hundred has up to 4 KiB, one in two thousand up to 128 KiB. */
static void *new_block(lives *l) {
  uint32_t kind = random_below(&l->random, 2000);
  uint32_t size = kind == 0   ? random_size(&l->random, 12, 17)
                  : kind < 20 ? random_size(&l->random, 9, 12)
                              : random_size(&l->random, 3, 9);
  l->sum.operations++;
  return stamped(size, l->random);
}

static void replace(lives *l, void **slot) {
  if (*slot != NULL)
    free_stamped(*slot, &l->sum);
  *slot = new_block(l);
}

static void exchange(lives *l) {
  void *mine = new_block(l);
  void *other = atomic_exchange_explicit(&exchanged[random_below(&l->random, EXCHANGED)], mine,
                                         memory_order_acq_rel);
  if (other != NULL)
    free_stamped(other, &l->sum);
}

static void step(lives *l, uint32_t i) {
  replace(l, &l->recent[i % RECENT]);
  if (i % 8 == 0)
    replace(l, &l->kept[random_below(&l->random, KEPT)]);
  if (i % 16 == 0)
    exchange(l);
}

static void drop(lives *l, void **slots, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (slots[i] != NULL)
      free_stamped(slots[i], &l->sum);
    slots[i] = NULL;
  }
}

static lives all_lives[THREADS_MAX]; /* each its thread's own */

static result run(unsigned thread, unsigned threads) {
  lives *l = &all_lives[thread];
  l->random = random_seed(thread);
  for (uint32_t round = 0; round < ROUNDS / threads; round++) {
    for (uint32_t i = 0; i < STEPS; i++)
      step(l, i);
    drop(l, l->recent, RECENT);
  }
  drop(l, l->kept, KEPT);
  return l->sum;
}

/* What is left in the exchange belongs to the work of all. */
static result end(void) {
  result sum = {0, 0};
  for (int i = 0; i < EXCHANGED; i++)
    if (exchanged[i] != NULL)
      free_stamped(exchanged[i], &sum);
  return sum;
}

const workload mstress = {"mstress", NULL, run, end};
