/* An Emscripten program of one thread (without -pthread): there is nobody to wait for, and nobody to wake. No lock is
 * ever found taken, so what would wait is never reached; where somebody asks whether waiting is possible, as
 * walloc_queue_wait does on an empty queue, it is not. */
#include "platform/platform.h"

bool walloc_platform_can_wait(void) { return false; }

void walloc_platform_wait(_Atomic uint32_t *word, uint32_t expected) {
  (void)word;
  (void)expected;
}

void walloc_platform_wait_for(_Atomic uint32_t *word, uint32_t expected, uint64_t nanoseconds) {
  (void)word;
  (void)expected;
  (void)nanoseconds;
}

void walloc_platform_wake(_Atomic uint32_t *word) { (void)word; }

void walloc_platform_wake_all(_Atomic uint32_t *word) { (void)word; }

/* The one thread ends with the program. */
void walloc_platform_at_thread_end(void (*end)(void *)) { (void)end; }
