/* Frames in flight: which blocks live how long, what a pin holds up, spare storages, limits, recovery. */
#include "unit/support.h"

#include <pthread.h>

#include "arena/arena.h"
#include "frames/frames.h"
#include "frames/pins.h"
#include "walloc_frames.h"

static walloc_frames *make(unsigned in_flight, unsigned storages) {
  walloc_frames_config config = {.frames = in_flight, .storages = storages};
  walloc_frames *frames = walloc_frames_create(&config);
  assert_non_null(frames);
  return frames;
}

static walloc_frames_stats frames_stats(walloc_frames *frames) {
  walloc_frames_stats stats;
  assert_int_equal(walloc_get_frames_stats(frames, &stats), WALLOC_OK);
  return stats;
}

static void advance(walloc_frames *frames) {
  assert_int_equal(walloc_frames_advance(frames), WALLOC_OK);
}

static void test_a_block_lives_for_as_many_frames_as_are_in_flight(void **state) {
  (void)state;
  for (unsigned in_flight = 2; in_flight <= 4; in_flight++) {
    enum { FRAMES = 20 };
    walloc_frames *frames = make(in_flight, 0);
    walloc_ref refs[FRAMES + 1];
    for (uint32_t frame = 1; frame <= FRAMES; frame++) {
      assert_int_equal(walloc_frames_current(frames), frame);
      refs[frame] = walloc_frames_alloc_ref(frames, 100);
      memset(refs[frame].address, (int)frame, 100);
      assert_ptr_equal(refs[frame].arena, walloc_frames_arena(frames));
      for (uint32_t older = 1; older <= frame; older++) {
        assert_int_equal(walloc_ref_valid(refs[older]), frame - older < in_flight);
        if (frame - older < in_flight)
          assert_int_equal(*(char *)refs[older].address, older);
      }
      advance(frames);
    }
    walloc_frames_stats stats = frames_stats(frames);
    assert_int_equal(stats.advances, FRAMES);
    assert_int_equal(stats.storages, in_flight);
    assert_int_equal(stats.held_up, 0);
    assert_int_equal(stats.refused, 0);
    assert_int_equal(stats.last_holder, 0);
    assert_int_equal(walloc_frames_destroy(frames), WALLOC_OK);
  }
}

static void test_blocks_are_as_the_storages_are_made(void **state) {
  (void)state;
  walloc_frames_config config = {
      .arena = {.alignment = 256, .lane = WALLOC_NO_LANE, .hard_budget = 65536}};
  walloc_frames *frames = walloc_frames_create(&config);
  for (int i = 0; i < 10; i++) {
    assert_int_equal((uintptr_t)walloc_frames_alloc(frames, 60000) % 256, 0);
    assert_fails(walloc_frames_alloc(frames, 60000), WALLOC_ERROR_BUDGET);
    assert_fails(walloc_frames_alloc_ref(frames, 0).address, WALLOC_ERROR_SIZE);
    advance(frames);
  }
}

static void test_a_pin_holds_its_frame(void **state) {
  (void)state;
  walloc_frames *frames = make(2, 3);
  walloc_ref held = walloc_frames_alloc_ref(frames, 64);
  walloc_arena *pinned = walloc_frames_pin(frames, WALLOC_FRAME_CURRENT);
  assert_ptr_equal(pinned, held.arena);
  for (int i = 0; i < 10; i++) {
    advance(frames);
    assert_true(walloc_ref_valid(held));
    assert_ptr_not_equal(walloc_frames_arena(frames), pinned);
  }
  walloc_frames_stats stats = frames_stats(frames);
  assert_int_equal(stats.storages, 3); /* one more */
  assert_int_equal(stats.advances, 10);
  assert_int_equal(stats.held_up, 9); /* in flight at the first */
  assert_int_equal(stats.refused, 0);
  assert_int_equal(stats.last_holder, walloc_frames_thread());
  assert_int_equal(walloc_unpin(pinned), WALLOC_OK);
  advance(frames);
  assert_false(walloc_ref_valid(held));
  assert_int_equal(frames_stats(frames).held_up, 9);
}

static void test_without_another_storage_the_frame_goes_on(void **state) {
  (void)state;
  walloc_frames *frames = make(2, 2);
  walloc_arena *first = walloc_frames_pin(frames, 1);
  advance(frames);
  walloc_ref ref = walloc_frames_alloc_ref(frames, 64);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(walloc_frames_advance(frames), WALLOC_ERROR_PINNED);
    assert_int_equal(walloc_frames_current(frames), 2);
    assert_non_null(walloc_frames_alloc(frames, 64));
  }
  assert_int_equal(frames_stats(frames).refused, 3);
  assert_int_equal(frames_stats(frames).held_up, 3);
  walloc_arena *again = walloc_frames_pin(frames, 1); /* it is still there */
  assert_ptr_equal(again, first);
  assert_int_equal(walloc_unpin(first), WALLOC_OK);
  assert_int_equal(walloc_frames_advance(frames), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_unpin(first), WALLOC_OK);
  advance(frames);
  assert_true(walloc_ref_valid(ref));
}

static void test_frames_are_pinned_by_their_number(void **state) {
  (void)state;
  walloc_frames *frames = make(3, 0);
  walloc_arena *storages[4];
  for (uint32_t frame = 1; frame <= 3; frame++) {
    storages[frame] = walloc_frames_arena(frames);
    advance(frames);
  }
  assert_fails(walloc_frames_pin(frames, 1), WALLOC_ERROR_STALE);
  assert_fails(walloc_frames_pin(frames, 5), WALLOC_ERROR_STALE); /* has not begun */
  assert_fails(walloc_frames_pin(frames, UINT32_MAX), WALLOC_ERROR_STALE);
  assert_ptr_equal(walloc_frames_pin(frames, 2), storages[2]);
  assert_ptr_equal(walloc_frames_pin(frames, 3), storages[3]);
  assert_int_equal(walloc_unpin(storages[1]), WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_frames_destroy(frames), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_unpin(storages[2]), WALLOC_OK);
  assert_int_equal(walloc_unpin(storages[3]), WALLOC_OK);
  assert_int_equal(walloc_frames_destroy(frames), WALLOC_OK);
}

static void test_pins_are_limited(void **state) {
  (void)state;
  walloc_frames *frames = make(2, 0);
  walloc_arena *arenas[WALLOC_PINS_MAX];
  for (int i = 0; i < WALLOC_PINS_MAX; i++) {
    arenas[i] = create((walloc_arena_config){0});
    assert_int_equal(walloc_pin(arenas[i]), WALLOC_OK);
  }
  assert_fails(walloc_frames_pin(frames, 1), WALLOC_ERROR_LIMIT);
  for (int i = 0; i < WALLOC_PINS_MAX; i++)
    assert_int_equal(walloc_unpin(arenas[i]), WALLOC_OK);
  assert_non_null(walloc_frames_pin(frames, 1));
  assert_int_equal(walloc_unpin(walloc_frames_arena(frames)), WALLOC_OK);
}

static void test_configurations_out_of_range(void **state) {
  (void)state;
  const walloc_frames_config wrong[] = {
      {.frames = 1},
      {.frames = 5},
      {.frames = 3, .storages = 2},
      {.storages = 9},
      {.arena = {.alignment = 3}},
  };
  size_t arenas = memory_stats().arenas;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_fails(walloc_frames_create(&wrong[i]), WALLOC_ERROR_CONFIG);
  walloc_frames_config too_much = {.arena = {.reserve = (size_t)3 << 30}}; /* of which one fits */
  assert_fails(walloc_frames_create(&too_much), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_int_equal(memory_stats().arenas, arenas); /* what was made is gone */
  walloc_frames *frames = walloc_frames_create(NULL);
  assert_int_equal(frames_stats(frames).storages, 3);
}

static void test_only_so_many(void **state) {
  (void)state;
  walloc_frames *all[WALLOC_FRAMES_MAX];
  for (int i = 0; i < WALLOC_FRAMES_MAX; i++)
    all[i] = make(2, 4);
  assert_fails(walloc_frames_create(NULL), WALLOC_ERROR_LIMIT);
  assert_int_equal(walloc_frames_destroy(all[2]), WALLOC_OK);
  assert_fails(walloc_frames_alloc(all[2], 8), WALLOC_ERROR_HANDLE);
  all[2] = make(2, 4);
  for (int i = WALLOC_TIERS + 2 * WALLOC_FRAMES_MAX; i < WALLOC_ARENAS_MAX; i++)
    create((walloc_arena_config){0}); /* the rest of the arenas */
  walloc_arena *pinned = walloc_frames_pin(all[0], 1);
  advance(all[0]);
  assert_int_equal(walloc_frames_advance(all[0]), WALLOC_ERROR_LIMIT);
  assert_int_equal(walloc_unpin(pinned), WALLOC_OK);
  advance(all[0]);
}

static void test_frames_that_are_not_there(void **state) {
  (void)state;
  walloc_frames *frames = make(2, 0);
  walloc_frames_stats stats;
  assert_int_equal(walloc_frames_destroy(frames), WALLOC_OK);
  walloc_frames *const gone[] = {frames, NULL, (walloc_frames *)(void *)&stats};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(walloc_frames_destroy(gone[i]), WALLOC_ERROR_HANDLE);
    assert_int_equal(walloc_frames_advance(gone[i]), WALLOC_ERROR_HANDLE);
    assert_int_equal(walloc_frames_current(gone[i]), 0);
    assert_fails(walloc_frames_alloc(gone[i], 8), WALLOC_ERROR_HANDLE);
    assert_fails(walloc_frames_alloc_ref(gone[i], 8).address, WALLOC_ERROR_HANDLE);
    assert_fails(walloc_frames_arena(gone[i]), WALLOC_ERROR_HANDLE);
    assert_fails(walloc_frames_pin(gone[i], 0), WALLOC_ERROR_HANDLE);
    assert_int_equal(walloc_get_frames_stats(gone[i], &stats), WALLOC_ERROR_HANDLE);
  }
  frames = make(2, 0);
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  assert_int_equal(walloc_frames_advance(frames), WALLOC_ERROR_HANDLE);
  assert_fails(walloc_frames_create(NULL), WALLOC_ERROR_NOT_INITIALIZED);
}

static void test_handles(void **state) {
  (void)state;
  walloc_frames *frames = make(2, 0);
  uint32_t handle = walloc_frames_handle(frames);
  assert_int_not_equal(handle, 0);
  assert_ptr_equal(walloc_frames_of(handle), frames);
  assert_int_equal(walloc_frames_destroy(frames), WALLOC_OK);
  assert_ptr_equal(make(2, 0), frames); /* the next in its place */
  assert_null(walloc_frames_of(handle));
  assert_int_equal(walloc_frames_handle(NULL), 0);
}

static void test_numbers_begin_again(void **state) {
  (void)state;
  assert_int_equal(frame_after(FRAME_LAST), 1);
  assert_int_equal(frame_age(7, 7), 0);
  assert_int_equal(frame_age(FRAME_LAST, 1), 1);
  assert_int_equal(frame_age(FRAME_LAST - 1, 2), 3);
  assert_true(frame_age(8, 7) > FRAME_LAST / 2);
  assert_true(frame_age(1, FRAME_LAST) > FRAME_LAST / 2);
}

/* ---- Threads that have died ----------------------------------------------------------------- */

static void run(void *(*body)(void *), void *argument) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static uint32_t dead;

static void *pin_and_end(void *frames) {
  dead = walloc_frames_thread();
  return walloc_frames_pin(frames, WALLOC_FRAME_CURRENT);
}

static void test_the_holder_is_told(void **state) {
  (void)state;
  walloc_frames *frames = make(2, 2);
  run(pin_and_end, frames);
  advance(frames);
  assert_int_equal(walloc_frames_advance(frames), WALLOC_ERROR_PINNED);
  assert_int_equal(frames_stats(frames).last_holder, dead);
  walloc_pins_thread_lost(dead);
  walloc_frames_thread_lost(dead);
  advance(frames);
}

/* A storage that was being reset by a thread that has died: BUSY, and a spare is taken. */
static void test_a_storage_that_is_being_recycled(void **state) {
  (void)state;
  walloc_frames *frames = make(2, 3);
  walloc_arena *first = walloc_frames_pin(frames, 1);
  assert_int_equal(walloc_unpin(first), WALLOC_OK);
  atomic_store_explicit(&first->closing, 0x7FFFFFFE, memory_order_seq_cst);
  assert_fails(walloc_frames_pin(frames, 1), WALLOC_ERROR_BUSY);
  advance(frames);
  advance(frames);
  assert_int_equal(frames_stats(frames).storages, 3);
  assert_int_equal(frames_stats(frames).held_up, 0);
  advance(frames);
  assert_int_equal(walloc_frames_destroy(frames), WALLOC_ERROR_BUSY);
  walloc_pins_thread_lost(0x7FFFFFFE);
  assert_int_equal(walloc_frames_destroy(frames), WALLOC_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_a_block_lives_for_as_many_frames_as_are_in_flight),
      with_defaults(test_blocks_are_as_the_storages_are_made),
      with_defaults(test_a_pin_holds_its_frame),
      with_defaults(test_without_another_storage_the_frame_goes_on),
      with_defaults(test_frames_are_pinned_by_their_number),
      with_defaults(test_pins_are_limited),
      with_defaults(test_configurations_out_of_range),
      with_defaults(test_only_so_many),
      with_defaults(test_frames_that_are_not_there),
      with_defaults(test_handles),
      with_defaults(test_numbers_begin_again),
      with_defaults(test_the_holder_is_told),
      with_defaults(test_a_storage_that_is_being_recycled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
