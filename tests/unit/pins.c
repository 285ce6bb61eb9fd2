/* Pins: what they hold, what is refused meanwhile, limits, and what recovery hands back. Other threads are real
 * ones, which have ended when the test goes on. */
#include "unit/support.h"

#include <pthread.h>

#include "arena/arena.h"
#include "frames/pins.h"
#include "platform/platform.h"
#include "walloc_frames.h"

static walloc_arena *plain_arena(void) {
  return create((walloc_arena_config){.lane = WALLOC_NO_LANE});
}

/* What everybody who wants to recycle gets; nothing is changed by it. */
static void assert_recycling_is(walloc_arena *arena, walloc_mark mark, walloc_error error) {
  walloc_arena_stats before = stats_of(arena);
  assert_int_equal(walloc_reset(arena), error);
  assert_int_equal(walloc_compact(arena, 0), error);
  assert_int_equal(walloc_compact(arena, walloc_used(arena)), error);
  assert_int_equal(walloc_rewind(mark), error);
  assert_int_equal(walloc_arena_destroy(arena), error);
  assert_unchanged(arena, before);
}

static void test_nothing_is_recycled_under_a_pin(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  walloc_mark mark;
  assert_int_equal(walloc_set_mark(arena, &mark), WALLOC_OK);
  char *block = take(arena, 100);
  assert_int_equal(walloc_pin(arena), WALLOC_OK);
  assert_recycling_is(arena, mark, WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_shutdown(), WALLOC_ERROR_PINNED);
  take(arena, 100000); /* all else goes on */
  assert_int_equal(walloc_set_mark(arena, &mark), WALLOC_OK);
  assert_int_equal(walloc_preserve(arena), WALLOC_OK);
  assert_int_equal(walloc_trim(arena), WALLOC_OK);
  for (int i = 0; i < 100; i++)
    assert_int_equal((unsigned char)block[i], 0xA5);
  assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  assert_int_equal(walloc_rewind(mark), WALLOC_OK);
  assert_int_equal(walloc_compact(arena, 8), WALLOC_OK);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
}

static void test_pins_nest(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  for (int i = 0; i < 3; i++)
    assert_int_equal(walloc_pin(arena), WALLOC_OK);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(walloc_reset(arena), WALLOC_ERROR_PINNED);
    assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  }
  assert_int_equal(walloc_unpin(arena), WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
}

static void test_only_so_many_pins(void **state) {
  (void)state;
  walloc_arena *arenas[WALLOC_PINS_MAX + 1];
  for (int i = 0; i <= WALLOC_PINS_MAX; i++)
    arenas[i] = plain_arena();
  for (int i = 0; i < WALLOC_PINS_MAX; i++)
    assert_int_equal(walloc_pin(arenas[i]), WALLOC_OK);
  assert_int_equal(walloc_pin(arenas[WALLOC_PINS_MAX]), WALLOC_ERROR_LIMIT);
  assert_int_equal(walloc_reset(arenas[WALLOC_PINS_MAX]), WALLOC_OK);
  assert_int_equal(walloc_unpin(arenas[3]), WALLOC_OK);
  assert_int_equal(walloc_pin(arenas[WALLOC_PINS_MAX]), WALLOC_OK);
  assert_int_equal(walloc_reset(arenas[WALLOC_PINS_MAX]), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_reset(arenas[3]), WALLOC_OK);
  for (int i = 0; i <= WALLOC_PINS_MAX; i++)
    assert_int_equal(walloc_unpin(arenas[i]), i == 3 ? WALLOC_ERROR_HANDLE : WALLOC_OK);
}

static void test_only_so_deep(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  for (int i = 0; i < 65535; i++)
    assert_int_equal(walloc_pin(arena), WALLOC_OK);
  assert_int_equal(walloc_pin(arena), WALLOC_ERROR_LIMIT);
  for (int i = 0; i < 65535; i++)
    assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  assert_int_equal(walloc_unpin(arena), WALLOC_ERROR_HANDLE);
}

static void test_a_pin_of_a_reference(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  walloc_ref ref = walloc_alloc_ref(arena, 64);
  assert_ptr_equal(walloc_pin_ref(ref), ref.address);
  assert_int_equal(walloc_reset(arena), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  assert_fails(walloc_pin_ref(ref), WALLOC_ERROR_STALE);
  assert_int_equal(walloc_unpin(arena), WALLOC_ERROR_HANDLE);
  assert_fails(walloc_pin_ref((walloc_ref){NULL, NULL, 0, 0}), WALLOC_ERROR_ARENA);
}

static void test_what_is_no_arena_is_refused(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  assert_int_equal(walloc_pin(arena), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_unpin(arena), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_pin(NULL), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  assert_int_equal(walloc_pin(arena), WALLOC_ERROR_NOT_INITIALIZED);
  assert_int_equal(walloc_unpin(arena), WALLOC_ERROR_NOT_INITIALIZED);
}

static void test_recycling_under_pressure_leaves_what_is_pinned(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){
      .lane = WALLOC_NO_LANE, .hard_budget = 65536, .recycle = WALLOC_RECYCLE_TO_MARK});
  take(arena, 64);
  walloc_preserve(arena);
  walloc_ref ref = walloc_alloc_ref(arena, 40000);
  assert_int_equal(walloc_pin(arena), WALLOC_OK);
  assert_fails(walloc_alloc(arena, 40000), WALLOC_ERROR_BUDGET);
  assert_true(walloc_ref_valid(ref));
  assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  take(arena, 40000);
  assert_false(walloc_ref_valid(ref));
}

/* The first pin takes one smallest block, and later ones none; a new life begins without pins. */
static void test_the_first_pin_costs_a_block(void **state) {
  (void)state;
  for (int life = 0; life < 2; life++) {
    walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE, .alignment = 256});
    take(arena, 256);
    for (int i = 0; i < 3; i++) {
      assert_int_equal(walloc_pin(arena), WALLOC_OK);
      assert_int_equal(walloc_unpin(arena), WALLOC_OK);
      assert_int_equal(walloc_used(arena), 512);
    }
    assert_int_equal((uintptr_t)take(arena, 1) % 256, 0);
    assert_int_equal(walloc_reset(arena), WALLOC_OK);
    assert_int_equal(walloc_pin(arena), WALLOC_OK);
    assert_int_equal(walloc_unpin(arena), WALLOC_OK);
    assert_int_equal(walloc_used(arena), 0);
    assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  }
}

static void test_an_arena_without_chunks_can_be_pinned(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  assert_int_equal(walloc_pin(arena), WALLOC_OK);
  take(arena, 100);
  take(arena, 300000);
  assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  take(arena, 300000);
}

/* ---- Other threads -------------------------------------------------------------------------- */

static void run(void *(*body)(void *), void *argument) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static uint32_t last_thread;

static void *pin_and_end(void *arena) {
  last_thread = walloc_frames_thread();
  return walloc_pin(arena) == WALLOC_OK ? NULL : arena;
}

static void test_pins_of_others_hold_until_recovery(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena(), *other = plain_arena();
  take(arena, 64);
  run(pin_and_end, arena);
  assert_int_equal(walloc_reset(arena), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_unpin(arena), WALLOC_ERROR_HANDLE); /* not this thread's */
  assert_int_equal(walloc_pins_holder(arena), last_thread);
  assert_int_equal(walloc_pin(other), WALLOC_OK);
  walloc_pins_thread_lost(last_thread);
  assert_int_equal(walloc_pins_holder(arena), 0);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  assert_int_equal(walloc_reset(other), WALLOC_ERROR_PINNED); /* it goes on */
  assert_int_equal(walloc_unpin(other), WALLOC_OK);
}

static void *pin_for_long(void *arena) {
  return walloc_pin(arena) == WALLOC_OK && walloc_unpin(arena) == WALLOC_OK ? NULL : arena;
}

/* As it does when it loses its processor: the others are not refused. */
static void test_a_thread_may_take_long_to_recycle(void **state) {
  (void)state;
  walloc_arena *arena = plain_arena();
  pthread_t pinner;
  void *refused = arena;
  assert_int_equal(walloc_pin(arena), WALLOC_OK);
  assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  assert_int_equal(walloc_pins_close(arena), WALLOC_OK);
  assert_int_equal(pthread_create(&pinner, NULL, pin_for_long, arena), 0);
  uint64_t start = walloc_platform_now();
  while (walloc_platform_now() - start < 100000000)
    walloc_platform_pause();
  walloc_pins_open(arena);
  assert_int_equal(pthread_join(pinner, &refused), 0);
  assert_null(refused);
}

/* Died between R1 and R4: nobody waits for it for long, and recovery lets all go on. */
static void test_a_thread_that_died_while_it_recycled(void **state) {
  (void)state;
  const uint32_t dead = 0x7FFFFFFE;
  walloc_arena *arena = plain_arena(), *pinned = plain_arena();
  walloc_mark mark;
  take(arena, 64);
  assert_int_equal(walloc_set_mark(arena, &mark), WALLOC_OK);
  assert_int_equal(walloc_pin(pinned), WALLOC_OK);
  assert_int_equal(walloc_pin(arena), WALLOC_OK);
  assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  atomic_store_explicit(&arena->closing, dead, memory_order_seq_cst);
  atomic_store_explicit(&pinned->closing, dead, memory_order_seq_cst);
  assert_int_equal(walloc_pin(arena), WALLOC_ERROR_BUSY);
  assert_int_equal(walloc_pin(pinned), WALLOC_OK); /* one in the other */
  assert_recycling_is(arena, mark, WALLOC_ERROR_BUSY);
  assert_int_equal(walloc_unpin(arena), WALLOC_ERROR_HANDLE);
  walloc_pins_thread_lost(dead);
  assert_int_equal(walloc_pin(arena), WALLOC_OK);
  assert_recycling_is(arena, mark, WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_unpin(arena), WALLOC_OK);
  assert_int_equal(walloc_reset(arena), WALLOC_OK);
  assert_int_equal(walloc_unpin(pinned), WALLOC_OK);
  assert_int_equal(walloc_unpin(pinned), WALLOC_OK);
}

/* A thread may have the number of one that has died, and its pin. */
enum { MOST = WALLOC_PINS_MAX - 1 };

static void *pin_all(void *argument) {
  walloc_arena **arenas = argument;
  for (int i = 0; i < MOST; i++) {
    if (walloc_pin(arenas[i]) != WALLOC_OK)
      return arenas;
  }
  for (int i = 0; i < MOST; i++) {
    if (walloc_reset(arenas[i]) != WALLOC_ERROR_PINNED || walloc_unpin(arenas[i]) != WALLOC_OK)
      return arenas;
  }
  return NULL;
}

/* More threads than there are rows, so that the later ones share some, with pins in them. */
static void test_rows_are_shared_when_they_are_all_taken(void **state) {
  (void)state;
  walloc_arena *arenas[MOST];
  for (int i = 0; i < MOST; i++)
    arenas[i] = plain_arena();
  walloc_arena *held = plain_arena();
  static uint32_t holders[150];
  for (int i = 0; i < 300; i++) {
    run(i < 150 ? pin_and_end : pin_all, i < 150 ? (void *)held : (void *)arenas);
    if (i < 150)
      holders[i] = last_thread;
  }
  for (int i = 0; i < MOST; i++)
    assert_int_equal(walloc_reset(arenas[i]), WALLOC_OK);
  assert_int_equal(walloc_reset(held), WALLOC_ERROR_PINNED);
  for (int i = 0; i < 150; i++)
    walloc_pins_thread_lost(holders[i]);
  assert_int_equal(walloc_reset(held), WALLOC_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_nothing_is_recycled_under_a_pin),
      with_defaults(test_pins_nest),
      with_defaults(test_only_so_many_pins),
      with_defaults(test_only_so_deep),
      with_defaults(test_a_pin_of_a_reference),
      with_defaults(test_what_is_no_arena_is_refused),
      with_defaults(test_recycling_under_pressure_leaves_what_is_pinned),
      with_defaults(test_the_first_pin_costs_a_block),
      with_defaults(test_an_arena_without_chunks_can_be_pinned),
      with_defaults(test_pins_of_others_hold_until_recovery),
      with_defaults(test_a_thread_may_take_long_to_recycle),
      with_defaults(test_a_thread_that_died_while_it_recycled),
      with_defaults(test_rows_are_shared_when_they_are_all_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
