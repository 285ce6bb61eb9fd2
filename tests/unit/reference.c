/* References: valid as long as their block is there, stale for ever after. */
#include "unit/support.h"

static void test_a_reference_is_of_its_block(void **state) {
  (void)state;
  walloc_ref ref = walloc_alloc_ref(walloc_tier(WALLOC_RENDER), 100);
  assert_ptr_equal(ref.arena, walloc_tier(WALLOC_RENDER));
  assert_int_equal(ref.size, 100);
  assert_true(walloc_ref_valid(ref));
  assert_ptr_equal(walloc_ref_get(ref), ref.address);
  walloc_ref aligned = walloc_alloc_aligned_ref(walloc_tier(WALLOC_RENDER), 100, 4096);
  assert_int_equal((uintptr_t)aligned.address % 4096, 0);
  assert_true(walloc_ref_valid(aligned));
}

static void test_a_failed_one_is_never_valid(void **state) {
  (void)state;
  walloc_ref ref = walloc_alloc_ref(walloc_tier(WALLOC_RENDER), 0);
  assert_null(ref.address);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_SIZE);
  assert_false(walloc_ref_valid(ref));
  assert_fails(walloc_ref_get(ref), WALLOC_ERROR_STALE);
  assert_false(walloc_ref_valid((walloc_ref){0}));
  assert_null(walloc_alloc_ref(NULL, 8).address);
}

static void test_a_reset_makes_it_stale(void **state) {
  (void)state;
  walloc_ref ref = walloc_alloc_ref(walloc_tier(WALLOC_ENTITY), 8);
  walloc_reset(walloc_tier(WALLOC_ENTITY));
  assert_false(walloc_ref_valid(ref));
  assert_fails(walloc_ref_get(ref), WALLOC_ERROR_STALE);
  walloc_alloc_ref(walloc_tier(WALLOC_ENTITY), 8); /* at the same place */
  assert_false(walloc_ref_valid(ref));
}

static void test_the_preserved_part_is_exact(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE});
  walloc_ref inside = walloc_alloc_ref(arena, 64), across = walloc_alloc_ref(arena, 64);
  assert_int_equal(walloc_compact(arena, 64), WALLOC_OK);
  assert_true(walloc_ref_valid(inside));
  assert_false(walloc_ref_valid(across));
  across = walloc_alloc_ref(arena, 64);
  assert_int_equal(walloc_compact(arena, 64 + 8), WALLOC_OK); /* in the middle of it */
  assert_true(walloc_ref_valid(inside));
  assert_false(walloc_ref_valid(across));
}

static void test_going_back_and_forth(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE});
  walloc_ref a = walloc_alloc_ref(arena, 64), b = walloc_alloc_ref(arena, 64);
  walloc_compact(arena, 128);
  walloc_ref c = walloc_alloc_ref(arena, 64);
  walloc_compact(arena, 64); /* b and c are gone, though b lay in a preserved part */
  walloc_ref d = walloc_alloc_ref(arena, 64), e = walloc_alloc_ref(arena, 64);
  walloc_compact(arena, 192);
  assert_true(walloc_ref_valid(a));
  assert_false(walloc_ref_valid(b));
  assert_false(walloc_ref_valid(c));
  assert_true(walloc_ref_valid(d));
  assert_true(walloc_ref_valid(e));
}

static void test_it_is_stale_after_its_arena(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  walloc_ref ref = walloc_alloc_ref(arena, 64);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  assert_false(walloc_ref_valid(ref));
  walloc_arena *next = create((walloc_arena_config){0});
  assert_ptr_equal(next, arena); /* the same slot */
  walloc_alloc_ref(next, 64);
  assert_false(walloc_ref_valid(ref));
}

static void test_stale_through_many_generations(void **state) {
  (void)state;
  walloc_arena *arena = walloc_tier(WALLOC_ENTITY);
  walloc_ref ref = walloc_alloc_ref(arena, 64);
  for (int i = 0; i < 100000; i++) {
    walloc_reset(arena);
    if (walloc_ref_valid(ref))
      fail_msg("valid again after %d resets", i + 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_a_reference_is_of_its_block),
      with_defaults(test_a_failed_one_is_never_valid),
      with_defaults(test_a_reset_makes_it_stale),
      with_defaults(test_the_preserved_part_is_exact),
      with_defaults(test_going_back_and_forth),
      with_defaults(test_it_is_stale_after_its_arena),
      with_defaults(test_stale_through_many_generations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
