/* The first few blocks of a class, which come from what is left between large blocks. One thread. */
#include "heap/picture.h"
#include "heap/support.h"

#define SCRAPS 4 /* of a class below 1 KiB */

/* From a span; else it lies between tags, as large blocks do. */
static bool is_in_span(const void *block) {
  heap_picture picture;
  assert_true(picture_take(&picture));
  const walloc_heap_range *range = picture_find(&picture, block);
  assert_true(range != NULL && range->live);
  bool in_span = range->part != 0;
  picture_drop(&picture);
  return in_span;
}

/* 20 classes, for each of which a span would take a page. */
static void test_a_block_of_each_class_needs_few_pages(void **state) {
  size_t bytes = 0;
  (void)state;
  for (size_t size = 16; size <= 2 * KIB; size += size < 128 ? 16 : size / 4) {
    assert_non_null(walloc_malloc(size));
    bytes += size + 16;
  }
  assert_true(heap_stats().held <= bytes + 2 * WALLOC_PAGE_SIZE);
  assert_int_equal(heap_stats().spans, 0);
}

static void test_what_is_left_behind_a_large_block_is_used(void **state) {
  (void)state;
  char *large = walloc_malloc(74417);
  size_t held = heap_stats().held, left = held - 74417;
  assert_true(left > 3000);
  for (size_t i = 0; i < 2; i++) {
    char *block = walloc_malloc(1000);
    assert_true(block > large && block < large + held);
  }
  assert_int_equal(heap_stats().held, held);
}

static void test_what_can_be_a_large_block_is_left_for_one(void **state) {
  (void)state;
  void *kept = walloc_malloc(100 * KIB), *large = walloc_malloc(100 * KIB);
  walloc_free(large);
  for (size_t size = 500; size <= 1000; size += 100)
    for (size_t i = 0; i < 3; i++)
      assert_non_null(walloc_malloc(size)); /* 13 KiB in all, and no free block is so much larger */
  size_t held = heap_stats().held;
  assert_non_null(walloc_malloc(100 * KIB));
  assert_int_equal(heap_stats().held, held);
  walloc_free(kept);
}

/* The page that the memory grows by becomes one with the large block that is free before it. */
static void test_a_page_that_joins_a_free_block_is_found(void **state) {
  (void)state;
  void *kept = walloc_malloc(100 * KIB), *large = walloc_malloc(100 * KIB);
  walloc_free(large);
  void *blocks[3];
  for (size_t i = 0; i < COUNT(blocks); i++)
    assert_false(is_in_span(blocks[i] = walloc_malloc(1000)));
  walloc_free(kept);
}

static void test_only_the_first_few_of_a_class(void **state) {
  const size_t sizes[] = {1, 100, 1000, 1500, 3000, 4000};
  const size_t few[] = {SCRAPS, SCRAPS, 3, 2, 1, 0};
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    for (size_t n = 0; n < few[i]; n++) {
      void *block = walloc_malloc(sizes[i]);
      assert_false(is_in_span(block));
      walloc_free(block); /* counts all the same */
    }
    assert_true(is_in_span(walloc_malloc(sizes[i])));
  }
}

static void test_a_reset_begins_anew(void **state) {
  (void)state;
  use_up_scraps();
  assert_true(is_in_span(walloc_malloc(100)));
  assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  assert_false(is_in_span(walloc_malloc(100)));
}

static void test_aligned_blocks_are_in_spans(void **state) {
  (void)state;
  for (size_t alignment = 32; alignment <= 4 * KIB; alignment *= 2) {
    void *block = walloc_aligned_alloc(alignment, alignment);
    assert_int_equal((uintptr_t)block % alignment, 0);
    assert_true(is_in_span(block));
  }
}

static void test_realloc_stays_where_it_fits(void **state) {
  heap_block block = {walloc_malloc(500), 500, 0, 7};
  (void)state;
  block.usable = walloc_usable_size(block.address);
  assert_true(block.usable >= 500 && block.usable < 516);
  model_fill(&block);
  assert_ptr_equal(walloc_realloc(block.address, block.usable), block.address);
  assert_ptr_equal(walloc_realloc(block.address, 300), block.address);
  void *larger = walloc_realloc(block.address, 2000);
  assert_ptr_not_equal(larger, block.address);
  block.address = larger;
  assert_right(model_check_block(&block));
  walloc_free(larger);
}

/* Plain builds too, where a block of a span that is freed twice is mostly not noticed. */
static walloc_misuse_kind seen;

static void see(const walloc_misuse *misuse, void *user) {
  (void)user;
  seen = misuse->kind;
}

static void test_a_block_freed_twice_is_noticed(void **state) {
  (void)state;
  void *block = walloc_malloc(50), *other = walloc_malloc(50), *third = walloc_malloc(50);
  walloc_heap_on_misuse(see, NULL);
  walloc_free(other);
  walloc_free(block);
  walloc_free(block);
  assert_int_equal(seen, WALLOC_MISUSE_DOUBLE_FREE);
  walloc_heap_on_misuse(NULL, NULL);
  walloc_free(third);
  assert_nothing_is_live();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_empty_heap(test_a_block_of_each_class_needs_few_pages),
      with_empty_heap(test_what_is_left_behind_a_large_block_is_used),
      with_empty_heap(test_what_can_be_a_large_block_is_left_for_one),
      with_empty_heap(test_a_page_that_joins_a_free_block_is_found),
      with_empty_heap(test_only_the_first_few_of_a_class),
      with_empty_heap(test_a_reset_begins_anew),
      with_empty_heap(test_aligned_blocks_are_in_spans),
      with_empty_heap(test_realloc_stays_where_it_fits),
      with_empty_heap(test_a_block_freed_twice_is_noticed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
