/* The table of size classes is what its rules make of it. */
#include "heap/classes.h"
#include "heap/support.h"

/* The smallest class that holds the size, by looking at all of them. */
static uint32_t class_by_search(size_t size) {
  uint32_t c = 0;
  while (class_size(c) < size)
    c++;
  return c;
}

static void test_every_size_has_the_smallest_class_that_holds_it(void **state) {
  (void)state;
  for (size_t size = 1; size <= SMALL_MAX; size++)
    assert_int_equal(class_of(size), class_by_search(size));
}

static void test_sizes_ascend_and_lose_little(void **state) {
  (void)state;
  assert_int_equal(class_size(0), 16);
  assert_int_equal(class_size(CLASSES - 1), SMALL_MAX);
  for (uint32_t c = 1; c < CLASSES; c++) {
    uint32_t size = class_size(c), before = class_size(c - 1);
    assert_int_equal(size % 16, 0);
    assert_true(size > before);
    assert_true(size <= 128 ? size - before == 16 : (size - before - 1) * 5 <= size);
  }
}

#define PAGE ((uint32_t)WALLOC_PAGE_SIZE)

static void test_spans_have_as_few_pages_as_they_may(void **state) {
  (void)state;
  for (uint32_t c = 0; c < CLASSES; c++) {
    uint32_t pages = pages_holding(class_size(c));
    while (class_size(c) > PAGE / 2 && pages * PAGE % class_size(c) * 8 > pages * PAGE)
      pages++;
    assert_int_equal(span_pages(c), pages);
    assert_true(span_blocks(c) >= 1 && span_bytes(c) >= span_blocks(c) * class_size(c));
  }
}

/* Aligned allocation rounds the size up to a multiple of the alignment and asks for no more. */
static void test_multiples_of_an_alignment_have_aligned_blocks(void **state) {
  (void)state;
  for (uint32_t alignment = 16; alignment <= WALLOC_PAGE_SIZE; alignment *= 2)
    for (uint32_t size = alignment; size <= SMALL_MAX; size += alignment)
      assert_int_equal(class_size(class_of(size)) % alignment, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_size_has_the_smallest_class_that_holds_it),
      cmocka_unit_test(test_sizes_ascend_and_lose_little),
      cmocka_unit_test(test_spans_have_as_few_pages_as_they_may),
      cmocka_unit_test(test_multiples_of_an_alignment_have_aligned_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
