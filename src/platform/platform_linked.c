/* Linked into an Emscripten program: memory comes from sbrk, which the program and its libraries use
 * as well. What they take in between is theirs; the page map knows it as foreign. */
#define _GNU_SOURCE /* sbrk */
#include "platform/platform.h"

#include <emscripten/console.h>
#include <emscripten/heap.h>
#include <emscripten/threading.h>
#include <limits.h>
#include <math.h>
#include <unistd.h>

#define PAGE ((uint32_t)WALLOC_PAGE_SIZE)

/* sbrk's argument is signed. */
#define LARGEST_STEP ((uint32_t)1 << 30)

bool walloc_platform_start(void) { return true; }

size_t walloc_platform_maximum(void) { return emscripten_get_heap_max(); }

static uint32_t end(void) { return (uint32_t)(uintptr_t)sbrk(0); }

/* What lies before the next whole page. */
static uint32_t padding(uint32_t address) { return (0 - address) % PAGE; }

uint32_t walloc_platform_end_page(void) { return (end() + padding(end())) / PAGE; }

/* sbrk fails without trying again when another thread has grown the memory at the same moment, since
 * the growth it asked for is then no growth any more. So try as long as the memory keeps growing:
 * each turn but the last sees a larger memory, and memory is finite. */
static void *sbrk_patiently(uint32_t length) {
  for (;;) {
    size_t before = emscripten_get_heap_size();
    void *start = sbrk((intptr_t)length);
    if (start != (void *)-1 || emscripten_get_heap_size() == before)
      return start;
  }
}

/* Up to the end of a page, so that the next step's pages join this one's. sbrk refuses what is beyond
 * Emscripten's maximum, which stays away from 4 GiB: there it would believe the memory to be empty. */
walloc_grant walloc_platform_grow(uint32_t pages) {
  if (pages > LARGEST_STEP / PAGE)
    pages = LARGEST_STEP / PAGE;
  uint32_t length = padding(end()) + pages * PAGE;
  uint32_t start = (uint32_t)(uintptr_t)sbrk_patiently(length);
  if (start == UINT32_MAX)
    return (walloc_grant){0, 0};
  uint32_t first = start + padding(start);
  return (walloc_grant){first / PAGE, (start + length - first) / PAGE};
}

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

void walloc_platform_abort(const char *message) {
  emscripten_err(message);
  __builtin_trap(); /* for JavaScript a RuntimeError, with the stack */
}
