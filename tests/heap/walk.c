/* What the walk, the census and the statistics tell, of blocks of every kind and of several threads. */
#include "heap/picture.h"
#include "heap/support.h"

#include <pthread.h>

static const size_t sizes[] = {1, 100, 5000, 32768, 32769, 300 * KIB, 8 * MIB, 9 * MIB};

static void test_an_empty_heap_has_nothing(void **state) {
  heap_picture picture;
  walloc_heap_census census;
  (void)state;
  assert_true(picture_take(&picture));
  assert_int_equal(picture_count(&picture, true), 0);
  picture_drop(&picture);
  assert_int_equal(walloc_take_heap_census(&census), WALLOC_OK);
  assert_int_equal(census.live_blocks, 0);
  assert_int_equal(census.live_bytes, 0);
  assert_int_equal(heap_stats().held, 0);
}

static void test_each_kind_of_block_is_shown_as_it_is(void **state) {
  heap_picture picture;
  void *blocks[COUNT(sizes)];
  (void)state;
  use_up_scraps();
  for (size_t i = 0; i < COUNT(sizes); i++)
    assert_non_null(blocks[i] = walloc_malloc(sizes[i]));
  assert_true(picture_take(&picture));
  assert_int_equal(picture_count(&picture, true), COUNT(sizes));
  for (size_t i = 0; i < COUNT(sizes); i++) {
    const walloc_heap_range *range = picture_find(&picture, blocks[i]);
    assert_true(range != NULL && range->live);
    assert_int_equal(range->size, walloc_usable_size(blocks[i]));
    assert_int_equal(range->part != 0, sizes[i] <= WALLOC_HEAP_SMALL);
  }
  picture_drop(&picture);
  for (size_t i = 0; i < COUNT(sizes); i++) {
    walloc_free(blocks[i]);
    assert_true(picture_take(&picture));
    const walloc_heap_range *range = picture_around(&picture, blocks[i]);
    assert_true(range == NULL || !range->live);
    assert_int_equal(picture_count(&picture, true), COUNT(sizes) - i - 1);
    picture_drop(&picture);
  }
}

/* ---- The visitor ---------------------------------------------------------------------------- */

typedef struct visits {
  unsigned count, most;
  void *user_seen;
} visits;

static bool count_visit(const walloc_heap_range *range, void *user) {
  visits *v = user;
  v->user_seen = range->address;
  return ++v->count != v->most;
}

static void test_the_visitor_ends_the_walk(void **state) {
  visits all = {0, 0, NULL};
  (void)state;
  for (unsigned i = 0; i < 30; i++)
    assert_non_null(walloc_malloc(sizes[i % COUNT(sizes)] / 2 + 1));
  assert_int_equal(walloc_heap_walk(count_visit, &all), WALLOC_OK);
  assert_true(all.count > 30);
  for (unsigned most = 1; most <= all.count; most++) {
    visits some = {0, most, NULL};
    assert_int_equal(walloc_heap_walk(count_visit, &some), WALLOC_OK);
    assert_int_equal(some.count, most);
  }
}

/* The walk gives back what it needed for itself. */
static void test_walking_holds_no_memory(void **state) {
  heap_picture picture;
  (void)state;
  assert_non_null(walloc_malloc(20 * MIB));
  assert_true(picture_take(&picture));
  picture_drop(&picture);
  walloc_memory_stats before = memory_stats();
  for (int i = 0; i < 50; i++) {
    assert_true(picture_take(&picture));
    picture_drop(&picture);
  }
  assert_int_equal(memory_stats().obtained, before.obtained);
  assert_int_equal(memory_stats().own, before.own);
}

static void test_a_walk_without_memory_says_so(void **state) {
  visits none = {0, 0, NULL};
  walloc_heap_census census;
  (void)state;
  set_maximum(30 * MIB);
  while (walloc_malloc(1000) != NULL)
    continue;
  size_t held = heap_stats().held;
  assert_int_equal(walloc_heap_walk(count_visit, &none), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_int_equal(none.count, 0);
  assert_int_equal(walloc_take_heap_census(&census), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_int_equal(heap_stats().held, held);
  set_maximum(0);
  assert_int_equal(walloc_heap_walk(count_visit, &none), WALLOC_OK);
}

/* ---- The census ----------------------------------------------------------------------------- */

static void test_the_census_counts_by_class(void **state) {
  walloc_heap_census census;
  void *blocks[50];
  (void)state;
  for (size_t i = 0; i < 50; i++)
    blocks[i] = walloc_malloc(i < 20 ? 48 : 700);
  for (size_t i = 0; i < 5; i++)
    walloc_free(blocks[i]);
  assert_int_equal(walloc_take_heap_census(&census), WALLOC_OK);
  size_t of_48 = 2, of_768 = 17;
  assert_int_equal(census.of_class[of_48].size, 48);
  assert_int_equal(census.of_class[of_48].live, 15);
  assert_int_equal(census.of_class[of_48].free, WALLOC_PAGE_SIZE / 48 - 15);
  assert_int_equal(census.of_class[of_768].size, 768);
  assert_int_equal(census.of_class[of_768].live, 30);
  assert_int_equal(census.live_blocks, 45);
}

static void test_fragmentation_is_what_the_largest_free_range_is_not(void **state) {
  walloc_heap_census census;
  char *blocks[4];
  (void)state;
  char *room = walloc_malloc(4 * MIB);
  walloc_free(room);
  for (size_t i = 0; i < 4; i++)
    blocks[i] = walloc_malloc(1 * MIB - 64);
  walloc_free(blocks[0]);
  walloc_free(blocks[2]);
  assert_int_equal(walloc_take_heap_census(&census), WALLOC_OK);
  assert_in_range(census.free_bytes, 2 * MIB - 512, 2 * MIB + 8192);
  assert_in_range((uint64_t)(census.fragmentation * 100), 49, 51);
  walloc_free(blocks[1]);
  assert_int_equal(walloc_take_heap_census(&census), WALLOC_OK);
  assert_true(census.fragmentation < 0.01);
}

/* ---- Several threads ------------------------------------------------------------------------ */

enum { THREADS = 4, BLOCKS = 100 };

typedef struct allocator {
  pthread_t id;
  void *blocks[BLOCKS];
} allocator;

static pthread_barrier_t all_have_allocated;

static void *allocate(void *argument) {
  allocator *a = argument;
  use_up_scraps();
  for (size_t i = 0; i < BLOCKS; i++)
    a->blocks[i] = walloc_malloc(1 + i * 20);
  pthread_barrier_wait(&all_have_allocated); /* so that nobody gets the part of one who has ended */
  return NULL;
}

static void test_blocks_are_shown_with_the_part_they_belong_to(void **state) {
  static allocator threads[THREADS];
  heap_picture picture;
  unsigned part_of[THREADS];
  (void)state;
  pthread_barrier_init(&all_have_allocated, NULL, THREADS);
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i].id, NULL, allocate, &threads[i]), 0);
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_join(threads[i].id, NULL), 0);
  pthread_barrier_destroy(&all_have_allocated);
  assert_true(picture_take(&picture));
  for (size_t i = 0; i < THREADS; i++) {
    part_of[i] = picture_find(&picture, threads[i].blocks[0])->part;
    for (size_t j = 0; j < i; j++)
      assert_int_not_equal(part_of[i], part_of[j]);
    for (size_t j = 0; j < BLOCKS; j++)
      assert_int_equal(picture_find(&picture, threads[i].blocks[j])->part, part_of[i]);
  }
  for (size_t i = 0; i < THREADS; i++) /* by another thread: they still belong to whose they are */
    for (size_t j = 0; j < BLOCKS; j++)
      walloc_free(threads[i].blocks[j]);
  picture_drop(&picture);
  assert_nothing_is_live();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_empty_heap(test_an_empty_heap_has_nothing),
      with_empty_heap(test_each_kind_of_block_is_shown_as_it_is),
      with_empty_heap(test_the_visitor_ends_the_walk),
      with_empty_heap(test_walking_holds_no_memory),
      with_empty_heap(test_the_census_counts_by_class),
      with_empty_heap(test_fragmentation_is_what_the_largest_free_range_is_not),
      with_empty_heap(test_blocks_are_shown_with_the_part_they_belong_to),
      with_empty_heap(test_a_walk_without_memory_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
