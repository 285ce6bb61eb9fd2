/* What the tests of walloc as a program's malloc share. */
#ifndef MALLOC_SUPPORT_H
#define MALLOC_SUPPORT_H

#include "walloc.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define FILLED 0xA5

/* The block with every byte written, unless it is NULL. */
static inline void *filled(void *block, size_t size) {
  return block == NULL ? NULL : memset(block, FILLED, size);
}

/* Compares with itself, one byte further: all are the same as the first. */
static inline bool is_filled(const void *block, int byte, size_t size) {
  const unsigned char *bytes = block;
  return size == 0 || (bytes[0] == (unsigned char)byte && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static inline bool is_aligned(const void *block, size_t alignment) {
  return (uintptr_t)block % alignment == 0;
}

#define assert_out_of_memory(call)   \
  do {                               \
    errno = 0;                       \
    void *got_ = (call);             \
    free(got_);                      \
    assert_true(got_ == NULL);       \
    assert_int_equal(errno, ENOMEM); \
  } while (0)

static inline size_t heap_held(void) {
  walloc_heap_stats stats;
  assert_int_equal(walloc_get_heap_stats(&stats), WALLOC_OK);
  return stats.held;
}

#endif
