/* The C and POSIX family under its own names does what the standards say, and is walloc's: also where
 * the C library itself allocates. One thread. */
#include "malloc/support.h"

#include <search.h>
#include <stdlib.h>
#include <unistd.h>

#include "walloc_malloc.h"

/* ---- Whose they are -------------------------------------------------------------------------- */

static void test_the_names_are_wallocs(void **state) {
  (void)state;
  void *small = filled(malloc(100), 100), *large = filled(malloc(1 << 20), 1 << 20);
  assert_true(walloc_usable_size(small) >= 100);
  assert_int_equal(malloc_usable_size(small), walloc_usable_size(small));
  assert_true(malloc_usable_size(large) >= 1 << 20);
  free(small);
  free(large);
  walloc_free(filled(malloc(64), 64));
  free(filled(walloc_malloc(64), 64));
}

static void test_the_heap_is_not_reset_under_the_program(void **state) {
  (void)state;
  char *kept = strdup("still here");
  assert_int_equal(walloc_heap_reset(), WALLOC_ERROR_STATE);
  assert_string_equal(kept, "still here");
  free(kept);
}

#ifdef __EMSCRIPTEN__
#include <emscripten/heap.h>
void *__libc_malloc(size_t size);
void __libc_free(void *block);

static void test_the_names_of_the_runtime_are_wallocs(void **state) {
  (void)state;
  void *blocks[] = {emscripten_builtin_malloc(100), __libc_malloc(100),
                    emscripten_builtin_calloc(10, 10), emscripten_builtin_memalign(256, 100)};
  for (size_t i = 0; i < COUNT(blocks); i++)
    assert_true(walloc_usable_size(blocks[i]) >= 100);
  assert_true(is_aligned(blocks[3], 256));
  assert_true(is_filled(blocks[2], 0, 100));
  emscripten_builtin_free(blocks[0]);
  __libc_free(blocks[1]);
  free(blocks[2]);
  emscripten_builtin_free(blocks[3]);
}
#endif

static void test_mallinfo2_tells_of_a_block(void **state) {
  (void)state;
  struct mallinfo2 before = mallinfo2();
  void *block = filled(malloc(3 << 20), 3 << 20);
  struct mallinfo2 with = mallinfo2();
  assert_true(with.uordblks >= before.uordblks + (3 << 20));
  assert_true(with.arena >= with.uordblks && with.usmblks >= with.arena);
  assert_int_equal(with.uordblks + with.fordblks, with.arena);
  free(block);
  assert_true(mallinfo2().uordblks + (3 << 20) <= with.uordblks);
}

/* ---- malloc, calloc, realloc, free ----------------------------------------------------------- */

static void test_malloc_of_nothing_gives_a_block_each_time(void **state) {
  (void)state;
  void *blocks[64];
  volatile size_t nothing = 0;
  for (size_t i = 0; i < COUNT(blocks); i++) {
    blocks[i] = malloc(nothing); /* NOLINT(clang-analyzer-optin.portability.UnixAPI) */
    assert_non_null(blocks[i]);
    for (size_t j = 0; j < i; j++)
      assert_ptr_not_equal(blocks[i], blocks[j]);
  }
  for (size_t i = 0; i < COUNT(blocks); i++)
    free(blocks[i]);
  free(NULL);
}

/* Any size, at the alignment of any type, and without sharing a byte. */
static void test_malloc_of_every_magnitude(void **state) {
  (void)state;
  enum { SIZES = 24 };
  char *blocks[SIZES];
  for (size_t i = 0; i < SIZES; i++) {
    size_t size = ((size_t)1 << i) + i;
    blocks[i] = malloc(size);
    assert_non_null(blocks[i]);
    assert_true(is_aligned(blocks[i], _Alignof(max_align_t)));
    assert_true(malloc_usable_size(blocks[i]) >= size);
    memset(blocks[i], (int)i, size);
  }
  for (size_t i = 0; i < SIZES; i++) {
    assert_true(is_filled(blocks[i], (int)i, ((size_t)1 << i) + i));
    free(blocks[i]);
  }
}

static void test_malloc_of_too_much_fails(void **state) {
  (void)state;
  const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 4096, PTRDIFF_MAX,
                          (size_t)PTRDIFF_MAX * 2};
  for (size_t i = 0; i < COUNT(sizes); i++) {
    volatile size_t size = sizes[i];
    if (size > 0xF0000000) {
      assert_out_of_memory(malloc(size));
      assert_out_of_memory(calloc(1, size));
      assert_out_of_memory(aligned_alloc(64, size));
    }
  }
}

/* What a block held before must not be seen, whatever its size. */
static void test_calloc_clears_what_was_used(void **state) {
  (void)state;
  const size_t sizes[] = {1, 24, 500, 4096, 30000, 40000, 1 << 20, 9 << 20};
  for (size_t i = 0; i < COUNT(sizes); i++) {
    free(filled(malloc(sizes[i]), sizes[i]));
    char *block = calloc(1, sizes[i]);
    assert_non_null(block);
    assert_true(is_filled(block, 0, sizes[i]));
    free(block);
  }
  void *nothing = calloc(0, 8), *other = calloc(8, 0);
  assert_true(nothing != NULL && other != NULL && nothing != other);
  free(nothing);
  free(other);
}

static void test_products_that_overflow_fail(void **state) {
  (void)state;
  volatile size_t half = SIZE_MAX / 2 + 1, root = (size_t)1 << (sizeof(size_t) * 4);
  char *volatile block = filled(malloc(50), 50); /* else taken for freed by reallocarray */
  assert_out_of_memory(calloc(half, 2));
  assert_out_of_memory(calloc(root, root));
  assert_out_of_memory(calloc(root, root + 1)); /* wraps to a small number */
  assert_out_of_memory(reallocarray(NULL, half, 2));
  assert_out_of_memory(reallocarray(block, root, root + 1));
  assert_true(is_filled(block, FILLED, 50));
  free(block);
}

/* Through all kinds of blocks and back, one byte more or less at each border. */
static void test_realloc_keeps_the_content(void **state) {
  (void)state;
  const size_t sizes[] = {1,       16,      17,      100,     5000,  32768, 32769, 100000,
                          1 << 20, 8 << 20, 9 << 20, 6 << 20, 70000, 33000, 32768, 10};
  unsigned char *block = realloc(NULL, 1);
  *block = 7;
  for (size_t i = 1; i < COUNT(sizes); i++) {
    size_t kept = sizes[i] < sizes[i - 1] ? sizes[i] : sizes[i - 1];
    block = realloc(block, sizes[i]);
    assert_non_null(block);
    assert_true(malloc_usable_size(block) >= sizes[i]);
    assert_true(is_filled(block, 7, kept));
    memset(block, 7, sizes[i]);
  }
  assert_null(realloc(block, 0));
}

static void test_realloc_that_fails_leaves_the_block(void **state) {
  (void)state;
  volatile size_t too_much = SIZE_MAX - 64;
  const size_t sizes[] = {30, 50000, 9 << 20};
  for (size_t i = 0; i < COUNT(sizes); i++) {
    void *block = filled(malloc(sizes[i]), sizes[i]);
    assert_out_of_memory(realloc(block, too_much));
    assert_true(is_filled(block, FILLED, sizes[i])); /* NOLINT(clang-analyzer-unix.Malloc) */
    free(block);
  }
}

static void test_reallocarray_multiplies(void **state) {
  (void)state;
  uint32_t *numbers = reallocarray(NULL, 10, sizeof *numbers);
  assert_non_null(numbers);
  for (uint32_t i = 0; i < 10; i++)
    numbers[i] = i;
  numbers = reallocarray(numbers, 100000, sizeof *numbers);
  assert_true(malloc_usable_size(numbers) >= 100000 * sizeof *numbers);
  for (uint32_t i = 0; i < 10; i++)
    assert_int_equal(numbers[i], i);
  free(numbers);
}

static void test_free_leaves_errno_alone(void **state) {
  (void)state;
  const size_t sizes[] = {8, 40000, 9 << 20};
  for (size_t i = 0; i < COUNT(sizes); i++) {
    void *block = malloc(sizes[i]);
    errno = EDOM;
    free(block);
    assert_int_equal(errno, EDOM);
  }
}

static void test_usable_bytes_are_the_programs(void **state) {
  (void)state;
  assert_int_equal(malloc_usable_size(NULL), 0);
  enum { BLOCKS = 200 };
  unsigned char *blocks[BLOCKS];
  for (size_t i = 0; i < BLOCKS; i++) {
    blocks[i] = malloc(i * i + 1);
    memset(blocks[i], (int)i, malloc_usable_size(blocks[i]));
  }
  for (size_t i = 0; i < BLOCKS; i++) {
    assert_true(is_filled(blocks[i], (int)i, malloc_usable_size(blocks[i])));
    free(blocks[i]);
  }
}

/* ---- Alignment ------------------------------------------------------------------------------- */

static void check_aligned(void *block, size_t alignment, size_t size) {
  assert_non_null(block);
  assert_true(is_aligned(block, alignment));
  assert_true(malloc_usable_size(block) >= size);
  memset(block, FILLED, size);
  free(block);
}

static void *posix_aligned(size_t alignment, size_t size) {
  void *block = NULL;
  assert_int_equal(posix_memalign(&block, alignment, size), 0);
  return block;
}

static void test_alignments_up_to_16_mib(void **state) {
  (void)state;
  const size_t sizes[] = {1, 100, 4096, 33000, 300000};
  for (size_t alignment = sizeof(void *); alignment <= 16 << 20; alignment *= 2)
    for (size_t i = 0; i < COUNT(sizes); i++) {
      check_aligned(aligned_alloc(alignment, sizes[i]), alignment, sizes[i]);
      check_aligned(memalign(alignment, sizes[i]), alignment, sizes[i]);
      check_aligned(posix_aligned(alignment, sizes[i]), alignment, sizes[i]);
    }
  check_aligned(aligned_alloc(1, 10), 1, 10);
  check_aligned(posix_aligned(4096, 0), 4096, 0);
}

/* Several at once, so that they are not the same place again and again. */
static void test_aligned_blocks_do_not_meet(void **state) {
  (void)state;
  enum { BLOCKS = 16 };
  char *blocks[BLOCKS];
  for (size_t i = 0; i < BLOCKS; i++) {
    blocks[i] = aligned_alloc(65536, 70000);
    assert_true(blocks[i] != NULL && is_aligned(blocks[i], 65536));
    memset(blocks[i], (int)i, 70000);
  }
  for (size_t i = 0; i < BLOCKS; i++) {
    assert_true(is_filled(blocks[i], (int)i, 70000));
    free(blocks[i]);
  }
}

static void test_posix_memalign_reports_by_its_result(void **state) {
  (void)state;
  const size_t bad[] = {0, 1, 2, sizeof(void *) / 2, 3 * sizeof(void *), 100, 65537};
  char here;
  void *block = &here;
  volatile size_t too_much = SIZE_MAX - 70000;
  errno = EDOM;
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(posix_memalign(&block, bad[i], 10), EINVAL);
  assert_int_equal(posix_memalign(&block, 64, too_much), ENOMEM);
  assert_ptr_equal(block, &here);
  assert_int_equal(errno, EDOM);
  assert_int_equal(posix_memalign(&block, 64, 10), 0);
  assert_int_equal(errno, EDOM);
  free(block);
}

static void test_aligned_alloc_refuses_what_is_no_power_of_two(void **state) {
  (void)state;
  volatile size_t bad[] = {0, 3, 24, 65537};
  for (size_t i = 0; i < COUNT(bad); i++) {
    errno = 0;
    assert_null(aligned_alloc(bad[i], 100));
    assert_int_equal(errno, EINVAL);
  }
}

static void test_valloc_is_aligned_to_a_page(void **state) {
  (void)state;
  check_aligned(valloc(1), 4096, 1);
  check_aligned(valloc(100000), 4096, 100000);
}

static void test_realloc_of_an_aligned_block(void **state) {
  (void)state;
  for (size_t alignment = 16; alignment <= 1 << 20; alignment *= 4) {
    char *block = realloc(filled(aligned_alloc(alignment, 1000), 1000), 200000);
    assert_non_null(block);
    assert_true(is_filled(block, FILLED, 1000));
    free(block);
  }
}

/* ---- The C library's own users --------------------------------------------------------------- */

#define assert_of_the_heap(block) assert_true(walloc_usable_size(block) != 0)

static void test_texts_of_the_c_library(void **state) {
  (void)state;
  char *copy = strdup("walloc"), *begun = strndup("walloc", 2), *printed = NULL;
  assert_string_equal(copy, "walloc");
  assert_string_equal(begun, "wa");
  assert_int_equal(asprintf(&printed, "%s %5000d", copy, 42), 5007);
  assert_true(strlen(printed) == 5007 && strcmp(printed + 5004, " 42") == 0);
  assert_of_the_heap(copy);
  assert_of_the_heap(begun);
  assert_of_the_heap(printed);
  free(copy);
  free(begun);
  free(printed);
}

/* Written into a stream that grows, read from it line by line. */
static void test_streams_of_the_c_library(void **state) {
  (void)state;
  char *text = NULL, *line = NULL;
  size_t length = 0, room = 0;
  FILE *out = open_memstream(&text, &length);
  for (int i = 0; i < 2000; i++)
    assert_true(fprintf(out, "%0*d\n", i + 1, i) == i + 2);
  assert_int_equal(fclose(out), 0);
  assert_of_the_heap(text);
  FILE *in = fmemopen(text, length, "r");
  for (int i = 0; i < 2000; i++) {
    assert_int_equal(getline(&line, &room, in), i + 2);
    assert_int_equal(strtol(line, NULL, 10), i);
  }
  assert_int_equal(getline(&line, &room, in), -1);
  assert_of_the_heap(line);
  assert_int_equal(fclose(in), 0);
  free(line);
  free(text);
}

static int compare_numbers(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

/* Larger than what a C library would sort on its stack. */
static void test_qsort_of_a_large_array(void **state) {
  (void)state;
  enum { NUMBERS = 500000 };
  uint32_t *numbers = malloc(NUMBERS * sizeof *numbers), random = 1;
  uint64_t before = 0, after = 0;
  for (size_t i = 0; i < NUMBERS; i++)
    before += numbers[i] = random = random * 1664525 + 1013904223;
  qsort(numbers, NUMBERS, sizeof *numbers, compare_numbers);
  for (size_t i = 0; i < NUMBERS; i++) {
    after += numbers[i];
    assert_true(i == 0 || numbers[i - 1] <= numbers[i]);
  }
  assert_true(before == after);
  free(numbers);
}

/* Whose nodes are the C library's: made and freed by it. */
static void test_trees_of_the_c_library(void **state) {
  (void)state;
  enum { NUMBERS = 2000 };
  static uint32_t numbers[NUMBERS];
  void *root = NULL;
  for (uint32_t i = 0; i < NUMBERS; i++) {
    numbers[i] = i * 7919 % NUMBERS;
    assert_non_null(tsearch(&numbers[i], &root, compare_numbers));
  }
  assert_of_the_heap(root);
  for (uint32_t i = 0; i < NUMBERS; i++)
    assert_non_null(tfind(&i, &root, compare_numbers));
  for (uint32_t i = 0; i < NUMBERS; i++)
    assert_non_null(tdelete(&i, &root, compare_numbers));
  assert_null(root);
}

static void test_environment_and_files_of_the_c_library(void **state) {
  (void)state;
  char name[32];
  for (int i = 0; i < 200; i++) {
    (void)snprintf(name, sizeof name, "WALLOC_TEST_%d", i);
    assert_int_equal(setenv(name, name, 1), 0);
    assert_string_equal(getenv(name), name);
    assert_int_equal(unsetenv(name), 0);
  }
  char *folder = getcwd(NULL, 0), *path = realpath("/", NULL);
  assert_of_the_heap(folder);
  assert_string_equal(path, "/");
  free(folder);
  free(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_names_are_wallocs),
      cmocka_unit_test(test_the_heap_is_not_reset_under_the_program),
#ifdef __EMSCRIPTEN__
      cmocka_unit_test(test_the_names_of_the_runtime_are_wallocs),
#endif
      cmocka_unit_test(test_mallinfo2_tells_of_a_block),
      cmocka_unit_test(test_malloc_of_nothing_gives_a_block_each_time),
      cmocka_unit_test(test_malloc_of_every_magnitude),
      cmocka_unit_test(test_malloc_of_too_much_fails),
      cmocka_unit_test(test_calloc_clears_what_was_used),
      cmocka_unit_test(test_products_that_overflow_fail),
      cmocka_unit_test(test_realloc_keeps_the_content),
      cmocka_unit_test(test_realloc_that_fails_leaves_the_block),
      cmocka_unit_test(test_reallocarray_multiplies),
      cmocka_unit_test(test_free_leaves_errno_alone),
      cmocka_unit_test(test_usable_bytes_are_the_programs),
      cmocka_unit_test(test_alignments_up_to_16_mib),
      cmocka_unit_test(test_aligned_blocks_do_not_meet),
      cmocka_unit_test(test_posix_memalign_reports_by_its_result),
      cmocka_unit_test(test_aligned_alloc_refuses_what_is_no_power_of_two),
      cmocka_unit_test(test_valloc_is_aligned_to_a_page),
      cmocka_unit_test(test_realloc_of_an_aligned_block),
      cmocka_unit_test(test_texts_of_the_c_library),
      cmocka_unit_test(test_streams_of_the_c_library),
      cmocka_unit_test(test_qsort_of_a_large_array),
      cmocka_unit_test(test_trees_of_the_c_library),
      cmocka_unit_test(test_environment_and_files_of_the_c_library),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
