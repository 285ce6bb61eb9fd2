/* Waiting, waking and thread identity in WebAssembly, linked and attached alike. */
#include "platform/platform.h"

/* Its address is the thread's identity: every thread has its own copy, and pthread_self is NULL in
 * threads that no pthread library started. */
static _Thread_local uint32_t identity;

uint32_t walloc_platform_thread(void) { return (uint32_t)(uintptr_t)&identity; }

#ifdef __wasm_atomics__

void walloc_platform_wait(_Atomic uint32_t *word, uint32_t expected) {
  __builtin_wasm_memory_atomic_wait32((int32_t *)(uintptr_t)word, (int32_t)expected, -1);
}

void walloc_platform_wake(_Atomic uint32_t *word) {
  __builtin_wasm_memory_atomic_notify((int32_t *)(uintptr_t)word, 1);
}

#else /* one thread: a lock is never found taken */

void walloc_platform_wait(_Atomic uint32_t *word, uint32_t expected) {
  (void)word;
  (void)expected;
}

void walloc_platform_wake(_Atomic uint32_t *word) { (void)word; }

#endif
