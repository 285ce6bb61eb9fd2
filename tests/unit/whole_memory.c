/* Memory up to its end: nearly 4 GiB handed out, every block writable, the last page never. */
#include "unit/support.h"

/* Emscripten's own largest memory is 64 KiB short of 4 GiB. */
#define SPACE ((uint64_t)1 << 32)

static void test_blocks_reach_to_the_end_and_stay_below_it(void **state) {
  (void)state;
  const size_t size = 8 * MIB;
  walloc_arena *arena = create((walloc_arena_config){.alignment = 4096});
  uint64_t sum = 0;
  size_t count = 0;
  for (char *block; (block = walloc_alloc(arena, size)) != NULL; count++) {
    assert_true((uintptr_t)block <= UINTPTR_MAX - size); /* does not wrap */
    block[0] = (char)count;
    block[size - 1] = (char)count;
    sum += size;
  }
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_true(sum > SPACE * 39 / 40); /* 3.9 GiB */
  /* Smaller and smaller blocks fill what is left, and none of them fails in another way. */
  for (size_t rest = size / 2; rest >= 64; rest /= 2) {
    for (char *block; (block = walloc_alloc(arena, rest)) != NULL; sum += rest) {
      assert_true((uintptr_t)block <= UINTPTR_MAX - rest);
      block[0] = block[rest - 1] = 1;
    }
    assert_int_equal(walloc_last_error(), WALLOC_ERROR_OUT_OF_MEMORY);
  }
  assert_true(sum < SPACE - 65536);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  assert_non_null(walloc_alloc(arena, size));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_blocks_reach_to_the_end_and_stay_below_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
