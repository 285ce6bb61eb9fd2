/* Growth: reserve, trim, budgets, pressure, and what is left when memory is at its end. */
#include "unit/support.h"

#ifndef __EMSCRIPTEN__
#include "platform/platform.h"
#endif

/* All of these run with little memory, of which the tiers keep almost nothing. */
#define MAXIMUM (8 * MIB)

static int begin_small(void **state) {
  (void)state;
  walloc_config config = {.maximum = MAXIMUM, .reserve = MAXIMUM, .share = {1, 1, 1}};
  begin_with(&config);
  return 0;
}

#define with_little_memory(test) cmocka_unit_test_setup_teardown(test, begin_small, end)

/* Takes blocks until there are no more; returns how many. */
static size_t fill(walloc_arena *arena, size_t size) {
  size_t count = 0;
  while (walloc_alloc(arena, size) != NULL)
    count++;
  return count;
}

static void test_a_reserve_is_one_piece_and_prevents_growth(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE});
  assert_int_equal(walloc_reserve(arena, 3 * MIB), WALLOC_OK);
  walloc_arena_stats before = stats_of(arena);
  assert_int_equal(before.used, 0);
  assert_int_equal(walloc_reserve(arena, 3 * MIB), WALLOC_OK); /* there already */
  char *first = take(arena, 1 * MIB);
  assert_ptr_equal(take(arena, 2 * MIB), first + 1 * MIB);
  assert_int_equal(stats_of(arena).growths, before.growths);
  assert_int_equal(stats_of(arena).capacity, before.capacity);
}

static void test_a_reserve_too_large_changes_nothing(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  walloc_ref ref = walloc_alloc_ref(arena, 100);
  walloc_arena_stats before = stats_of(arena);
  assert_int_equal(walloc_reserve(arena, MAXIMUM), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_unchanged(arena, before);
  assert_true(walloc_ref_valid(ref));
}

static void test_trim_gives_idle_chunks_back(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  size_t free_before = memory_stats().free;
  take(arena, 100000);
  take(arena, 1 * MIB);
  take(arena, 2 * MIB);
  size_t busy = stats_of(arena).capacity;
  assert_int_equal(walloc_trim(arena), WALLOC_OK);
  assert_int_equal(stats_of(arena).capacity, busy); /* all in use */
  walloc_reset(arena);
  assert_int_equal(walloc_trim(arena), WALLOC_OK);
  assert_int_equal(stats_of(arena).capacity, 0);
  assert_int_equal(memory_stats().free, free_before);
  take(arena, 100); /* it grows again */
}

static void test_the_configured_reserve_stays(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.reserve = 1 * MIB});
  assert_int_equal(stats_of(arena).capacity, 1 * MIB);
  take(arena, 2 * MIB);
  walloc_reset(arena);
  walloc_trim(arena);
  assert_int_equal(stats_of(arena).capacity, 1 * MIB);
  walloc_arena *other = create((walloc_arena_config){0});
  fill(other, 64 * KIB);
  assert_int_equal(stats_of(arena).capacity, 1 * MIB); /* not under pressure either */
  take(arena, 1000 * KIB);
}

static void test_out_of_memory_is_null_and_wipes_nothing(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.lane = WALLOC_NO_LANE});
  unsigned char *first = take(arena, 1000);
  walloc_ref ref = walloc_alloc_ref(arena, 1000);
  size_t count = fill(arena, 10000);
  assert_in_range(count, 600, MAXIMUM / 10000);
  assert_fails(walloc_alloc(arena, 10000), WALLOC_ERROR_OUT_OF_MEMORY);
  walloc_arena_stats before = stats_of(arena);
  assert_true(before.failures >= 2);
  assert_fails(walloc_alloc(arena, 2 * MIB), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_unchanged(arena, before);
  assert_true(walloc_ref_valid(ref));
  for (int i = 0; i < 1000; i++)
    assert_int_equal(first[i], 0xA5);
  assert_true(walloc_available(arena) < 2 * MIB);
  walloc_reset(arena);
  assert_int_equal(fill(arena, 10000) + 1, count + 1);
}

static void test_idle_chunks_of_others_are_taken(void **state) {
  (void)state;
  walloc_arena *idle = create((walloc_arena_config){0});
  walloc_arena *busy = create((walloc_arena_config){0});
  fill(idle, 100000);
  assert_fails(walloc_alloc(busy, 4 * MIB), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_true(walloc_available(busy) < 4 * MIB);
  walloc_reset(idle);
  assert_true(walloc_available(busy) >= 4 * MIB);
  take(busy, 4 * MIB);
  take(idle, 100); /* the other one goes on with what is left */
}

static void test_a_hard_budget_is_never_exceeded(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.hard_budget = 1 * MIB + 3000});
  size_t count = fill(arena, 8 * KIB);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_BUDGET);
  assert_in_range(count, 120, 128);
  assert_int_equal(stats_of(arena).capacity, 1 * MIB); /* rounded down to whole pages */
  assert_fails(walloc_alloc(arena, 2 * MIB), WALLOC_ERROR_BUDGET);
  assert_int_equal(walloc_reserve(arena, 2 * MIB), WALLOC_ERROR_BUDGET);
  walloc_reset(arena);
  assert_int_equal(fill(arena, 8 * KIB), count);
}

/* ---- The pressure callback ------------------------------------------------------------------ */

typedef struct listener {
  int soft, hard;
  size_t needed;
  walloc_arena *reset; /* to be reset in a hard call */
  bool answer;
} listener;

static bool on_pressure(walloc_arena *arena, size_t needed, walloc_pressure level, void *user) {
  listener *self = user;
  assert_non_null(arena);
  self->needed = needed;
  if (level == WALLOC_PRESSURE_SOFT)
    self->soft++;
  else
    self->hard++;
  if (level == WALLOC_PRESSURE_HARD && self->reset != NULL)
    walloc_reset(self->reset);
  return self->answer;
}

static void test_the_callback_is_told_of_the_soft_budget_once(void **state) {
  (void)state;
  listener listens = {0};
  walloc_arena *arena = create(
      (walloc_arena_config){.soft_budget = 1 * MIB, .on_pressure = on_pressure, .user = &listens});
  for (int i = 0; i < 30; i++)
    take(arena, 100000);
  assert_int_equal(listens.soft, 1);
  assert_int_equal(listens.hard, 0);
  assert_int_equal(stats_of(arena).pressure, 1);
}

static void test_the_callback_can_make_room(void **state) {
  (void)state;
  listener listens = {.answer = true};
  walloc_arena *arena = create(
      (walloc_arena_config){.hard_budget = 2 * MIB, .on_pressure = on_pressure, .user = &listens});
  walloc_arena *other = create((walloc_arena_config){0});
  fill(other, 64 * KIB);
  listens.reset = other;
  take(arena, 1 * MIB);
  assert_int_equal(listens.hard, 1);
  assert_in_range(listens.needed, 1 * MIB, 1 * MIB + WALLOC_PAGE_SIZE);
  listens.reset = arena; /* its own: at the budget */
  take(arena, 1536 * KIB);
  assert_int_equal(listens.hard, 2);
}

static void test_a_callback_that_helps_nothing_is_asked_once(void **state) {
  (void)state;
  listener listens = {.answer = true};
  walloc_arena *arena = create(
      (walloc_arena_config){.hard_budget = 1 * MIB, .on_pressure = on_pressure, .user = &listens});
  assert_fails(walloc_alloc(arena, 2 * MIB), WALLOC_ERROR_BUDGET);
  assert_int_equal(listens.hard, 1);
  listens.answer = false;
  assert_fails(walloc_alloc(arena, 2 * MIB), WALLOC_ERROR_BUDGET);
  assert_int_equal(listens.hard, 2);
}

static bool allocating(walloc_arena *arena, size_t needed, walloc_pressure level, void *user) {
  (void)level;
  ++*(int *)user;
  assert_null(walloc_alloc(arena, needed)); /* does not call back again */
  walloc_arena *other = walloc_arena_create(NULL);
  assert_non_null(other);
  assert_int_equal(walloc_arena_destroy(other), WALLOC_OK);
  return false;
}

static void test_a_callback_may_use_walloc(void **state) {
  (void)state;
  int calls = 0;
  walloc_arena *arena = create(
      (walloc_arena_config){.hard_budget = 1 * MIB, .on_pressure = allocating, .user = &calls});
  assert_fails(walloc_alloc(arena, 2 * MIB), WALLOC_ERROR_BUDGET);
  assert_int_equal(calls, 1);
  take(arena, 1000);
}

static void test_a_reserve_above_the_soft_budget_asks_nobody(void **state) {
  (void)state;
  listener listens = {0};
  walloc_arena *arena = create((walloc_arena_config){
      .reserve = 1 * MIB, .soft_budget = 64 * KIB, .on_pressure = on_pressure, .user = &listens});
  assert_int_equal(listens.soft, 0);
  assert_int_equal(stats_of(arena).capacity, 1 * MIB);
}

static bool resetting(walloc_arena *arena, size_t needed, walloc_pressure level, void *user) {
  (void)needed, (void)level;
  ++*(int *)user;
  walloc_reset(arena);
  return false;
}

static void test_a_block_survives_the_callback_of_its_own_growth(void **state) {
  (void)state;
  int calls = 0;
  walloc_arena *arena = create((walloc_arena_config){
      .lane = WALLOC_NO_LANE, .soft_budget = 64 * KIB, .on_pressure = resetting, .user = &calls});
  take(arena, 60000);
  walloc_ref ref = walloc_alloc_ref(arena, 20000);
  assert_int_equal(calls, 1);
  assert_non_null(ref.address);
  assert_true(walloc_ref_valid(ref));
  char *next = take(arena, 20000);
  assert_true(next >= (char *)ref.address + 20000 || next + 20000 <= (char *)ref.address);
}

/* ---- Recycling ------------------------------------------------------------------------------ */

static void test_recycling_goes_to_the_mark_and_no_further(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){
      .hard_budget = 1 * MIB, .lane = WALLOC_NO_LANE, .recycle = WALLOC_RECYCLE_TO_MARK});
  walloc_ref kept = walloc_alloc_ref(arena, 100 * KIB);
  memset(kept.address, 9, kept.size);
  walloc_preserve(arena);
  walloc_ref gone = walloc_alloc_ref(arena, 100 * KIB);
  for (int i = 0; i < 100; i++)
    take(arena, 100 * KIB);
  assert_true(walloc_ref_valid(kept));
  assert_false(walloc_ref_valid(gone));
  assert_true(stats_of(arena).recyclings >= 10);
  assert_int_equal(((char *)kept.address)[0], 9);
  assert_int_equal(((char *)kept.address)[100 * KIB - 1], 9);
  /* What does not fit behind the mark cannot be had by recycling, so nothing is recycled for it. */
  walloc_ref last = walloc_alloc_ref(arena, 100);
  size_t used = walloc_used(arena);
  assert_fails(walloc_alloc(arena, 1000 * KIB), WALLOC_ERROR_BUDGET);
  assert_int_equal(walloc_used(arena), used);
  assert_true(walloc_ref_valid(kept) && walloc_ref_valid(last));
  assert_non_null(walloc_alloc(arena, 800 * KIB));
  assert_true(walloc_ref_valid(kept));
  assert_false(walloc_ref_valid(last));
}

static void test_an_impossible_request_recycles_nothing(void **state) {
  (void)state;
  const walloc_arena_config configs[] = {
      {.recycle = WALLOC_RECYCLE_TO_MARK},
      {.recycle = WALLOC_RECYCLE_TO_MARK,
       .hard_budget = 64 * KIB + 3000}, /* 64 KiB in whole pages */
  };
  const size_t impossible[] = {1024 * MIB, 66000};
  for (size_t i = 0; i < 2; i++) {
    walloc_arena *arena = create(configs[i]);
    walloc_preserve(arena);
    walloc_ref ref = walloc_alloc_ref(arena, 100);
    assert_null(walloc_alloc(arena, impossible[i]));
    assert_true(walloc_ref_valid(ref));
    assert_int_equal(stats_of(arena).recyclings, 0);
  }
}

static void test_without_a_mark_nothing_is_recycled(void **state) {
  (void)state;
  walloc_arena *arena =
      create((walloc_arena_config){.hard_budget = 1 * MIB, .recycle = WALLOC_RECYCLE_TO_MARK});
  walloc_ref ref = walloc_alloc_ref(arena, 100);
  fill(arena, 64 * KIB);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_BUDGET);
  assert_true(walloc_ref_valid(ref));
  assert_int_equal(stats_of(arena).recyclings, 0);
  walloc_preserve(arena); /* forgotten by the reset */
  walloc_reset(arena);
  ref = walloc_alloc_ref(arena, 100);
  fill(arena, 64 * KIB);
  assert_true(walloc_ref_valid(ref));
}

static void test_never_means_never(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){.hard_budget = 1 * MIB});
  walloc_ref ref = walloc_alloc_ref(arena, 100);
  walloc_preserve(arena);
  walloc_ref behind = walloc_alloc_ref(arena, 100);
  fill(arena, 64 * KIB);
  assert_true(walloc_ref_valid(ref) && walloc_ref_valid(behind));
}

/* ---- The platform --------------------------------------------------------------------------- */

static void test_chunks_are_limited_and_capacity_grows_geometrically(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  size_t count = fill(arena, 16 * KIB);
  assert_true(count * 16 * KIB > MAXIMUM * 8 / 10);
  assert_true(stats_of(arena).chunks <= WALLOC_CHUNKS_MAX);
  assert_true(stats_of(arena).chunks < 40);
}

#ifndef __EMSCRIPTEN__
static void test_a_failed_growth_wipes_nothing(void **state) {
  (void)state;
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  walloc_config config = {.maximum = 256 * MIB, .reserve = 1 * MIB};
  begin_with(&config);
  walloc_arena *arena = walloc_tier(WALLOC_RENDER);
  unsigned char *block = take(arena, 1000);
  walloc_arena_stats before = stats_of(arena);
  size_t obtained = memory_stats().obtained;
  (void)walloc_platform_fail_growth(1);
  assert_fails(walloc_alloc(arena, 100 * MIB), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_unchanged(arena, before);
  assert_int_equal(memory_stats().obtained, obtained);
  assert_int_equal(block[999], 0xA5);
  assert_non_null(walloc_alloc(arena, 100 * MIB)); /* the next one works */
}

static void test_memory_of_others_is_never_touched(void **state) {
  (void)state;
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  walloc_config config = {.maximum = 512 * MIB, .reserve = 1 * MIB};
  begin_with(&config);
  walloc_arena *arena = create((walloc_arena_config){0});
  const size_t odd = 98760;
  for (int i = 0; i < 20; i++) {
    uint64_t foreign_start = (uint64_t)walloc_platform_end_page() * WALLOC_PAGE_SIZE;
    walloc_platform_foreign_growth(odd);
    uint64_t foreign_end = foreign_start + odd;
    uintptr_t start = (uintptr_t)take(arena, 1 * MIB + 100) - walloc_platform_base();
    assert_true(start + 1 * MIB + 100 <= foreign_start || start >= foreign_end);
  }
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      with_little_memory(test_a_reserve_is_one_piece_and_prevents_growth),
      with_little_memory(test_a_reserve_too_large_changes_nothing),
      with_little_memory(test_trim_gives_idle_chunks_back),
      with_little_memory(test_the_configured_reserve_stays),
      with_little_memory(test_out_of_memory_is_null_and_wipes_nothing),
      with_little_memory(test_idle_chunks_of_others_are_taken),
      with_little_memory(test_a_hard_budget_is_never_exceeded),
      with_little_memory(test_the_callback_is_told_of_the_soft_budget_once),
      with_little_memory(test_the_callback_can_make_room),
      with_little_memory(test_a_callback_that_helps_nothing_is_asked_once),
      with_little_memory(test_a_callback_may_use_walloc),
      with_little_memory(test_a_reserve_above_the_soft_budget_asks_nobody),
      with_little_memory(test_a_block_survives_the_callback_of_its_own_growth),
      with_little_memory(test_recycling_goes_to_the_mark_and_no_further),
      with_little_memory(test_an_impossible_request_recycles_nothing),
      with_little_memory(test_without_a_mark_nothing_is_recycled),
      with_little_memory(test_never_means_never),
      with_little_memory(test_chunks_are_limited_and_capacity_grows_geometrically),
#ifndef __EMSCRIPTEN__
      with_little_memory(test_a_failed_growth_wipes_nothing),
      with_little_memory(test_memory_of_others_is_never_touched),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
