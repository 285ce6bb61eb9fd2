/* Starting and ending, configurations, and calls while walloc is not started. */
#include "unit/support.h"

static void test_nothing_works_before_init(void **state) {
  (void)state;
  walloc_mark mark = {NULL, 0};
  walloc_arena_stats stats;
  assert_fails(walloc_tier(WALLOC_RENDER), WALLOC_ERROR_NOT_INITIALIZED);
  assert_fails(walloc_tier_alloc(WALLOC_RENDER, 8), WALLOC_ERROR_NOT_INITIALIZED);
  assert_fails(walloc_arena_create(NULL), WALLOC_ERROR_NOT_INITIALIZED);
  assert_fails(walloc_alloc(NULL, 8), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_reset(NULL), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_compact(NULL, 0), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_set_mark(NULL, &mark), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_rewind(mark), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_preserve(NULL), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_reserve(NULL, 8), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_trim(NULL), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_arena_destroy(NULL), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_get_arena_stats(NULL, &stats), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_shutdown(), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_used(NULL), 0);
  assert_int_equal(walloc_available(NULL), 0);
}

static void test_arenas_end_with_shutdown(void **state) {
  (void)state;
  walloc_arena *render = walloc_tier(WALLOC_RENDER);
  walloc_ref ref = walloc_alloc_ref(render, 64);
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  assert_fails(walloc_alloc(render, 8), WALLOC_ERROR_NOT_INITIALIZED);
  begin_with(NULL);
  assert_false(walloc_ref_valid(ref));
  assert_int_equal(walloc_used(walloc_tier(WALLOC_RENDER)), 0);
  take(walloc_tier(WALLOC_RENDER), 64);
}

static void test_a_second_init_changes_nothing(void **state) {
  (void)state;
  walloc_arena *render = walloc_tier(WALLOC_RENDER);
  walloc_ref ref = walloc_alloc_ref(render, 64);
  walloc_arena_stats before = stats_of(render);
  walloc_config other = {.reserve = 1 * MIB};
  assert_int_equal(walloc_init(&other), WALLOC_ERROR_INITIALIZED);
  assert_unchanged(render, before);
  assert_true(walloc_ref_valid(ref));
}

static void test_defaults_are_those_of_the_manual(void **state) {
  (void)state;
  const size_t alignments[] = {128, 64, 8};
  const unsigned shares[] = {50, 30, 15};
  for (int tier = 0; tier < WALLOC_TIERS; tier++) {
    walloc_arena_stats stats = stats_of(walloc_tier((walloc_tier_id)tier));
    size_t share = 16 * MIB / 100 * shares[tier];
    assert_int_equal(stats.alignment, alignments[tier]);
    assert_in_range(stats.capacity, share, share + 2 * WALLOC_PAGE_SIZE);
    assert_int_equal(stats.used, 0);
    assert_int_equal(stats.soft_budget, 0);
    assert_int_equal(stats.hard_budget, 0);
  }
  assert_true(memory_stats().free >= 16 * MIB / 100 * 5 - 4 * WALLOC_PAGE_SIZE);
  assert_true(memory_stats().obtained >= 16 * MIB);
}

static void test_shares_reserve_and_tiers_are_configurable(void **state) {
  (void)state;
  walloc_config config = {.maximum = 64 * MIB, .reserve = 4 * MIB, .share = {25, 25, 50}};
  config.tier[WALLOC_SCENE] = (walloc_arena_config){
      .alignment = 256, .reserve = 3 * MIB, .soft_budget = 4 * MIB, .hard_budget = 8 * MIB};
  begin_with(&config);
  walloc_arena_stats scene = stats_of(walloc_tier(WALLOC_SCENE));
  assert_int_equal(scene.alignment, 256);
  assert_int_equal(scene.capacity, 3 * MIB);
  assert_int_equal(scene.soft_budget, 4 * MIB);
  assert_int_equal(scene.hard_budget, 8 * MIB);
  assert_int_equal(stats_of(walloc_tier(WALLOC_RENDER)).capacity, 1 * MIB);
  assert_int_equal(stats_of(walloc_tier(WALLOC_ENTITY)).capacity, 2 * MIB);
  assert_int_equal(memory_stats().maximum, 64 * MIB);
}

static void refuse(walloc_config config) {
  assert_int_equal(walloc_init(&config), WALLOC_ERROR_CONFIG);
  assert_fails(walloc_tier(WALLOC_RENDER), WALLOC_ERROR_NOT_INITIALIZED);
}

static void test_bad_configurations_are_refused(void **state) {
  (void)state;
  refuse((walloc_config){.share = {60, 40, 1}});
  refuse((walloc_config){.share = {101}});
  refuse((walloc_config){.share = {~0u, 2, 2}}); /* the sum wraps to 3 */
  refuse((walloc_config){.maximum = 1 * MIB, .reserve = 2 * MIB});
  refuse((walloc_config){.tier = {{.alignment = 3}}});
  refuse((walloc_config){.tier = {{.alignment = 4}}});
  refuse((walloc_config){.tier = {{.alignment = 2 * WALLOC_PAGE_SIZE}}});
  refuse((walloc_config){.tier = {{.lane = 4095}}});
  refuse((walloc_config){.tier = {{.lane = 65537}}});
  refuse((walloc_config){.tier = {{.hard_budget = WALLOC_PAGE_SIZE - 1}}});
  refuse((walloc_config){.tier = {{.soft_budget = 2 * MIB, .hard_budget = 1 * MIB}}});
  refuse((walloc_config){.tier = {{.reserve = 2 * MIB, .hard_budget = 1 * MIB}}});
  refuse((walloc_config){.tier = {{.reserve = SIZE_MAX}}});
  refuse((walloc_config){.tier = {{.recycle = (walloc_recycle)3}}});
  begin_with(NULL); /* and none of it has left anything behind */
}

static void test_a_reserve_that_cannot_be_had_is_refused(void **state) {
  (void)state;
  walloc_config config = {.maximum = 4 * MIB, .reserve = 4 * MIB, .share = {100, 0, 0}};
  config.tier[WALLOC_SCENE].reserve = 4 * MIB;
  assert_int_not_equal(walloc_init(&config), WALLOC_OK);
  config = (walloc_config){.maximum = 4 * MIB, .reserve = 2 * MIB};
  config.tier[WALLOC_SCENE].reserve = 4 * MIB;
  assert_int_equal(walloc_init(&config), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_fails(walloc_tier(WALLOC_RENDER), WALLOC_ERROR_NOT_INITIALIZED);
  begin_with(NULL);
  assert_int_equal(memory_stats().arenas, stats_of(walloc_tier(WALLOC_RENDER)).capacity +
                                              stats_of(walloc_tier(WALLOC_SCENE)).capacity +
                                              stats_of(walloc_tier(WALLOC_ENTITY)).capacity);
}

/* What was obtained above it may be used, but nothing more be obtained. */
static void test_a_lower_maximum_than_before_is_kept(void **state) {
  (void)state;
  walloc_config config = {.maximum = 64 * MIB, .reserve = 64 * MIB};
  begin_with(&config);
  size_t obtained = memory_stats().obtained;
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  config = (walloc_config){.maximum = 16 * MIB, .reserve = 8 * MIB};
  begin_with(&config);
  walloc_arena *arena = create((walloc_arena_config){0});
  assert_fails(walloc_alloc(arena, 256 * MIB), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_int_equal(memory_stats().obtained, obtained);
  assert_true(walloc_available(arena) <= obtained);
}

static void test_a_default_reserve_stays_within_the_hard_budget(void **state) {
  (void)state;
  walloc_config config = {.tier = {[WALLOC_RENDER] = {.hard_budget = 1 * MIB + 100}}};
  begin_with(&config);
  assert_int_equal(stats_of(walloc_tier(WALLOC_RENDER)).capacity, 1 * MIB);
}

static void test_unknown_tiers_are_refused(void **state) {
  (void)state;
  assert_fails(walloc_tier(WALLOC_TIERS), WALLOC_ERROR_ARENA);
  assert_fails(walloc_tier((walloc_tier_id)-1), WALLOC_ERROR_ARENA);
  assert_fails(walloc_tier_alloc((walloc_tier_id)77, 8), WALLOC_ERROR_ARENA);
}

static void test_every_error_has_a_text(void **state) {
  (void)state;
  for (int error = WALLOC_OK; error <= WALLOC_ERROR_BUSY; error++) {
    assert_non_null(walloc_error_text((walloc_error)error));
    for (int other = WALLOC_OK; other < error; other++)
      assert_string_not_equal(walloc_error_text((walloc_error)error),
                              walloc_error_text((walloc_error)other));
  }
  assert_non_null(walloc_error_text((walloc_error)999));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      /* First, while nothing is obtained: what one walloc has obtained the next one may use. */
      with_own_config(test_a_reserve_that_cannot_be_had_is_refused),
      with_own_config(test_nothing_works_before_init),
      with_defaults(test_arenas_end_with_shutdown),
      with_defaults(test_a_second_init_changes_nothing),
      with_defaults(test_defaults_are_those_of_the_manual),
      with_own_config(test_shares_reserve_and_tiers_are_configurable),
      with_own_config(test_bad_configurations_are_refused),
      with_own_config(test_a_lower_maximum_than_before_is_kept),
      with_own_config(test_a_default_reserve_stays_within_the_hard_budget),
      with_defaults(test_unknown_tiers_are_refused),
      with_own_config(test_every_error_has_a_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
