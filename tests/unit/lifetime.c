/* Throwing away: reset, compact, mark and rewind, preserve; what the counters say of them. And taking back. */
#include "unit/support.h"

#include "arena/room.h"
#include "walloc_frames.h"

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

static bool take_back(walloc_ref ref) {
  return walloc_arena_take_back(ref.arena, ref.address, ref.place);
}

static void test_the_last_block_is_taken_back(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  walloc_ref kept = walloc_alloc_ref(arena, 1000), last = walloc_alloc_ref(arena, 40000);
  assert_true(take_back(last));
  assert_int_equal(walloc_used(arena), 1000);
  assert_true(walloc_ref_valid(kept));
  assert_false(walloc_ref_valid(last));
  assert_false(take_back(last));
  assert_ptr_equal(take(arena, 8), last.address);
  walloc_arena_stats stats = stats_of(arena);
  assert_int_equal(stats.high_water, 41000);
  assert_int_equal(stats.recycled, 40000);
  assert_int_equal(stats.allocated, 41008);
}

static void test_a_first_block_of_a_chunk_leaves_the_cursor_in_it(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  walloc_ref first = walloc_alloc_ref(arena, 1000), large = walloc_alloc_ref(arena, 2 * MIB);
  assert_true(take_back(large));
  assert_int_equal(walloc_used(arena), 1 * MIB);
  assert_true(walloc_ref_valid(first));
  assert_ptr_equal(take(arena, 8), large.address);
}

/* Each in an arena of its own; the block stays, and all that was there. */
static void test_what_is_not_the_last_block_stays(void **state) {
  (void)state;
  for (int kind = 0; kind < 6; kind++) {
    walloc_arena *arena =
        kind == 5 ? create((walloc_arena_config){.reserve = 1 * MIB}) : plain_arena();
    walloc_ref ref = walloc_alloc_ref(arena, kind == 5 ? 64 : 40000); /* 5: of a lane */
    walloc_mark mark;
    if (kind == 0)
      take(arena, 8);
    if (kind == 1)
      assert_int_equal(walloc_set_mark(arena, &mark), WALLOC_OK);
    if (kind == 2)
      assert_int_equal(walloc_preserve(arena), WALLOC_OK);
    if (kind == 3)
      assert_int_equal(walloc_pin(arena), WALLOC_OK);
    if (kind == 4)
      ref.address = arena; /* nowhere in the chunk */
    size_t used = walloc_used(arena);
    assert_false(take_back(ref));
    assert_true(walloc_ref_valid(ref));
    assert_int_equal(walloc_used(arena), used);
    if (kind == 3)
      assert_int_equal(walloc_unpin(arena), WALLOC_OK);
    assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  }
}

/* Or those would go whose place is the block's end, as they did not move the cursor. */
static void test_an_arena_that_falls_back_keeps_its_blocks(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){
      .lane = WALLOC_NO_LANE, .hard_budget = 64 * KIB, .recycle = WALLOC_FALL_BACK});
  walloc_ref ref = walloc_alloc_ref(arena, 60 * KIB);
  walloc_ref from_heap = walloc_alloc_ref(arena, 60 * KIB);
  assert_false(take_back(from_heap));
  assert_false(take_back(ref));
  assert_true(walloc_ref_valid(ref) && walloc_ref_valid(from_heap));
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
      with_defaults(test_the_last_block_is_taken_back),
      with_defaults(test_a_first_block_of_a_chunk_leaves_the_cursor_in_it),
      with_defaults(test_what_is_not_the_last_block_stays),
      with_defaults(test_an_arena_that_falls_back_keeps_its_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
