/* Arenas of the program's own, and how pages go from one to another. */
#include "unit/support.h"

#include "pages/map.h"

static void test_tiers_cannot_be_destroyed(void **state) {
  (void)state;
  walloc_arena *scene = walloc_tier(WALLOC_SCENE);
  walloc_ref ref = walloc_alloc_ref(scene, 100);
  walloc_arena_stats before = stats_of(scene);
  assert_int_equal(walloc_arena_destroy(scene), WALLOC_ERROR_ARENA);
  assert_unchanged(scene, before);
  assert_true(walloc_ref_valid(ref));
}

static void test_a_destroyed_arena_is_none(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  take(arena, 100);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  assert_fails(walloc_alloc(arena, 8), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_reset(arena), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_ERROR_ARENA);
}

static void test_there_are_as_many_as_promised(void **state) {
  (void)state;
  enum { COUNT = WALLOC_ARENAS_MAX - WALLOC_TIERS };
  walloc_arena *arenas[COUNT];
  for (size_t i = 0; i < COUNT; i++)
    arenas[i] = create((walloc_arena_config){.alignment = 16});
  assert_fails(walloc_arena_create(NULL), WALLOC_ERROR_LIMIT);
  assert_int_equal(walloc_arena_destroy(arenas[COUNT / 2]), WALLOC_OK);
  assert_ptr_equal(create((walloc_arena_config){0}), arenas[COUNT / 2]);
  assert_fails(walloc_arena_create(NULL), WALLOC_ERROR_LIMIT);
}

static void test_bad_configurations_are_refused(void **state) {
  (void)state;
  const walloc_arena_config bad[] = {{.alignment = 12},
                                     {.alignment = SIZE_MAX},
                                     {.lane = 100},
                                     {.lane = SIZE_MAX},
                                     {.hard_budget = 1},
                                     {.soft_budget = 9 * MIB, .hard_budget = 8 * MIB},
                                     {.reserve = 9 * MIB, .hard_budget = 8 * MIB},
                                     {.recycle = (walloc_recycle)77}};
  walloc_memory_stats before = memory_stats();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_fails(walloc_arena_create(&bad[i]), WALLOC_ERROR_CONFIG);
  walloc_memory_stats after = memory_stats();
  assert_memory_equal(&before, &after, sizeof before);
}

static void test_a_reserve_that_cannot_be_had_leaves_nothing(void **state) {
  (void)state;
  walloc_shutdown();
  walloc_config config = {.maximum = 32 * MIB, .reserve = 1 * MIB};
  begin_with(&config);
  size_t arenas = memory_stats().arenas;
  walloc_arena_config large = {.reserve = 64 * MIB};
  for (int i = 0; i < 2 * WALLOC_ARENAS_MAX; i++) /* no slot is lost either */
    assert_fails(walloc_arena_create(&large), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_int_equal(memory_stats().arenas, arenas);
  create((walloc_arena_config){0});
}

static void test_the_settings_of_one_life_do_not_reach_the_next(void **state) {
  (void)state;
  walloc_arena *first = create((walloc_arena_config){
      .alignment = 4096, .hard_budget = 1 * MIB, .soft_budget = 1 * MIB, .reserve = 64 * KIB});
  take(first, 100);
  walloc_arena_destroy(first);
  walloc_arena *second = create((walloc_arena_config){0});
  assert_ptr_equal(first, second);
  walloc_arena_stats stats = stats_of(second);
  assert_int_equal(stats.alignment, 8);
  assert_int_equal(stats.hard_budget, 0);
  assert_int_equal(stats.soft_budget, 0);
  assert_int_equal(stats.capacity, 0);
  assert_int_equal(stats.allocated, 0);
  assert_int_equal(stats.high_water, 0);
  take(second, 3 * MIB);
}

static void test_the_map_names_the_owner_of_each_page(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE});
  char *block = take(arena, 5 * WALLOC_PAGE_SIZE);
  page_mark owner = page_owner(page_of(block));
  assert_true(owner >= PAGE_ARENA + WALLOC_TIERS && owner < PAGE_ARENA + WALLOC_ARENAS_MAX);
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(page_owner(page_of(block + i * WALLOC_PAGE_SIZE)), owner);
  assert_int_equal(page_owner(page_of(walloc_tier_alloc(WALLOC_RENDER, 8))),
                   PAGE_ARENA + WALLOC_RENDER);
  walloc_arena_destroy(arena);
  assert_true(page_is_free(page_of(block)));
  for (page_index page = PAGE_LIMIT; page < PAGE_COUNT; page++)
    assert_int_equal(page_owner(page), PAGE_FOREIGN);
}

/* Two neighbours, freed one after the other, make room for one that is as large as both. */
static void test_free_runs_join_and_are_used_by_others(void **state) {
  (void)state;
  walloc_arena *a = create((walloc_arena_config){.reserve = 4 * MIB});
  walloc_arena *b = create((walloc_arena_config){.reserve = 4 * MIB});
  walloc_arena *behind = create((walloc_arena_config){.reserve = 64 * KIB});
  char *first = take(a, 8), *second = take(b, 8);
  assert_ptr_equal(second, first + 4 * MIB);
  size_t obtained = memory_stats().obtained;
  walloc_arena_destroy(a);
  walloc_arena_destroy(b);
  walloc_arena *both = create((walloc_arena_config){.reserve = 8 * MIB});
  assert_ptr_equal(take(both, 8 * MIB), first);
  assert_int_equal(memory_stats().obtained, obtained);
  take(behind, 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      /* First, while little is obtained: what one walloc has obtained the next one may use. */
      with_defaults(test_a_reserve_that_cannot_be_had_leaves_nothing),
      with_defaults(test_tiers_cannot_be_destroyed),
      with_defaults(test_a_destroyed_arena_is_none),
      with_defaults(test_there_are_as_many_as_promised),
      with_defaults(test_bad_configurations_are_refused),
      with_defaults(test_the_settings_of_one_life_do_not_reach_the_next),
      with_defaults(test_the_map_names_the_owner_of_each_page),
      with_defaults(test_free_runs_join_and_are_used_by_others),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
