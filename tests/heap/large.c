/* Large blocks, above 32 KiB: they split, coalesce and grow in place, whatever the strategy; and each
 * strategy chooses as it says. All is done in a room of one piece, cut into blocks that lie one behind
 * the other; a picture of the heap tells what is free before a choice. */
#include "heap/picture.h"
#include "heap/support.h"

#include <stdio.h>

#define TAG_MAX ((size_t)64) /* what may lie between two neighbours */

static walloc_strategy strategy; /* that this run is about */

static void *take_block(size_t size) {
  void *block = walloc_malloc(size);
  assert_non_null(block);
  memset(block, 0x5A, size);
  return block;
}

static bool are_neighbours(const char *one, const char *other) {
  const char *end = one + walloc_usable_size(one);
  return other > one && other - end <= (ptrdiff_t)TAG_MAX;
}

/* `count` blocks of these sizes in KiB, one behind the other, with all other room in use. */
static void cut(char **pieces, const size_t *sizes, size_t count) {
  heap_picture picture;
  size_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += sizes[i] * KIB + TAG_MAX;
  walloc_free(take_block(sum + 64 * KIB));
  for (size_t i = 0; i < count; i++)
    pieces[i] = take_block(sizes[i] * KIB);
  for (size_t i = 1; i < count; i++)
    assert_true(are_neighbours(pieces[i - 1], pieces[i]));
  assert_true(picture_take(&picture));
  for (size_t i = 0; i < picture.count; i++)
    if (!picture.ranges[i].live && picture.ranges[i].size > WALLOC_HEAP_SMALL)
      assert_ptr_equal(take_block(picture.ranges[i].size), picture.ranges[i].address);
  picture_drop(&picture);
}

/* The free range around an address; size 0: it is in use. */
static walloc_heap_range free_around(const void *address) {
  heap_picture picture;
  walloc_heap_range found = {0};
  assert_true(picture_take(&picture));
  const walloc_heap_range *range = picture_around(&picture, address);
  if (range != NULL && !range->live)
    found = *range;
  picture_drop(&picture);
  return found;
}

static size_t held(void) { return heap_stats().held; }

/* ---- Whatever the strategy ------------------------------------------------------------------ */

static void test_a_block_is_split(void **state) {
  char *pieces[3];
  (void)state;
  cut(pieces, (const size_t[]){40, 1000, 40}, 3);
  size_t before = held();
  walloc_free(pieces[1]);
  char *first = take_block(100 * KIB), *second = take_block(890 * KIB);
  assert_ptr_equal(first, pieces[1]);
  assert_true(are_neighbours(first, second));
  assert_true(walloc_usable_size(first) < 100 * KIB + TAG_MAX);
  assert_true(second + 890 * KIB <= pieces[2]);
  assert_int_equal(held(), before);
}

/* Three neighbours freed in each order: the last one joins with one behind it, one before it, or both. */
static void test_free_neighbours_become_one(void **state) {
  const size_t orders[6][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
  const size_t sizes[] = {40, 100, 120, 140, 40};
  (void)state;
  for (size_t i = 0; i < 6; i++) {
    char *pieces[5];
    cut(pieces, sizes, 5);
    for (size_t j = 0; j < 3; j++)
      walloc_free(pieces[orders[i][j]]);
    walloc_heap_range range = free_around(pieces[1]);
    assert_ptr_equal(range.address, pieces[1]);
    assert_in_range(range.size, 360 * KIB, 360 * KIB + 4 * TAG_MAX);
    assert_true((char *)range.address + range.size <= pieces[4]);
    size_t before = held();
    assert_ptr_equal(take_block(range.size), pieces[1]); /* and fits into all of it */
    assert_int_equal(held(), before);
  }
}

static void test_a_wall_keeps_two_holes_apart(void **state) {
  char *pieces[5];
  (void)state;
  cut(pieces, (const size_t[]){40, 100, 40, 100, 40}, 5);
  walloc_free(pieces[1]);
  walloc_free(pieces[3]);
  assert_in_range(free_around(pieces[1]).size, 100 * KIB, 100 * KIB + TAG_MAX);
  assert_in_range(free_around(pieces[3]).size, 100 * KIB, 100 * KIB + TAG_MAX);
  size_t before = held();
  char *block = take_block(150 * KIB); /* in neither */
  assert_true(block < pieces[1] || block > pieces[3]);
  assert_true(held() > before);
}

static void test_all_that_was_freed_can_be_one_block_again(void **state) {
  enum { PIECES = 48 };
  char *pieces[PIECES];
  size_t sizes[PIECES], sum = 0;
  (void)state;
  for (size_t i = 0; i < PIECES; i++) {
    sizes[i] = 33 + i * 37 % 100;
    sum += sizes[i] * KIB;
  }
  cut(pieces, sizes, PIECES);
  for (size_t i = 0; i < PIECES; i++)
    walloc_free(pieces[i * 29 % PIECES]);
  size_t before = held();
  assert_ptr_equal(take_block(sum), pieces[0]);
  assert_int_equal(held(), before);
}

static void test_realloc_grows_into_a_free_neighbour(void **state) {
  char *pieces[4];
  (void)state;
  cut(pieces, (const size_t[]){100, 100, 100, 40}, 4);
  walloc_free(pieces[2]);
  pieces[1][100 * KIB - 1] = 7;
  assert_ptr_equal(walloc_realloc(pieces[1], 150 * KIB), pieces[1]); /* some of it */
  assert_int_equal(pieces[1][100 * KIB - 1], 7);
  assert_in_range(free_around(pieces[1] + 155 * KIB).size, 49 * KIB, 51 * KIB);
  assert_ptr_equal(walloc_realloc(pieces[1], 200 * KIB), pieces[1]); /* all of it */
  assert_true(are_neighbours(pieces[1], pieces[3]));
  assert_int_equal(free_around(pieces[1] + 199 * KIB).size, 0);
}

static void test_realloc_moves_where_the_neighbour_is_in_use(void **state) {
  char *pieces[4];
  (void)state;
  cut(pieces, (const size_t[]){40, 100, 100, 40}, 4);
  pieces[1][100 * KIB - 1] = 7;
  char *moved = walloc_realloc(pieces[1], 150 * KIB);
  assert_true(moved != NULL && moved != pieces[1]);
  assert_int_equal(moved[100 * KIB - 1], 7);
  assert_ptr_equal(free_around(pieces[1]).address, pieces[1]); /* its old place is free */
  assert_int_equal(pieces[2][0], 0x5A);
}

static void test_realloc_gives_back_what_is_too_much(void **state) {
  char *pieces[4];
  (void)state;
  cut(pieces, (const size_t[]){300, 100, 40, 40}, 4);
  assert_ptr_equal(walloc_realloc(pieces[0], 100 * KIB), pieces[0]);
  assert_in_range(free_around(pieces[0] + 150 * KIB).size, 199 * KIB, 201 * KIB);
  walloc_free(pieces[1]); /* which joins the rest */
  assert_in_range(free_around(pieces[1]).size, 299 * KIB, 301 * KIB + TAG_MAX);
}

/* Many blocks of many sizes come and go: the holes are used again. */
static void test_churn_needs_little_more_than_what_is_live(void **state) {
  enum { SLOTS = 64 };
  char *slots[SLOTS] = {0};
  size_t live = 0, most = 0, highest = 0;
  uint32_t random = 1;
  (void)state;
  for (int i = 0; i < 20000; i++) {
    random = random * 1664525u + 1013904223u;
    char **slot = &slots[random >> 26];
    live -= walloc_usable_size(*slot);
    walloc_free(*slot);
    *slot = walloc_malloc(33 * KIB + (random >> 8) % (200 * KIB));
    live += walloc_usable_size(*slot);
    most = live > most ? live : most;
    highest = held() > highest && i % 100 == 0 ? held() : highest;
  }
  assert_true(highest < 2 * most);
  for (int i = 0; i < SLOTS; i++)
    walloc_free(slots[i]);
  assert_nothing_is_live();
}

/* Room of large blocks, all free again, is there for blocks of other kinds. */
static void test_free_room_is_for_others_too(void **state) {
  enum { BLOCKS = 100 };
  char *blocks[BLOCKS], *small;
  (void)state;
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = take_block(300 * KIB);
  size_t obtained = memory_stats().obtained, free_before = memory_stats().free;
  for (int i = 0; i < BLOCKS; i++)
    walloc_free(blocks[i]);
  walloc_free(take_block(20 * MIB)); /* huge */
  for (size_t bytes = 0; bytes < 20 * MIB; bytes += 1 * KIB) {
    small = walloc_malloc(1 * KIB);
    assert_non_null(small);
  }
  size_t more = memory_stats().obtained - obtained;
  if (more > free_before + 4 * MIB)
    fail_msg("%u KiB were obtained though %u KiB of large blocks are free", (unsigned)(more / KIB),
             (unsigned)(BLOCKS * 300));
}

/* ---- What each strategy chooses ------------------------------------------------------------- */

/* Where a strategy says it would take a block: NULL, anywhere, as nothing fits. */
typedef const walloc_heap_range *chooser(const heap_picture *picture, size_t size);

static const char *last_end; /* of the block that was taken last */

static bool fits(const walloc_heap_range *range, size_t size) {
  return !range->live && range->part == 0 && range->size > WALLOC_HEAP_SMALL && range->size >= size;
}

static const walloc_heap_range *lowest_from(const heap_picture *picture, const char *from,
                                            size_t size) {
  for (size_t i = 0; i < picture->count; i++)
    if ((char *)picture->ranges[i].address >= from && fits(&picture->ranges[i], size))
      return &picture->ranges[i];
  return NULL;
}

static const walloc_heap_range *choose_first(const heap_picture *picture, size_t size) {
  return lowest_from(picture, NULL, size);
}

static const walloc_heap_range *choose_next(const heap_picture *picture, size_t size) {
  const walloc_heap_range *range = lowest_from(picture, last_end, size);
  return range != NULL ? range : choose_first(picture, size);
}

static const walloc_heap_range *choose_best(const heap_picture *picture, size_t size) {
  const walloc_heap_range *best = NULL;
  for (size_t i = 0; i < picture->count; i++)
    if (fits(&picture->ranges[i], size) && (best == NULL || picture->ranges[i].size < best->size))
      best = &picture->ranges[i];
  return best;
}

static chooser *const choosers[STRATEGIES] = {choose_first, choose_next, choose_best, NULL};

/* Takes a block where the strategy's word says; good fit, where there is any room at all. */
static char *take_as_promised(size_t size) {
  heap_picture picture;
  assert_true(picture_take(&picture));
  size_t before = held();
  char *block = take_block(size);
  const walloc_heap_range *range = choosers[strategy] == NULL ? picture_around(&picture, block)
                                                              : choosers[strategy](&picture, size);
  if (choose_first(&picture, size) != NULL) {
    assert_int_equal(held(), before);
    assert_non_null(range);
    assert_ptr_equal(block, range->address);
    assert_true(fits(range, size));
  } else {
    assert_true(held() > before);
  }
  last_end = block + walloc_usable_size(block);
  picture_drop(&picture);
  return block;
}

static void test_the_choice_among_holes(void **state) {
  const size_t sizes[] = {300, 40, 120, 40, 200, 40, 110, 40, 500, 40};
  const size_t expected[STRATEGIES] = {0, 2, 6, 99};
  char *pieces[10];
  (void)state;
  cut(pieces, sizes, 10);
  for (size_t i = 0; i < 10; i += 2)
    walloc_free(pieces[i]);
  if (strategy == WALLOC_NEXT_FIT) { /* go on from the first, which is free again */
    assert_ptr_equal(take_block(180 * KIB), pieces[0]);
    walloc_free(pieces[0]);
  }
  size_t before = held();
  char *block = take_block(105 * KIB);
  assert_int_equal(held(), before);
  if (expected[strategy] != 99)
    assert_ptr_equal(block, pieces[expected[strategy]]);
  else
    assert_true(block >= pieces[0] && block < pieces[9]);
}

/* For good fit too: it may pass over such a block only when there is another. */
static void test_the_only_one_that_fits_is_taken(void **state) {
  char *pieces[5];
  (void)state;
  cut(pieces, (const size_t[]){40, 90, 40, 100, 40}, 5);
  walloc_free(pieces[1]);
  walloc_free(pieces[3]);
  assert_ptr_equal(take_block(walloc_usable_size(pieces[0]) + 55 * KIB), pieces[3]);
}

static void test_of_equal_ones_the_lowest(void **state) {
  const size_t sizes[] = {40, 100, 40, 100, 40, 100, 40};
  const size_t orders[3][3] = {{1, 3, 5}, {5, 3, 1}, {3, 5, 1}};
  (void)state;
  if (strategy == WALLOC_NEXT_FIT || strategy == WALLOC_GOOD_FIT)
    return; /* which promise nothing about these */
  for (size_t i = 0; i < 3; i++) {
    char *pieces[7];
    assert_int_equal(walloc_heap_reset(), WALLOC_OK);
    cut(pieces, sizes, 7);
    for (size_t j = 0; j < 3; j++)
      walloc_free(pieces[orders[i][j]]);
    assert_ptr_equal(take_block(100 * KIB), pieces[1]);
    assert_ptr_equal(take_block(100 * KIB), pieces[3]);
  }
}

static void test_every_choice_of_a_random_program(void **state) {
  enum { SLOTS = 40, STEPS = 300 };
  char *slots[SLOTS] = {0};
  uint32_t random = 7;
  (void)state;
  last_end = NULL;
  for (int i = 0; i < STEPS; i++) {
    random = random * 1664525u + 1013904223u;
    char **slot = &slots[(random >> 24) % SLOTS];
    walloc_free(*slot);
    *slot = i % 3 == 0 ? NULL : take_as_promised(33 * KIB + (size_t)((random >> 8) % 64) * 5 * KIB);
  }
}

/* ---- The runs ------------------------------------------------------------------------------- */

static int begin_with_strategy(void **state) {
  (void)state;
  return begin_empty(state) == 0 && walloc_heap_set_strategy(strategy) == WALLOC_OK ? 0 : -1;
}

#define with_strategy(test) cmocka_unit_test_setup_teardown(test, begin_with_strategy, begin_empty)

static void test_an_unknown_strategy(void **state) {
  (void)state;
  assert_int_equal(walloc_heap_set_strategy((walloc_strategy)4), WALLOC_ERROR_CONFIG);
  assert_int_equal(walloc_heap_set_strategy((walloc_strategy)-1), WALLOC_ERROR_CONFIG);
}

/* What is free stays found when the strategy changes under it. */
static void test_changing_with_blocks_and_holes(void **state) {
  const size_t sizes[] = {40, 100, 40, 200, 40};
  char *pieces[5];
  (void)state;
  cut(pieces, sizes, 5);
  walloc_free(pieces[1]);
  walloc_free(pieces[3]);
  size_t before = held();
  for (int i = 0; i < 12; i++) {
    assert_int_equal(walloc_heap_set_strategy((walloc_strategy)(i * 7 % STRATEGIES)), WALLOC_OK);
    char *one = take_block(180 * KIB), *other = take_block(90 * KIB);
    assert_ptr_equal(one, pieces[3]);
    assert_ptr_equal(other, pieces[1]);
    assert_int_equal(held(), before);
    walloc_free(i % 2 == 0 ? one : other);
    walloc_free(i % 2 == 0 ? other : one);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_strategy(test_a_block_is_split),
      with_strategy(test_free_neighbours_become_one),
      with_strategy(test_a_wall_keeps_two_holes_apart),
      with_strategy(test_all_that_was_freed_can_be_one_block_again),
      with_strategy(test_realloc_grows_into_a_free_neighbour),
      with_strategy(test_realloc_moves_where_the_neighbour_is_in_use),
      with_strategy(test_realloc_gives_back_what_is_too_much),
      with_strategy(test_churn_needs_little_more_than_what_is_live),
      with_strategy(test_free_room_is_for_others_too),
      with_strategy(test_the_choice_among_holes),
      with_strategy(test_the_only_one_that_fits_is_taken),
      with_strategy(test_of_equal_ones_the_lowest),
      with_strategy(test_every_choice_of_a_random_program),
  };
  const struct CMUnitTest changes[] = {
      with_empty_heap(test_an_unknown_strategy),
      with_empty_heap(test_changing_with_blocks_and_holes),
  };
  int failed = 0;
  for (unsigned i = 0; i < STRATEGIES; i++) {
    strategy = (walloc_strategy)i;
    printf("%s\n", strategy_names[i]);
    failed += cmocka_run_group_tests(tests, NULL, NULL);
  }
  return failed + cmocka_run_group_tests(changes, NULL, NULL);
}
