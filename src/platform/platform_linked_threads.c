/* Waiting in an Emscripten program with threads (-pthread). Any thread. */
#include "platform/platform.h"

#include <emscripten/threading.h>
#include <limits.h>
#include <math.h>

/* Of Emscripten's pthread library, in no header: false on a browser's main thread, true on Node's. */
int _emscripten_thread_supports_atomics_wait(void);

bool walloc_platform_can_wait(void) { return _emscripten_thread_supports_atomics_wait() != 0; }

/* Emscripten's own wait, which on the main thread of Node goes on with what workers ask of it; and a
 * wait that is inlined meets a fault of V8: see platform_attached.c. */
void walloc_platform_wait(_Atomic uint32_t *word, uint32_t expected) {
  emscripten_futex_wait(word, expected, INFINITY);
}

void walloc_platform_wait_for(_Atomic uint32_t *word, uint32_t expected, uint64_t nanoseconds) {
  emscripten_futex_wait(word, expected, (double)nanoseconds / 1e6);
}

void walloc_platform_wake(_Atomic uint32_t *word) { emscripten_futex_wake(word, 1); }

void walloc_platform_wake_all(_Atomic uint32_t *word) { emscripten_futex_wake(word, INT_MAX); }
