/* A front for programs as they are: a library to be loaded with LD_PRELOAD, natively on Linux with glibc. What the
 * environment says: sink_file.c. A program that has a malloc of its own linked into it is not seen by it: that
 * one is for wrap.c.
 *
 * What is given out before the real functions are found comes from a small static area, which nothing returns
 * to: the search itself may allocate. */
#define _GNU_SOURCE
#include "front.h"
#include "recorder.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EARLY_BYTES = 1 << 16, ALIGNMENT = 16 };

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void (*real_free)(void *);

static _Alignas(ALIGNMENT) char early[EARLY_BYTES];
static size_t early_used; /* written while there is one thread only */

/* ---- Before the real functions are known --------------------------------------------------- */

static int is_early(const void *block) {
  uintptr_t at = (uintptr_t)block - (uintptr_t)early;
  return at < sizeof early;
}

/* Zeroed, as nothing is used twice. */
static void *take_early(size_t size) {
  size_t bytes = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (size > sizeof early || bytes > sizeof early - early_used)
    return NULL;
  void *block = early + early_used;
  early_used += bytes;
  return block;
}

static void *leave_early(const void *block, size_t size) {
  char *copy = real_malloc(size);
  size_t there = (size_t)(early + sizeof early - (const char *)block);
  if (copy != NULL)
    memcpy(copy, block, size < there ? size : there); /* more than it had, but nothing foreign */
  return copy;
}

static int find_real(void) {
  static int state; /* 1: at it, 2: done; written before the process has a second thread */
  if (state != 0)
    return state == 2;
  state = 1;
  *(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
  *(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
  *(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
  *(void **)&real_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
  *(void **)&real_free = dlsym(RTLD_NEXT, "free");
  state = 2;
  return 1;
}

/* Runs before main. */
__attribute__((constructor)) static void begin(void) {
  find_real();
  begin_from_environment();
}

/* ---- The functions that programs call ------------------------------------------------------ */

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's are reserved

void *malloc(size_t size) {
  if (!find_real())
    return take_early(size);
  void *block = real_malloc(size);
  trace_took(TRACE_MALLOC, block, size, 0);
  return block;
}

void *calloc(size_t count, size_t size) {
  if (!find_real()) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : take_early(bytes);
  }
  void *block = real_calloc(count, size);
  trace_took(TRACE_CALLOC, block, count * size, 0);
  return block;
}

void free(void *block) {
  if (block == NULL || is_early(block))
    return;
  trace_gives(block);
  real_free(block);
}

void *realloc(void *block, size_t size) {
  if (block == NULL)
    return malloc(size);
  if (is_early(block)) {
    void *copy = leave_early(block, size);
    trace_took(TRACE_MALLOC, copy, size, 0);
    return copy;
  }
  if (size == 0) { /* what glibc does */
    free(block);
    return NULL;
  }
  trace_move move = trace_leaves(block);
  void *moved = real_realloc(block, size);
  trace_arrives(move, moved, block, size);
  return moved;
}

void *aligned_alloc(size_t alignment, size_t size) {
  if (!find_real())
    return alignment <= ALIGNMENT ? take_early(size) : NULL;
  void *block = real_aligned_alloc(alignment, size);
  trace_took(TRACE_ALIGNED, block, size, alignment);
  return block;
}

void *memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
    return EINVAL;
  int before = errno;
  void *taken = aligned_alloc(alignment, size);
  errno = before;
  if (taken == NULL)
    return ENOMEM;
  *block = taken;
  return 0;
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
