/* walloc_heap_reset: the whole heap is empty again, whoever had allocated; arenas are not. */
#include "heap/support.h"

#include <pthread.h>

static void allocate_of_every_kind(void) {
  const size_t sizes[] = {16, 1000, 30000, 40000, 500 * KIB, 9 * MIB};
  for (size_t i = 0; i < COUNT(sizes); i++)
    for (int j = 0; j < 10; j++) {
      void *block = walloc_malloc(sizes[i]);
      assert_non_null(block);
      memset(block, 0xEE, sizes[i]);
      if (j % 3 == 0)
        walloc_free(block);
    }
}

static void test_all_is_gone(void **state) {
  (void)state;
  allocate_of_every_kind();
  assert_true(heap_stats().held > 50 * MIB);
  assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  assert_int_equal(heap_stats().held, 0);
  assert_int_equal(heap_stats().spans + heap_stats().large, 0);
  assert_nothing_is_live();
}

static void test_the_memory_serves_again(void **state) {
  (void)state;
  allocate_of_every_kind();
  size_t obtained = memory_stats().obtained;
  for (int i = 0; i < 20; i++) {
    assert_int_equal(walloc_heap_reset(), WALLOC_OK);
    allocate_of_every_kind();
  }
  assert_int_equal(memory_stats().obtained, obtained);
}

/* Nor does anything know any more that the memory once was zero. */
static void test_calloc_after_a_reset_is_zero(void **state) {
  const size_t sizes[] = {100, 50000, 1 * MIB, 10 * MIB};
  (void)state;
  allocate_of_every_kind();
  assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  for (size_t i = 0; i < COUNT(sizes); i++) {
    unsigned char *block = walloc_calloc(1, sizes[i]);
    assert_true(block != NULL && block[0] == 0 && memcmp(block, block + 1, sizes[i] - 1) == 0);
  }
}

static void test_arenas_stay(void **state) {
  (void)state;
  begin_with(NULL);
  walloc_arena *arena = create((walloc_arena_config){0});
  char *block = take(arena, 100000);
  allocate_of_every_kind();
  assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  allocate_of_every_kind();
  for (size_t i = 0; i < 100000; i++)
    assert_int_equal((unsigned char)block[i], 0xA5);
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
}

static void test_the_strategy_stays(void **state) {
  (void)state;
  assert_int_equal(walloc_heap_set_strategy(WALLOC_BEST_FIT), WALLOC_OK);
  assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  void *large = walloc_malloc(300 * KIB), *wall = walloc_malloc(40 * KIB);
  void *exact = walloc_malloc(100 * KIB), *other_wall = walloc_malloc(40 * KIB);
  assert_true(wall != NULL && other_wall != NULL);
  walloc_free(large);
  walloc_free(exact);
  assert_ptr_equal(walloc_malloc(100 * KIB), exact);
}

/* ---- Several threads ------------------------------------------------------------------------ */

enum { THREADS = 4, ROUNDS = 5, ALIVE = 400 };

static pthread_barrier_t turn;
static char *of_all[THREADS][ALIVE]; /* written by each thread in its turn */

static void fill_own(unsigned me) {
  for (unsigned i = 0; i < ALIVE; i++) {
    of_all[me][i] = walloc_malloc(16 + i * 50);
    assert_non_null(of_all[me][i]);
    memset(of_all[me][i], (int)me, 16 + i * 50);
  }
}

/* Frees some of the next one's blocks, which then wait in lists on their way when the heap is reset. */
static void free_of_next(unsigned me) {
  for (unsigned i = 0; i < ALIVE; i += 3)
    walloc_free(of_all[(me + 1) % THREADS][i]);
}

static void *live_through_resets(void *argument) {
  unsigned me = (unsigned)(uintptr_t)argument;
  for (unsigned round = 0; round < ROUNDS; round++) {
    pthread_barrier_wait(&turn);
    fill_own(me);
    pthread_barrier_wait(&turn);
    free_of_next(me);
    pthread_barrier_wait(&turn); /* now main resets, alone */
  }
  return NULL;
}

static void test_threads_go_on_after_a_reset(void **state) {
  pthread_t ids[THREADS];
  (void)state;
  pthread_barrier_init(&turn, NULL, THREADS + 1);
  for (uintptr_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&ids[i], NULL, live_through_resets, (void *)i), 0);
  for (unsigned round = 0; round < ROUNDS; round++) {
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    assert_int_equal(walloc_heap_reset(), WALLOC_OK);
    assert_nothing_is_live();
  }
  for (unsigned i = 0; i < THREADS; i++)
    assert_int_equal(pthread_join(ids[i], NULL), 0);
  pthread_barrier_destroy(&turn);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_empty_heap(test_all_is_gone),
      with_empty_heap(test_the_memory_serves_again),
      with_empty_heap(test_calloc_after_a_reset_is_zero),
      with_empty_heap(test_arenas_stay),
      with_empty_heap(test_the_strategy_stays),
      with_empty_heap(test_threads_go_on_after_a_reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
