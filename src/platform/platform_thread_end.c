/* A pthread library says when a thread ends, by a destructor of thread-specific data. */
#include "platform/platform.h"

#include <pthread.h>

/* The key + 1, 0: none yet. Written once, by compare-and-swap. */
static _Atomic uintptr_t state;

/* Of two threads that make one at the same time, one takes its own back. So nobody waits for another, who may
 * have been killed: that costs one key. Acquire and release: whoever sees the key sees it made. */
static pthread_key_t key_for(void (*end)(void *)) {
  pthread_key_t key = 0;
  uintptr_t seen = atomic_load_explicit(&state, memory_order_acquire);
  if (seen != 0)
    return (pthread_key_t)(seen - 1);
  pthread_key_create(&key, end);
  if (atomic_compare_exchange_strong_explicit(&state, &seen, (uintptr_t)key + 1,
                                              memory_order_acq_rel, memory_order_acquire))
    return key;
  pthread_key_delete(key);
  return (pthread_key_t)(seen - 1);
}

/* Any value but NULL, for which there would be no call. */
void walloc_platform_at_thread_end(void (*end)(void *)) {
  pthread_setspecific(key_for(end), &state);
}
