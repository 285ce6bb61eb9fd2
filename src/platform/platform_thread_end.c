/* A pthread library says when a thread ends, by a destructor of thread-specific data. */
#include "platform/platform.h"

#include <pthread.h>

/* The key, made by the first thread that comes: 0 none, 1 in the making, else the key + 2. */
static _Atomic uintptr_t state;

/* Acquire and release: whoever sees the key sees it made. */
static pthread_key_t key_for(void (*end)(void *)) {
  uintptr_t seen = 0;
  if (atomic_compare_exchange_strong_explicit(&state, &seen, 1, memory_order_acquire,
                                              memory_order_acquire)) {
    pthread_key_t key = 0;
    pthread_key_create(&key, end);
    seen = (uintptr_t)key + 2;
    atomic_store_explicit(&state, seen, memory_order_release);
  }
  while (seen == 1)
    seen = atomic_load_explicit(&state, memory_order_acquire);
  return (pthread_key_t)(seen - 2);
}

/* Any value but NULL, for which there would be no call. */
void walloc_platform_at_thread_end(void (*end)(void *)) {
  pthread_setspecific(key_for(end), &state);
}
