/* Arenas that are told to fall back: at their budget the heap serves them, and gets it all back. One thread. */
#include "unit/support.h"

static size_t live_in_heap(void) {
  static walloc_heap_census census;
  assert_int_equal(walloc_take_heap_census(&census), WALLOC_OK);
  return census.live_blocks;
}

static walloc_arena *create_small(size_t alignment) {
  return create((walloc_arena_config){
      .alignment = alignment, .hard_budget = 64 * KIB, .recycle = WALLOC_FALL_BACK});
}

static void test_at_the_budget_the_heap_serves(void **state) {
  (void)state;
  walloc_arena *arena = create_small(128);
  take(arena, 60 * KIB);
  assert_int_equal(live_in_heap(), 0);
  for (size_t size = 1; size < 200 * KIB; size = size * 3 + 1) {
    char *block = take(arena, 8 * KIB + size);
    assert_int_equal((uintptr_t)block % 128, 0);
  }
  assert_int_equal(live_in_heap(), 11);
  assert_int_equal(stats_of(arena).capacity, 64 * KIB);
  assert_int_equal(stats_of(arena).failures, 0);
}

static void test_a_reset_gives_all_back(void **state) {
  (void)state;
  walloc_arena *arena = create_small(8);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 100; i++)
      take(arena, 4 * KIB);
    assert_in_range(live_in_heap(), 80, 100);
    assert_int_equal(walloc_reset(arena), WALLOC_OK);
    assert_int_equal(live_in_heap(), 0);
  }
}

static void test_what_is_preserved_stays(void **state) {
  (void)state;
  walloc_arena *arena = create_small(8);
  walloc_mark mark;
  take(arena, 60 * KIB);
  walloc_ref before = walloc_alloc_ref(arena, 30 * KIB);
  memset(before.address, 7, 30 * KIB);
  assert_int_equal(walloc_set_mark(arena, &mark), WALLOC_OK);
  take(arena, 100); /* moves the cursor, so that what follows lies behind the mark */
  walloc_ref behind = walloc_alloc_ref(arena, 20 * KIB);
  assert_int_equal(live_in_heap(), 2);
  assert_int_equal(walloc_rewind(mark), WALLOC_OK);
  assert_true(walloc_ref_valid(before));
  assert_false(walloc_ref_valid(behind));
  assert_int_equal(live_in_heap(), 1);
  assert_int_equal(((char *)before.address)[30 * KIB - 1], 7);
  assert_int_equal(walloc_compact(arena, 100), WALLOC_OK);
  assert_false(walloc_ref_valid(before));
  assert_int_equal(live_in_heap(), 0);
}

static void test_the_end_of_an_arena_gives_all_back(void **state) {
  (void)state;
  walloc_arena *arena = create_small(64);
  for (int i = 0; i < 50; i++)
    take(arena, 10 * KIB);
  assert_in_range(live_in_heap(), 40, 50);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  assert_int_equal(live_in_heap(), 0);
}

static void test_others_still_fail(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.hard_budget = 64 * KIB});
  take(arena, 60 * KIB);
  assert_fails(walloc_alloc(arena, 8 * KIB), WALLOC_ERROR_BUDGET);
  assert_int_equal(live_in_heap(), 0);
}

static void test_what_the_heap_has_not_either_fails(void **state) {
  (void)state;
  walloc_arena *arena = create_small(8);
  take(arena, 100);
  walloc_arena_stats before = stats_of(arena);
  assert_fails(walloc_alloc(arena, (size_t)4095 * MIB), WALLOC_ERROR_BUDGET);
  assert_int_equal(stats_of(arena).failures, before.failures + 1);
  assert_unchanged(arena, before);
  take(arena, 100);
}

static int forget(void **state) {
  return end(state) == 0 && walloc_heap_reset() == WALLOC_OK ? 0 : -1;
}

#define with_heap(test) cmocka_unit_test_setup_teardown(test, begin, forget)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_heap(test_at_the_budget_the_heap_serves),
      with_heap(test_a_reset_gives_all_back),
      with_heap(test_what_is_preserved_stays),
      with_heap(test_the_end_of_an_arena_gives_all_back),
      with_heap(test_others_still_fail),
      with_heap(test_what_the_heap_has_not_either_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
