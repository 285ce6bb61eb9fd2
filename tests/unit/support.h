/* What the unit tests share. Each test begins with a walloc of its own and ends it, so that they do not
 * meet; one thread. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "walloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static inline void begin_with(const walloc_config *config) {
  assert_int_equal(walloc_init(config), WALLOC_OK);
}

/* A setup: all defaults. */
static inline int begin(void **state) {
  (void)state;
  begin_with(NULL);
  return 0;
}

/* A teardown: also after a test that has ended walloc itself. */
static inline int end(void **state) {
  (void)state;
  walloc_error error = walloc_shutdown();
  return error == WALLOC_OK || error == WALLOC_ERROR_NOT_INITIALIZED ? 0 : -1;
}

#define with_defaults(test) cmocka_unit_test_setup_teardown(test, begin, end)
#define with_own_config(test) cmocka_unit_test_teardown(test, end)

static inline walloc_arena *create(walloc_arena_config config) {
  walloc_arena *arena = walloc_arena_create(&config);
  assert_non_null(arena);
  return arena;
}

/* A block with every byte written. */
static inline void *take(walloc_arena *arena, size_t size) {
  void *block = walloc_alloc(arena, size);
  assert_non_null(block);
  memset(block, 0xA5, size);
  return block;
}

static inline walloc_arena_stats stats_of(walloc_arena *arena) {
  walloc_arena_stats stats;
  assert_int_equal(walloc_get_arena_stats(arena, &stats), WALLOC_OK);
  return stats;
}

static inline walloc_memory_stats memory_stats(void) {
  walloc_memory_stats stats;
  assert_int_equal(walloc_get_memory_stats(&stats), WALLOC_OK);
  return stats;
}

/* That nothing has happened to an arena but, perhaps, a failure that was counted. */
static inline void assert_unchanged(walloc_arena *arena, walloc_arena_stats before) {
  walloc_arena_stats after = stats_of(arena);
  after.failures = before.failures;
  after.pressure = before.pressure;
  assert_memory_equal(&after, &before,
                      offsetof(walloc_arena_stats, generation) + 4); /* no padding */
}

#define assert_fails(call, error)                 \
  do {                                            \
    assert_null(call);                            \
    assert_int_equal(walloc_last_error(), error); \
  } while (0)

#endif
