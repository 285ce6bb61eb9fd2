/* Memory that another thread has just obtained is accessed atomically, with the baseline compiler (platform.h). The
 * growth happens while the reader runs through a long row of loads, without any loop, and then finds the address.
 * Without walloc_platform_meet_growth it traps within a few growths. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "platform/platform.h"

enum { GROWTHS = 2000 };

#define WASM_PAGE ((size_t)65536)

static uint32_t *_Atomic obtained; /* written by the thread that grows */
static _Atomic unsigned seen;      /* growths, by the reader */
static volatile int number;
static int failure; /* its address says that there was one */

#define FOUR(x) x x x x
#define LOADS FOUR(FOUR(FOUR(FOUR((void)number;))))

static void *grow(void *unused) {
  (void)unused;
  for (unsigned i = 0; i < GROWTHS; i++) {
    size_t end = __builtin_wasm_memory_grow(0, 1);
    if (end == (size_t)-1)
      return &failure;
    uint32_t *memory = (uint32_t *)(end * WASM_PAGE);
    *memory = i + 1;
    atomic_store_explicit(&obtained, memory, memory_order_release);
    while (atomic_load_explicit(&seen, memory_order_acquire) != i + 1) {
    }
  }
  return NULL;
}

static unsigned read_all(void) {
  uint32_t *before = NULL;
  unsigned wrong = 0;
  for (unsigned i = 0; i < GROWTHS;) {
    LOADS
    uint32_t *memory = atomic_load_explicit(&obtained, memory_order_acquire);
    if (memory == before)
      continue;
    walloc_platform_meet_growth(memory);
    wrong += atomic_load_explicit((_Atomic uint32_t *)memory, memory_order_relaxed) != ++i;
    before = memory;
    atomic_store_explicit(&seen, i, memory_order_release);
  }
  return wrong;
}

int main(void) {
  pthread_t grower;
  void *failed;
  if (pthread_create(&grower, NULL, grow, NULL) != 0)
    return 1;
  unsigned wrong = read_all();
  pthread_join(grower, &failed);
  printf("%d growths, %u wrong\n", GROWTHS, wrong);
  return failed != NULL || wrong != 0;
}
