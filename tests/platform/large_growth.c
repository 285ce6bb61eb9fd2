/* Growth by more than the platform takes in one step, next to memory of somebody else that ends in the
 * middle of a page: the pages of all steps must join, and little more than what was asked for be obtained, save for the map.
 *
 * Under Emscripten sbrk takes at most 1 GiB in one step. One thread. */
#include "walloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef __EMSCRIPTEN__
#include <unistd.h>
static void take_foreign(size_t bytes) { assert_true(sbrk((intptr_t)bytes) != (void *)-1); }
#else
#include "platform/platform.h"
static void take_foreign(size_t bytes) { walloc_platform_foreign_growth(bytes); }
#endif

static void test_pages_of_all_steps_join(void **state) {
  (void)state;
  walloc_memory_stats before, after;
  const size_t odd = 8000, large = (size_t)1536 << 20;
  assert_int_equal(walloc_init(NULL), WALLOC_OK);
  take_foreign(odd);
  walloc_get_memory_stats(&before);

  walloc_arena_config config = {.reserve = large};
  walloc_arena *arena = walloc_arena_create(&config);
  assert_non_null(arena);
  walloc_get_memory_stats(&after);
  size_t own = after.own - before.own; /* the map of what lies above 128 MiB */
  assert_in_range(own, 1, 2 << 20);
  assert_true(after.obtained - before.obtained <= large + own + WALLOC_PAGE_SIZE);

  char *block = walloc_alloc(arena, large);
  assert_non_null(block);
  block[0] = 1;
  block[large - 1] = 2;
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages_of_all_steps_join)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
