/* Throwing away: reset, compact, mark and rewind, preserve; what the counters say of them. */
#include "unit/support.h"

/* Without a lane each block is where the cursor was, so that places can be told. */
static walloc_arena *plain_arena(void) {
  return create((walloc_arena_config){.lane = WALLOC_NO_LANE, .reserve = 1 * MIB});
}

static void test_reset_starts_over_at_the_same_place(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  char *first = take(arena, 100);
  take(arena, 5000);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  assert_int_equal(walloc_used(arena), 0);
  assert_ptr_equal(take(arena, 100), first);
}

static void test_chunks_are_used_again_after_a_reset(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 100; i++)
      take(arena, 50000);
    walloc_arena_stats stats = stats_of(arena);
    static size_t capacity;
    if (round > 0)
      assert_int_equal(stats.capacity, capacity);
    capacity = stats.capacity;
    walloc_reset(arena);
  }
}

static void test_compact_keeps_the_preserved_bytes(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  char *kept = take(arena, 1000);
  memset(kept, 7, 1000);
  char *gone = take(arena, 1000);
  assert_int_equal(walloc_compact(arena, 1000), WALLOC_OK);
  assert_int_equal(walloc_used(arena), 1000);
  assert_ptr_equal(take(arena, 1), gone);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(kept[i], 7);
  assert_int_equal(stats_of(arena).preserved, 1000);
}

static void test_compact_rounds_up_to_the_alignment(void **state) {
  (void)state;
  walloc_arena *arena = walloc_tier(WALLOC_RENDER); /* 128 */
  take(arena, 10000);
  assert_int_equal(walloc_compact(arena, 1), WALLOC_OK);
  assert_int_equal(walloc_used(arena), 128);
  assert_int_equal(walloc_compact(arena, 128), WALLOC_OK);
  assert_int_equal(walloc_used(arena), 128);
  assert_int_equal(walloc_compact(arena, 0), WALLOC_OK);
  assert_int_equal(walloc_used(arena), 0);
}

static void test_compact_crosses_chunks(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE});
  walloc_ref refs[200];
  size_t used[200];
  for (int i = 0; i < 200; i++) {
    refs[i] = walloc_alloc_ref(arena, 40000);
    used[i] = walloc_used(arena);
  }
  assert_true(stats_of(arena).chunks > 3);
  for (int i = 199; i >= 0; i -= 13) {
    assert_int_equal(walloc_compact(arena, used[i]), WALLOC_OK);
    assert_int_equal(walloc_used(arena), used[i]);
    for (int k = 0; k < 200; k++)
      assert_int_equal(walloc_ref_valid(refs[k]), k <= i);
  }
}

static void test_to_preserve_more_than_is_used_changes_nothing(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  walloc_ref ref = walloc_alloc_ref(arena, 1000);
  walloc_arena_stats before = stats_of(arena);
  const size_t too_much[] = {1001, 2000, 1 * MIB, SIZE_MAX, SIZE_MAX - 6, (size_t)UINT32_MAX};
  for (size_t i = 0; i < sizeof too_much / sizeof *too_much; i++) {
    assert_int_equal(walloc_compact(arena, too_much[i]), WALLOC_ERROR_PRESERVE);
    assert_unchanged(arena, before);
  }
  assert_true(walloc_ref_valid(ref));
}

static void test_rewind_goes_back_to_the_mark(void **state) {
  (void)state;
  walloc_arena *arena = walloc_tier(WALLOC_SCENE);
  walloc_ref before = walloc_alloc_ref(arena, 100), after;
  walloc_mark mark;
  assert_int_equal(walloc_set_mark(arena, &mark), WALLOC_OK);
  for (int i = 0; i < 3; i++) { /* a mark serves as often as one likes */
    size_t used = walloc_used(arena);
    after = walloc_alloc_ref(arena, 100);
    assert_int_equal(walloc_rewind(mark), WALLOC_OK);
    assert_int_equal(walloc_used(arena), used);
    assert_true(walloc_ref_valid(before));
    assert_false(walloc_ref_valid(after));
  }
}

/* A block taken from the same lane after the mark would lie before it. */
static void test_a_mark_abandons_lanes(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = 65536, .reserve = 1 * MIB});
  walloc_mark mark;
  walloc_ref before = walloc_alloc_ref(arena, 8);
  walloc_set_mark(arena, &mark);
  walloc_ref after = walloc_alloc_ref(arena, 8);
  walloc_rewind(mark);
  assert_true(walloc_ref_valid(before));
  assert_false(walloc_ref_valid(after));
}

static void test_stale_marks_are_refused(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  walloc_mark early, late;
  take(arena, 100);
  walloc_set_mark(arena, &early);
  take(arena, 100);
  walloc_set_mark(arena, &late);
  assert_int_equal(walloc_rewind(early), WALLOC_OK);
  take(arena, 500);
  walloc_arena_stats before = stats_of(arena);
  assert_int_equal(walloc_rewind(late), WALLOC_ERROR_STALE);
  assert_unchanged(arena, before);
  assert_int_equal(walloc_rewind(early), WALLOC_OK);
  walloc_reset(arena);
  take(arena, 500);
  before = stats_of(arena);
  assert_int_equal(walloc_rewind(early), WALLOC_ERROR_STALE);
  assert_unchanged(arena, before);
}

static void test_a_mark_of_nonsense_is_refused(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  take(arena, 100);
  walloc_mark mark;
  walloc_set_mark(arena, &mark);
  walloc_arena_stats before = stats_of(arena);
  mark.place += 1000; /* behind the cursor */
  assert_int_equal(walloc_rewind(mark), WALLOC_ERROR_STALE);
  mark.place = UINT64_MAX;
  assert_int_equal(walloc_rewind(mark), WALLOC_ERROR_STALE);
  mark.place = before.generation + 5;
  mark.place <<= 40;
  assert_int_equal(walloc_rewind(mark), WALLOC_ERROR_STALE);
  assert_unchanged(arena, before);
}

static void test_levels_are_limited(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  walloc_ref refs[WALLOC_PRESERVED_LEVELS_MAX + 1];
  for (size_t i = 0; i < WALLOC_PRESERVED_LEVELS_MAX; i++) {
    refs[i] = walloc_alloc_ref(arena, 64);
    assert_int_equal(walloc_compact(arena, 64 * (i + 1)), WALLOC_OK);
  }
  refs[WALLOC_PRESERVED_LEVELS_MAX] = walloc_alloc_ref(arena, 64);
  walloc_arena_stats before = stats_of(arena);
  assert_int_equal(walloc_compact(arena, (size_t)64 * (WALLOC_PRESERVED_LEVELS_MAX + 1)),
                   WALLOC_ERROR_LIMIT);
  assert_unchanged(arena, before);
  for (size_t i = 0; i <= WALLOC_PRESERVED_LEVELS_MAX; i++)
    assert_true(walloc_ref_valid(refs[i]));
  assert_int_equal(walloc_compact(arena, 192), WALLOC_OK); /* ends the levels above it */
  for (size_t i = 0; i <= WALLOC_PRESERVED_LEVELS_MAX; i++)
    assert_int_equal(walloc_ref_valid(refs[i]), i < 3);
  walloc_alloc_ref(arena, 64);
  assert_int_equal(walloc_compact(arena, 256), WALLOC_OK);
}

static void test_counters_tell_what_happened(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  take(arena, 1000);
  take(arena, 2000);
  walloc_arena_stats stats = stats_of(arena);
  assert_int_equal(stats.used, 3000);
  assert_int_equal(stats.allocated, 3000);
  assert_int_equal(stats.recycled, 0);
  assert_int_equal(stats.high_water, 3000);
  walloc_compact(arena, 1000);
  take(arena, 500);
  stats = stats_of(arena);
  assert_int_equal(stats.used, 1504);
  assert_int_equal(stats.recycled, 2000);
  assert_int_equal(stats.allocated, 3504);
  assert_int_equal(stats.high_water, 3000);
  assert_int_equal(stats.resets, 1);
  walloc_reset(arena);
  take(arena, 40000);
  walloc_reset(arena);
  stats = stats_of(arena);
  assert_int_equal(stats.high_water, 40000);
  assert_int_equal(stats.recycled, 2000 + 1504 + 40000);
  assert_int_equal(stats.allocated, stats.recycled);
  assert_int_equal(stats.resets, 3);
}

static void test_generations_differ(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  uint32_t seen = stats_of(arena).generation;
  walloc_mark mark;
  walloc_reset(arena);
  assert_int_not_equal(stats_of(arena).generation, seen);
  seen = stats_of(arena).generation;
  walloc_compact(arena, 0);
  assert_int_not_equal(stats_of(arena).generation, seen);
  seen = stats_of(arena).generation;
  walloc_set_mark(arena, &mark);
  assert_int_not_equal(stats_of(arena).generation, seen);
  seen = stats_of(arena).generation;
  walloc_rewind(mark);
  assert_int_not_equal(stats_of(arena).generation, seen);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_reset_starts_over_at_the_same_place),
      with_defaults(test_chunks_are_used_again_after_a_reset),
      with_defaults(test_compact_keeps_the_preserved_bytes),
      with_defaults(test_compact_rounds_up_to_the_alignment),
      with_defaults(test_compact_crosses_chunks),
      with_defaults(test_to_preserve_more_than_is_used_changes_nothing),
      with_defaults(test_rewind_goes_back_to_the_mark),
      with_defaults(test_a_mark_abandons_lanes),
      with_defaults(test_stale_marks_are_refused),
      with_defaults(test_a_mark_of_nonsense_is_refused),
      with_defaults(test_levels_are_limited),
      with_defaults(test_counters_tell_what_happened),
      with_defaults(test_generations_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
