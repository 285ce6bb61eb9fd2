/* Linked into an Emscripten program: memory comes from sbrk, which the program and its libraries use
 * as well. What they take in between is theirs; the page map knows it as foreign.
 *
 * With 64-bit addresses (-sMEMORY64) the memory may be larger than the 4 GiB that walloc's map knows. What lies
 * above is never asked for. Any thread. */
#define _GNU_SOURCE /* sbrk */
#include "platform/platform.h"

#include <emscripten/console.h>
#include <emscripten/heap.h>
#include <unistd.h>

#define PAGE ((uint32_t)WALLOC_PAGE_SIZE)

/* sbrk's argument is signed. */
#define LARGEST_STEP ((uint32_t)1 << 30)

bool walloc_platform_start(void) { return true; }

size_t walloc_platform_maximum(void) { return emscripten_get_heap_max(); }

static uintptr_t end(void) { return (uintptr_t)sbrk(0); }

/* What lies before the next whole page. */
static uint32_t padding(uintptr_t address) { return (0 - (uint32_t)address) % PAGE; }

uint32_t walloc_platform_end_page(void) { return (uint32_t)((end() + padding(end())) / PAGE); }

/* With 32-bit addresses sbrk itself refuses what is above. */
#define IS_WIDE (sizeof(uintptr_t) > sizeof(uint32_t))

static bool is_above_space(uintptr_t start, uint32_t length) {
  return (uint64_t)start + length > WALLOC_SPACE_SIZE;
}

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
  if (IS_WIDE && is_above_space(end(), length))
    return (walloc_grant){0, 0};
  uintptr_t start = (uintptr_t)sbrk_patiently(length);
  if (start == UINTPTR_MAX)
    return (walloc_grant){0, 0};
  if (IS_WIDE && is_above_space(start, length)) /* others grew in between */
    return (walloc_grant){0, 0};
  uint32_t first = (uint32_t)start + padding(start);
  return (walloc_grant){first / PAGE, ((uint32_t)start + length - first) / PAGE};
}

void walloc_platform_abort(const char *message) {
  emscripten_err(message);
  __builtin_trap(); /* for JavaScript a RuntimeError, with the stack */
}
