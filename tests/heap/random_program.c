/* Random programs in one thread, under each strategy, compared with the model again and again: every block,
 * the walk, the census and the statistics. */
#include "heap/program.h"
#include "heap/support.h"

#include <stdio.h>

enum { PROGRAMS = 24, STEPS = 4000, COMPARE_EVERY = 250 };

static const size_t live_bytes[] = {200 * KIB, 4 * MIB, 64 * MIB}; /* of a program, at most */

static uint32_t number; /* of the program that runs */
static heap_model model;

static void require(const char *problem, unsigned step) {
  if (problem != NULL)
    fail_msg("WALLOC_SEED=%u, program %u, step %u: %s", program_seed(), number, step, problem);
}

/* Leaves some blocks behind for the next one, which begins with a heap that has a past. */
static void run_program(void) {
  uint32_t random = program_seed() + number * 2654435761u;
  size_t most = live_bytes[number % 3];
  assert_int_equal(walloc_heap_set_strategy((walloc_strategy)(number % STRATEGIES)), WALLOC_OK);
  for (unsigned step = 0; step < STEPS; step++) {
    require(program_step(&model, &random, most), step);
    if (step % COMPARE_EVERY == 0)
      require(model_compare(&model), step);
  }
}

static void test_programs(void **state) {
  (void)state;
  model_begin(&model, program_seed());
  for (number = 0; number < PROGRAMS * program_rounds(); number++)
    run_program();
  require(model_free_all(&model), STEPS);
  require(model_compare(&model), STEPS);
  model_end(&model);
}

/* What one program needs, the same program needs no more of a second time: nothing is lost when all is
 * freed. */
static void test_the_same_program_again_needs_no_more(void **state) {
  size_t obtained = 0;
  (void)state;
  number = 1; /* up to 4 MiB */
  for (unsigned again = 0; again < 8; again++) {
    model_begin(&model, program_seed());
    run_program();
    require(model_free_all(&model), STEPS);
    model_end(&model);
    if (again == 1)
      obtained = memory_stats().obtained;
  }
  assert_true(memory_stats().obtained <= obtained + obtained / 4);
}

/* Nothing is lost by a reset: what is in use after it, of walloc's own, stays the same. Sweeps come with growth, so the
 * same program may take a little more when it has found memory. */
static void test_reset_between_programs(void **state) {
  size_t obtained = 0, in_use = 0;
  (void)state;
  number = 2;
  for (unsigned again = 0; again < 3; again++) {
    model_begin(&model, program_seed());
    run_program();
    require(model_compare(&model), STEPS);
    model_end(&model);
    assert_int_equal(walloc_heap_reset(), WALLOC_OK);
    assert_nothing_is_live();
    walloc_memory_stats stats = memory_stats();
    if (again == 0) {
      obtained = stats.obtained;
      in_use = stats.obtained - stats.free;
    }
    assert_int_equal(stats.heap, 0);
    assert_int_equal(stats.obtained - stats.free, in_use);
    assert_true(stats.obtained <= obtained + obtained / 8);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_empty_heap(test_programs),
      with_empty_heap(test_the_same_program_again_needs_no_more),
      with_empty_heap(test_reset_between_programs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
