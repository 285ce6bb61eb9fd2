/* What the heap's tests share. Each test begins with an empty heap under the default strategy. */
#ifndef HEAP_SUPPORT_H
#define HEAP_SUPPORT_H

#include "heap/model.h"
#include "unit/support.h"

#include <errno.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A text that tells what is wrong; NULL: nothing. */
#define assert_right(problem)       \
  do {                              \
    const char *found_ = (problem); \
    if (found_ != NULL)             \
      fail_msg("%s", found_);       \
  } while (0)

#define assert_out_of_memory(call)                  \
  do {                                              \
    errno = 0;                                      \
    assert_fails(call, WALLOC_ERROR_OUT_OF_MEMORY); \
    assert_int_equal(errno, ENOMEM);                \
  } while (0)

/* Setup and teardown. */
static inline int begin_empty(void **state) {
  (void)state;
  return walloc_heap_reset() == WALLOC_OK && walloc_heap_set_strategy(WALLOC_FIRST_FIT) == WALLOC_OK
             ? 0
             : -1;
}

/* From here on the calling thread's small blocks come from spans: the first few of each class do not. */
static inline void use_up_scraps(void) {
  void *blocks[4];
  for (size_t size = 1; size <= WALLOC_HEAP_SMALL; size += size / 8 + 1) {
    for (size_t i = 0; i < COUNT(blocks); i++)
      assert_non_null(blocks[i] = walloc_malloc(size));
    for (size_t i = 0; i < COUNT(blocks); i++)
      walloc_free(blocks[i]);
  }
}

#define with_empty_heap(test) cmocka_unit_test_setup_teardown(test, begin_empty, begin_empty)

/* The heap keeps the maximum of the last walloc_init; 0: none. The tiers, with next to nothing of the memory,
 * end again. */
static inline void set_maximum(size_t bytes) {
  walloc_config config = {.maximum = bytes, .reserve = 1, .share = {1, 1, 1}};
  begin_with(&config);
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
}

static inline walloc_heap_stats heap_stats(void) {
  walloc_heap_stats stats;
  assert_int_equal(walloc_get_heap_stats(&stats), WALLOC_OK);
  return stats;
}

/* Nothing is live, and what is left is in order. */
static inline void assert_nothing_is_live(void) { assert_right(model_compare_blocks(NULL, 0)); }

/* Texts for messages and loops over all of them. */
static const char *const strategy_names[] = {"first fit", "next fit", "best fit", "good fit"};
enum { STRATEGIES = WALLOC_GOOD_FIT + 1 };

#endif
