/* The page provider: what is free is handed out first fit, whatever was taken and given back before, in runs of
 * every length and alignment that spans have and longer ones; and the map reaches above its lower part. One
 * thread.
 *
 *     pages     a run prints its seed, and takes it from WALLOC_SEED */
#include "pages/pages.h"

#include "unit/support.h"

#include <stdio.h>
#include <stdlib.h>

#define RUNS 200
#define STEPS 20000
#define SHORT 8      /* most are */
#define LONGEST 3000 /* longer than what free runs are told apart by */

static uint32_t random_state;

/* Xorshift (Marsaglia, Journal of Statistical Software 8, 2003). */
static uint32_t below(uint32_t limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % limit;
}

typedef struct run {
  page_index first, count; /* count 0: none */
} run;

static bool is_free_run(page_index first, page_index count) {
  for (page_index page = first; page < first + count; page++)
    if (!page_is_free(page))
      return false;
  return true;
}

/* By looking at every place; the top where there is none. */
static page_index first_fit(page_index count, page_index alignment) {
  page_index top = walloc_pages_top();
  page_index page = 0;
  while (page + count <= top && !(page % alignment == 0 && is_free_run(page, count)))
    page++;
  return page + count <= top ? page : top;
}

/* Takes the first fit, or grows where there is none. */
static run take_run(page_index count, page_index alignment) {
  page_index expected = first_fit(count, alignment), top = walloc_pages_top();
  page_run got;
  walloc_error error = walloc_pages_take(count, alignment, PAGE_HUGE, false, &got);
  assert_int_equal(error, expected == top ? WALLOC_ERROR_OUT_OF_MEMORY : WALLOC_OK);
  if (error != WALLOC_OK) {
    assert_int_equal(walloc_pages_take(count, alignment, PAGE_HUGE, true, &got), WALLOC_OK);
    assert_int_equal(got.first % alignment, 0);
  } else {
    assert_int_equal(got.first, expected);
  }
  return (run){got.first, count};
}

/* Whole, or a part of it at its end. */
static void give_some(run *r) {
  page_index rest = below(3) == 0 ? below(r->count) : 0;
  assert_true(walloc_pages_give(r->first + rest, r->count - rest));
  r->count = rest;
}

static void test_what_is_free_is_taken_first_fit(void **state) {
  (void)state;
  static run runs[RUNS];
  for (int step = 0; step < STEPS; step++) {
    run *r = &runs[below(RUNS)];
    page_index count = 1 + (below(16) == 0 ? below(below(LONGEST) + 1) : below(SHORT));
    if (r->count != 0)
      give_some(r);
    else
      *r = take_run(count, below(2) == 0 ? 1 : 1 + below(SHORT));
  }
  for (int i = 0; i < RUNS; i++)
    if (runs[i].count != 0)
      assert_true(walloc_pages_give(runs[i].first, runs[i].count));
}

/* The upper part of the map is walloc's own, and counted; below it nothing has moved. */
static void test_the_map_reaches_above_its_lower_part(void **state) {
  (void)state;
  walloc_pages_sums before = walloc_pages_count();
  page_run low, high;
  assert_int_equal(walloc_pages_take(1, 1, PAGE_HUGE, true, &low), WALLOC_OK);
  assert_false(walloc_map_reaches(MAP_LOW + 1));
  assert_int_equal(page_entry(MAP_LOW), PAGE_FOREIGN);
  assert_int_equal(page_entry(PAGE_COUNT - 1), PAGE_FOREIGN);

  assert_int_equal(walloc_pages_take(MAP_LOW, 1, PAGE_HUGE, true, &high), WALLOC_OK);
  assert_true(walloc_map_reaches(PAGE_COUNT));
  assert_true(high.first + MAP_LOW > MAP_LOW);
  assert_int_equal(page_entry(high.first), PAGE_HUGE);
  assert_int_equal(page_entry(high.first + MAP_LOW - 1), PAGE_HUGE | PAGE_NOT_FIRST);
  assert_int_equal(page_entry(low.first), PAGE_HUGE);
  walloc_pages_sums after = walloc_pages_count();
  assert_int_equal(after.own - before.own, MAP_HIGH_PAGES);

  assert_true(walloc_pages_give(high.first, MAP_LOW));
  assert_int_equal(page_entry(high.first), PAGE_FREE);
  assert_true(walloc_pages_give(low.first, 1));
}

int main(void) {
  const char *seed = getenv("WALLOC_SEED");
  random_state = seed != NULL ? (uint32_t)strtoul(seed, NULL, 10) : 20261127;
  printf("seed %u\n", random_state);
  const struct CMUnitTest tests[] = {
      with_defaults(test_what_is_free_is_taken_first_fit),
      with_defaults(test_the_map_reaches_above_its_lower_part),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
