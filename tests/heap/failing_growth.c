/* Memory that cannot be had: natively each growth of a program fails in turn, in a process of its own;
 * everywhere programs run into every one of many maxima. A call that failed has changed nothing, errno
 * is ENOMEM, and the heap goes on. */
#include "heap/program.h"
#include "heap/support.h"

#include <stdio.h>

enum { STEPS = 1500 };

/* Memory that failed for a time is there again for what compares, which needs some. */
typedef struct shortage {
  void (*begin)(size_t how_much);
  void (*pause)(void);
  size_t how_much;
} shortage;

static const char *compare(heap_model *model, const shortage *of) {
  of->pause();
  return model_compare(model);
}

/* Runs a program to its end, frees all, and looks before and after whether the heap is in order. */
static const char *run_program(const shortage *of, uint32_t random, size_t bytes_max,
                               unsigned *failures) {
  heap_model model;
  const char *problem = NULL;
  model_begin(&model, random);
  model.may_fail = true;
  of->begin(of->how_much);
  for (unsigned step = 0; step < STEPS && problem == NULL; step++)
    problem = program_step(&model, &random, bytes_max);
  if (problem == NULL)
    problem = compare(&model, of);
  if (problem == NULL)
    problem = model_free_all(&model);
  if (problem == NULL)
    problem = compare(&model, of);
  *failures = model.failures;
  model_end(&model);
  return problem;
}

/* ---- Every maximum -------------------------------------------------------------------------- */

static void no_maximum(void) { set_maximum(0); }

static void test_every_maximum(void **state) {
  unsigned all = 0, failures;
  (void)state;
  for (size_t maximum = 400 * KIB; maximum < 40 * MIB; maximum += maximum / 9) {
    const shortage lack = {set_maximum, no_maximum, maximum};
    assert_int_equal(walloc_heap_set_strategy((walloc_strategy)(maximum / 4096 % STRATEGIES)),
                     WALLOC_OK);
    const char *problem = run_program(&lack, program_seed(), 2 * maximum, &failures);
    if (problem != NULL)
      fail_msg("WALLOC_SEED=%u, maximum %zu: %s", program_seed(), maximum, problem);
    assert_true(memory_stats().obtained <= maximum + maximum / 32 + 64 * KIB);
    all += failures;
  }
  assert_true(all > 100);
}

/* The last bytes serve whoever can use them, and what is freed serves again. */
static void test_all_memory_in_use_and_free_again(void **state) {
  enum { BLOCKS = 100000 };
  static void *blocks[BLOCKS];
  const size_t sizes[] = {1000, 30000, 100, 70000, 16};
  (void)state;
  set_maximum(60 * MIB);
  for (unsigned again = 0; again < 3; again++) {
    size_t count = 0;
    for (size_t i = 0; i < COUNT(sizes); i++)
      while (count < BLOCKS && (blocks[count] = walloc_malloc(sizes[i])) != NULL)
        count++;
    assert_true(count < BLOCKS);
    assert_true(heap_stats().held > 30 * MIB);
    while (count > 0)
      walloc_free(blocks[--count]);
    assert_nothing_is_live();
    void *large = walloc_malloc(25 * MIB); /* nothing is in its way any more */
    assert_non_null(large);
    walloc_free(large);
  }
}

/* ---- Every growth --------------------------------------------------------------------------- */

#ifndef __EMSCRIPTEN__
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform.h"

enum { WENT_ON = 0, WRONG = 1, NEVER_FAILED = 2 };

static bool still_pending;

static void fail_growth(size_t n) { (void)walloc_platform_fail_growth((unsigned)n); }

static void fail_no_growth(void) { still_pending |= walloc_platform_fail_growth(0) != 0; }

static int run_with_failure(unsigned program, unsigned growth) {
  const shortage lack = {fail_growth, fail_no_growth, growth};
  unsigned failures;
  const char *problem = run_program(&lack, program_seed() + program, 8 * MIB, &failures);
  if (problem != NULL)
    fprintf(stderr, "WALLOC_SEED=%u, program %u, growth %u failed: %s\n", program_seed(), program,
            growth, problem);
  return problem != NULL ? WRONG : still_pending ? NEVER_FAILED : WENT_ON;
}

/* Returns how many growths the program needs. */
static unsigned fail_each_growth(unsigned program) {
  int status = WENT_ON;
  unsigned growth = 0;
  while (status == WENT_ON) {
    growth++;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
      _exit(run_with_failure(program, growth));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    status = WEXITSTATUS(status);
  }
  assert_int_equal(status, NEVER_FAILED);
  return growth - 1;
}

static void test_every_growth(void **state) {
  enum { PROGRAMS = 2 };
  unsigned growths = 0;
  (void)state;
  (void)program_seed();
  for (unsigned program = 0; program < PROGRAMS * program_rounds(); program++)
    growths += fail_each_growth(program);
  printf("%u growths\n", growths);
  assert_true(growths > 12);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
#ifndef __EMSCRIPTEN__
      with_empty_heap(test_every_growth),
#endif
      with_empty_heap(test_every_maximum),
      with_empty_heap(test_all_memory_in_use_and_free_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
