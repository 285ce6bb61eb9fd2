/* Recovery: what it says, and the locks that it takes over. What it mends is proven in tests/kill. */
#include "walloc_frames.h"
#include "walloc_recovery.h"

#include <pthread.h>

#include "unit/support.h"

#include "arena/arena.h"
#include "lock/lock.h"

/* A number that no thread has. */
#define DEAD ((uint32_t)0x7FFFFFFE)

static void test_numbers_that_are_no_other_threads(void **state) {
  (void)state;
  assert_int_not_equal(walloc_thread_self(), 0);
  assert_int_equal(walloc_thread_lost(0), WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_thread_lost(DEAD + 1), WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_thread_lost(walloc_thread_self()), WALLOC_ERROR_HANDLE);
}

static void test_a_thread_that_held_nothing(void **state) {
  (void)state;
  void *block = take(walloc_tier(WALLOC_SCENE), 64);
  assert_int_equal(walloc_thread_lost(DEAD), WALLOC_OK);
  assert_int_equal(walloc_thread_lost(DEAD), WALLOC_OK);
  assert_int_equal(*(unsigned char *)block, 0xA5);
}

static void test_before_init(void **state) {
  (void)state;
  assert_int_equal(walloc_thread_lost(DEAD), WALLOC_OK);
}

static void test_a_lock_is_taken_over_once(void **state) {
  (void)state;
  static walloc_lock lock = {DEAD | LOCK_SLEEPERS};
  assert_false(walloc_lock_take_over(&lock, DEAD - 2));
  assert_true(walloc_lock_take_over(&lock, DEAD));
  assert_false(walloc_lock_take_over(&lock, DEAD));
  assert_int_equal(lock.word, walloc_thread_self() | LOCK_SLEEPERS);
  walloc_lock_release(&lock);
  assert_true(walloc_lock_try(&lock));
  walloc_lock_release(&lock);
}

static void *acquire(void *of) {
  walloc_lock *lock = of;
  walloc_lock_acquire(lock);
  walloc_lock_release(lock);
  return NULL;
}

/* As if the dead thread had left the lock and then died, before it woke anybody. */
static void test_who_was_not_woken_is(void **state) {
  (void)state;
  static walloc_lock lock = {DEAD};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, acquire, &lock), 0);
  while ((lock.word & LOCK_SLEEPERS) == 0) {
  }
  lock.word = 0;
  assert_false(walloc_lock_take_over(&lock, DEAD));
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *end_without_a_word(void *number) {
  *(uint32_t *)number = walloc_thread_self();
  assert_int_equal(walloc_pin(walloc_tier(WALLOC_SCENE)), WALLOC_OK);
  return NULL;
}

static void test_the_pins_of_a_thread_that_has_ended(void **state) {
  (void)state;
  pthread_t thread;
  uint32_t number;
  assert_int_equal(pthread_create(&thread, NULL, end_without_a_word, &number), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(walloc_reset(walloc_tier(WALLOC_SCENE)), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_thread_lost(number), WALLOC_OK);
  assert_int_equal(walloc_reset(walloc_tier(WALLOC_SCENE)), WALLOC_OK);
}

/* In builds that have gates; in all others nothing is there to be opened. */
static void test_a_dead_threads_gate_is_open(void **state) {
  (void)state;
#ifdef WALLOC_ARENA_GATED
  walloc_arena *arena = walloc_tier(WALLOC_SCENE);
  atomic_store(&arena->gate.word, DEAD);
  assert_int_equal(walloc_thread_lost(DEAD), WALLOC_OK);
  assert_int_equal(arena->gate.word, 0);
#endif
  take(walloc_tier(WALLOC_SCENE), 64);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_before_init),
      with_defaults(test_numbers_that_are_no_other_threads),
      with_defaults(test_a_thread_that_held_nothing),
      cmocka_unit_test(test_a_lock_is_taken_over_once),
      cmocka_unit_test(test_who_was_not_woken_is),
      with_defaults(test_the_pins_of_a_thread_that_has_ended),
      with_defaults(test_a_dead_threads_gate_is_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
