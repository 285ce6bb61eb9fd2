/* Blocks: where they lie, what is refused. */
#include "unit/support.h"

#include <stdlib.h>

static void test_blocks_are_aligned_as_their_tier_says(void **state) {
  (void)state;
  const size_t alignments[] = {128, 64, 8};
  for (int tier = 0; tier < WALLOC_TIERS; tier++) {
    for (size_t size = 1; size < 3000; size = size * 3 / 2 + 1) {
      uintptr_t block = (uintptr_t)walloc_tier_alloc((walloc_tier_id)tier, size);
      assert_true(block != 0 && block % alignments[tier] == 0);
    }
  }
}

typedef struct extent {
  unsigned char *start;
  size_t size;
} extent;

static int by_start(const void *a, const void *b) {
  const extent *x = a, *y = b;
  return (x->start > y->start) - (x->start < y->start);
}

static void expect_disjoint_blocks(walloc_arena *arena) {
  static extent blocks[2000];
  const size_t count = sizeof blocks / sizeof *blocks;
  for (size_t i = 0; i < count; i++) {
    size_t size = i % 100 == 99 ? 70000 : 1 + i * 7919 % 600;
    blocks[i] = (extent){take(arena, size), size};
  }
  qsort(blocks, count, sizeof *blocks, by_start);
  for (size_t i = 1; i < count; i++)
    assert_true(blocks[i - 1].start + blocks[i - 1].size <= blocks[i].start);
}

static void test_blocks_do_not_overlap(void **state) {
  (void)state;
  expect_disjoint_blocks(walloc_tier(WALLOC_ENTITY));
  expect_disjoint_blocks(create((walloc_arena_config){.lane = WALLOC_NO_LANE}));
  expect_disjoint_blocks(create((walloc_arena_config){.lane = 4096, .alignment = 4096}));
  expect_disjoint_blocks(create((walloc_arena_config){.lane = 65536, .alignment = 16}));
}

static void test_a_lane_is_taken_whole_and_then_used(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = 8192, .reserve = 64 * KIB});
  char *first = take(arena, 8);
  assert_int_equal(walloc_used(arena), 8192);
  char *second = take(arena, 100);
  assert_ptr_equal(second, first + 8);
  assert_ptr_equal(take(arena, 8), second + 104);
  assert_int_equal(walloc_used(arena), 8192);
}

static void test_without_a_lane_blocks_follow_each_other(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE, .alignment = 32});
  char *first = take(arena, 1);
  assert_int_equal(walloc_used(arena), 32);
  assert_ptr_equal(take(arena, 33), first + 32);
  assert_int_equal(walloc_used(arena), 96);
}

static void test_one_block_may_be_aligned_higher(void **state) {
  (void)state;
  walloc_arena *arena = walloc_tier(WALLOC_ENTITY);
  for (size_t alignment = 1; alignment <= WALLOC_ALIGNMENT_MAX; alignment *= 2) {
    take(arena, 24);
    uintptr_t block = (uintptr_t)walloc_alloc_aligned(arena, 40, alignment);
    assert_true(block != 0 && block % alignment == 0 && block % 8 == 0);
  }
  /* Also as the first of a chunk that is not aligned so far. */
  walloc_arena *own = create((walloc_arena_config){0});
  for (int i = 0; i < 10; i++) {
    char *block = walloc_alloc_aligned(own, 3 * MIB, WALLOC_ALIGNMENT_MAX);
    assert_true(block != NULL && (uintptr_t)block % WALLOC_ALIGNMENT_MAX == 0);
    block[3 * MIB - 1] = 1;
  }
}

static void test_absurd_sizes_are_refused(void **state) {
  (void)state;
  walloc_arena *arena = walloc_tier(WALLOC_RENDER);
  take(arena, 100);
  walloc_arena_stats before = stats_of(arena);
  const size_t wrap = (size_t)UINT32_MAX; /* 2^32 - 1 */
  const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 6, SIZE_MAX - 7, SIZE_MAX - 127, wrap,
                          wrap - 7, wrap - 127,   wrap - 16384, wrap - 65535};
  assert_fails(walloc_alloc(arena, 0), WALLOC_ERROR_SIZE);
  assert_fails(walloc_alloc_aligned(arena, 0, 64), WALLOC_ERROR_SIZE);
  assert_int_equal(walloc_reserve(arena, 0), WALLOC_ERROR_SIZE);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    assert_null(walloc_alloc(arena, sizes[i]));
    walloc_error error = walloc_last_error();
    assert_true(error == WALLOC_ERROR_SIZE || error == WALLOC_ERROR_OUT_OF_MEMORY);
    assert_null(walloc_alloc_aligned(arena, sizes[i], 65536));
    assert_int_not_equal(walloc_reserve(arena, sizes[i]), WALLOC_OK);
    assert_null(walloc_alloc_ref(arena, sizes[i]).address);
    assert_unchanged(arena, before);
  }
  assert_fails(walloc_alloc(arena, SIZE_MAX), WALLOC_ERROR_SIZE);
}

static void test_bad_alignments_are_refused(void **state) {
  (void)state;
  walloc_arena *arena = walloc_tier(WALLOC_SCENE);
  walloc_arena_stats before = stats_of(arena);
  const size_t bad[] = {3, 5, 48, 65535, 65537, 131072, SIZE_MAX, SIZE_MAX / 2 + 1};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_fails(walloc_alloc_aligned(arena, 8, bad[i]), WALLOC_ERROR_ALIGNMENT);
    assert_null(walloc_alloc_aligned_ref(arena, 8, bad[i]).address);
  }
  assert_unchanged(arena, before);
}

static void test_what_is_no_arena_is_refused(void **state) {
  (void)state;
  char nothing[64];
  walloc_arena *inside = (walloc_arena *)((char *)walloc_tier(WALLOC_SCENE) + 8);
  walloc_arena *const wrong[] = {NULL, (walloc_arena *)(void *)nothing, inside};
  assert_fails(walloc_alloc(NULL, 8), WALLOC_ERROR_ARENA);
  assert_fails(walloc_alloc_aligned(NULL, 8, 8), WALLOC_ERROR_ARENA);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    walloc_mark mark = {wrong[i], 0};
    assert_int_equal(walloc_reset(wrong[i]), WALLOC_ERROR_ARENA);
    assert_int_equal(walloc_compact(wrong[i], 0), WALLOC_ERROR_ARENA);
    assert_int_equal(walloc_rewind(mark), WALLOC_ERROR_ARENA);
    assert_int_equal(walloc_reserve(wrong[i], 8), WALLOC_ERROR_ARENA);
    assert_int_equal(walloc_trim(wrong[i]), WALLOC_ERROR_ARENA);
    assert_int_equal(walloc_arena_destroy(wrong[i]), WALLOC_ERROR_ARENA);
    assert_int_equal(walloc_used(wrong[i]), 0);
  }
}

static void test_the_first_block_is_not_mistaken_for_a_failure(void **state) {
  (void)state;
  assert_non_null(walloc_alloc(create((walloc_arena_config){0}), 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_blocks_are_aligned_as_their_tier_says),
      with_defaults(test_blocks_do_not_overlap),
      with_defaults(test_a_lane_is_taken_whole_and_then_used),
      with_defaults(test_without_a_lane_blocks_follow_each_other),
      with_defaults(test_one_block_may_be_aligned_higher),
      with_defaults(test_absurd_sizes_are_refused),
      with_defaults(test_bad_alignments_are_refused),
      with_defaults(test_what_is_no_arena_is_refused),
      with_defaults(test_the_first_block_is_not_mistaken_for_a_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
