/* WALLOC_DEBUG_FILL: what an arena hands out and what it recycles is seen in its bytes. */
#include "unit/support.h"
#include "walloc_frames.h"

#include <pthread.h>
#include <stdatomic.h>

/* Without the sanitizer, which would report the looks at what was recycled. */
#ifdef __SANITIZE_ADDRESS__
#define LOOK __attribute__((no_sanitize_address))
#else
#define LOOK
#endif

LOOK static bool is_all(const void *block, size_t size, unsigned char value) {
  for (size_t i = 0; i < size; i++)
    if (((const volatile unsigned char *)block)[i] != value)
      return false;
  return true;
}

static void test_blocks_are_filled_when_handed_out(void **state) {
  (void)state;
  const size_t sizes[] = {1, 100, 4096, 20000, 100000, 2 * MIB};
  walloc_arena *arenas[] = {walloc_tier(WALLOC_RENDER),
                            create((walloc_arena_config){.lane = WALLOC_NO_LANE})};
  for (int round = 0; round < 2; round++)
    for (size_t a = 0; a < 2; a++) {
      for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *block = walloc_alloc(arenas[a], sizes[i]);
        assert_true(is_all(block, sizes[i], 0xCD));
        memset(block, 0x5A, sizes[i]);
        block = walloc_alloc_aligned(arenas[a], sizes[i], 4096);
        assert_true(is_all(block, sizes[i], 0xCD));
      }
      walloc_reset(arenas[a]);
    }
}

static void test_what_is_recycled_is_filled_and_nothing_else(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE});
  walloc_mark mark;
  char *kept = take(arena, 1000), *second = take(arena, 2 * MIB);
  assert_int_equal(walloc_set_mark(arena, &mark), WALLOC_OK);
  char *third = take(arena, 3 * MIB);
  assert_int_equal(walloc_rewind(mark), WALLOC_OK);
  assert_true(is_all(third, 3 * MIB, 0xDD));
  assert_true(is_all(second, 2 * MIB, 0xA5));
  third = take(arena, 3 * MIB);
  assert_int_equal(walloc_compact(arena, 1000), WALLOC_OK);
  assert_true(is_all(second, 2 * MIB, 0xDD));
  assert_true(is_all(third, 3 * MIB, 0xDD));
  assert_true(is_all(kept, 1000, 0xA5));
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  assert_true(is_all(kept, 1000, 0xDD));
}

static void test_a_refused_reset_fills_nothing(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  char *block = take(arena, 1000);
  assert_int_equal(walloc_pin(arena), WALLOC_OK);
  assert_int_equal(walloc_reset(arena), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_compact(arena, 0), WALLOC_ERROR_PINNED);
  assert_true(is_all(block, 1000, 0xA5));
  assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  assert_true(is_all(block, 1000, 0xDD));
}

/* One thread throws away, the other allocates, and where its block is pinned and valid, nobody fills it. */
enum { ROUNDS = 20000 };
static walloc_arena *shared;
static _Atomic bool done;

static void *throw_away(void *unused) {
  (void)unused;
  while (!atomic_load_explicit(&done, memory_order_relaxed))
    walloc_reset(shared);
  return NULL;
}

static void test_nobody_fills_a_block_that_is_held(void **state) {
  (void)state;
  pthread_t thread;
  unsigned held = 0, wrong = 0;
  shared = create((walloc_arena_config){0});
  atomic_store(&done, false);
  assert_int_equal(pthread_create(&thread, NULL, throw_away, NULL), 0);
  for (int i = 0; i < ROUNDS || held == 0; i++) {
    size_t size = 1 + (size_t)i * 37 % 5000;
    walloc_ref ref = walloc_alloc_ref(shared, size);
    char *block = walloc_pin_ref(ref);
    if (block == NULL)
      continue;
    held++;
    wrong += !is_all(block, size, 0xCD);
    memset(block, 0x5A, size);
    wrong += !is_all(block, size, 0x5A);
    walloc_unpin(shared);
  }
  atomic_store(&done, true);
  pthread_join(thread, NULL);
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_blocks_are_filled_when_handed_out),
      with_defaults(test_what_is_recycled_is_filled_and_nothing_else),
      with_defaults(test_a_refused_reset_fills_nothing),
      with_defaults(test_nobody_fills_a_block_that_is_held),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
