/* References to blocks of the heap: valid as long as their block is there, stale for ever after, however it was
 * freed and whatever lies there by then. And ranges within blocks of both kinds. */
#include "unit/support.h"

#include "heap/part.h"
#include "reference/slots.h"
#include "walloc_queue.h"
#include "walloc_reference.h"

#include <pthread.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const size_t sizes[] = {0,    1,     8,     9,     16,    24,     100,
                               4096, 32744, 32752, 32768, 40000, 100000, 9 * MIB};

static walloc_ref take_ref(size_t size) {
  walloc_ref ref = walloc_malloc_ref(size);
  assert_non_null(ref.address);
  assert_int_equal(ref.size, size);
  memset(ref.address, 0x5A, size);
  return ref;
}

static void assert_valid(walloc_ref ref) {
  assert_true(walloc_ref_valid(ref));
  assert_ptr_equal(walloc_ref_get(ref), ref.address);
}

static void assert_stale(walloc_ref ref) {
  assert_false(walloc_ref_valid(ref));
  assert_fails(walloc_ref_get(ref), WALLOC_ERROR_STALE);
  assert_fails(walloc_ref_get_range(ref, 0, 0), WALLOC_ERROR_STALE);
  assert_int_equal(walloc_free_ref(ref), WALLOC_ERROR_STALE);
}

/* ---- One block ------------------------------------------------------------------------------- */

static void test_a_block_of_each_size(void **state) {
  walloc_ref refs[COUNT(sizes)];
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    refs[i] = take_ref(sizes[i]);
    assert_int_equal((uintptr_t)refs[i].address % 16, 0);
    assert_true(walloc_usable_size(refs[i].address) >= sizes[i] + 8);
  }
  for (size_t i = 0; i < COUNT(sizes); i++) {
    assert_valid(refs[i]);
    for (size_t at = 0; at < sizes[i]; at += 1 + sizes[i] / 64)
      assert_int_equal(((unsigned char *)refs[i].address)[at], 0x5A);
    assert_int_equal(walloc_free_ref(refs[i]), WALLOC_OK);
    assert_stale(refs[i]);
  }
}

static void test_a_plain_free_makes_it_stale(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    walloc_ref ref = take_ref(sizes[i]), other = take_ref(sizes[i]);
    walloc_free(ref.address);
    assert_stale(ref);
    assert_valid(other);
    walloc_free(other.address);
  }
}

/* A small block must come back to the part it is of before it is handed out again. */
static void test_it_stays_stale_when_the_memory_is_used_again(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    static walloc_ref again[3000];
    walloc_ref ref = take_ref(sizes[i]);
    bool same = false;
    if (i % 2 == 0)
      walloc_free_ref(ref);
    else
      walloc_free(ref.address);
    walloc_thread_end(); /* what was freed is sent */
    size_t count = sizes[i] > 100000 ? 2 : sizes[i] > 4096 ? 200 : COUNT(again);
    for (size_t n = 0; n < count; n++) {
      again[n] = take_ref(sizes[i]);
      same |= again[n].address == ref.address;
    }
    assert_true(same);
    assert_stale(ref);
    for (size_t n = 0; n < count; n++)
      assert_int_equal(walloc_free_ref(again[n]), WALLOC_OK);
  }
}

static void test_failed_ones_are_never_valid(void **state) {
  (void)state;
  const size_t too_large[] = {SIZE_MAX, (size_t)UINT32_MAX, SIZE_MAX - 8};
  for (size_t i = 0; i < COUNT(too_large); i++) {
    walloc_ref ref = walloc_malloc_ref(too_large[i]);
    assert_null(ref.address);
    assert_int_equal(walloc_last_error(), WALLOC_ERROR_OUT_OF_MEMORY);
    assert_false(walloc_ref_valid(ref));
    assert_int_equal(walloc_free_ref(ref), WALLOC_ERROR_ARENA);
  }
}

static void test_it_is_no_arena(void **state) {
  (void)state;
  walloc_ref ref = take_ref(100), of_arena = walloc_alloc_ref(walloc_tier(WALLOC_SCENE), 100);
  assert_int_equal(walloc_reset(ref.arena), WALLOC_ERROR_ARENA);
  assert_null(walloc_alloc_ref(NULL, 8).address);
  assert_int_equal(walloc_free_ref(of_arena), WALLOC_ERROR_ARENA);
  assert_true(walloc_ref_valid(of_arena));
  walloc_free_ref(ref);
}

static void test_it_needs_no_walloc_init(void **state) {
  (void)state;
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  walloc_ref ref = take_ref(1000);
  begin_with(NULL);
  assert_valid(ref);
  walloc_free_ref(ref);
}

/* Where blocks with references lie threads take ordinary ones too, when those have none of their own. Blocks beside them
 * stay ones with references. */
static void test_ordinary_blocks_beside_them(void **state) {
  enum { REFS = 2048, BLOCKS = 4096 };
  static walloc_ref refs[REFS];
  static void *blocks[BLOCKS];
  bool beside = false;
  (void)state;
  for (int i = 0; i < REFS; i++)
    refs[i] = take_ref(40);
  for (int i = 0; i < REFS; i += 2)
    assert_int_equal(walloc_free_ref(refs[i]), WALLOC_OK);
  for (int i = 0; i < BLOCKS; i++) {
    assert_non_null(blocks[i] = walloc_malloc(refs[1].size + 8));
    beside |= page_of(blocks[i]) == page_of(refs[1].address);
  }
  assert_true(beside);
  for (int i = 1; i < REFS; i += 2) {
    assert_valid(refs[i]);
    walloc_free(refs[i].address);
    assert_stale(refs[i]);
  }
  for (int i = 0; i < BLOCKS; i++)
    walloc_free(blocks[i]);
}

/* The part that they lie in is nobody's. */
static void test_their_part_is_no_threads(void **state) {
  walloc_heap_stats stats;
  (void)state;
  walloc_free(walloc_malloc(16));
  walloc_ref ref = take_ref(100);
  assert_int_equal(walloc_get_heap_stats(&stats), WALLOC_OK);
  assert_int_equal(stats.parts, 1);
  assert_int_equal(walloc_free_ref(ref), WALLOC_OK);
}

/* ---- The memory elsewhere -------------------------------------------------------------------- */

static void test_stale_after_its_pages_came_to_an_arena(void **state) {
  (void)state;
  walloc_ref ref = take_ref(MIB);
  char *address = ref.address;
  walloc_free(ref.address);
  walloc_arena *arena = create((walloc_arena_config){.reserve = MIB});
  char *block = take(arena, MIB - 65536);
  assert_true(block <= address + MIB && address <= block + MIB);
  assert_stale(ref);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  assert_stale(ref);
}

/* Spans of the class go back while the part grows elsewhere. */
static void test_spans_go_back(void **state) {
  enum { BLOCKS = 2000 };
  static walloc_ref refs[BLOCKS];
  walloc_heap_stats before, after;
  (void)state;
  for (int i = 0; i < BLOCKS; i++)
    refs[i] = take_ref(8000);
  walloc_get_heap_stats(&before);
  for (int i = 0; i < BLOCKS; i++)
    walloc_free_ref(refs[i]);
  walloc_thread_end();
  walloc_arena *arena = create((walloc_arena_config){.reserve = 64 * MIB});
  void *large = walloc_malloc(40 * MIB); /* growth makes a sweep due */
  walloc_free_ref(take_ref(3000));
  walloc_free_ref(take_ref(500));
  walloc_free(large);
  walloc_get_heap_stats(&after);
  assert_true(after.spans < before.spans / 2);
  for (int i = 0; i < BLOCKS; i++)
    assert_stale(refs[i]);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
}

static void test_a_heap_reset_makes_all_stale(void **state) {
  walloc_ref refs[COUNT(sizes)];
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++)
    refs[i] = take_ref(sizes[i]);
  assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  for (size_t i = 0; i < COUNT(sizes); i++)
    assert_stale(refs[i]);
  for (size_t i = 0; i < COUNT(sizes); i++)
    refs[i] = take_ref(sizes[i]);
  for (size_t i = 0; i < COUNT(sizes); i++)
    assert_int_equal(walloc_free_ref(refs[i]), WALLOC_OK);
}

/* ---- Slots ----------------------------------------------------------------------------------- */

static void test_a_slot_ends_before_its_generations_wrap(void **state) {
  (void)state;
  walloc_ref first = take_ref(100);
  reference_slot *slot = slot_at(slot_of(first.place));
  uint64_t last = first.place | (uint64_t)GENERATION_MASK << GENERATION_SHIFT;
  atomic_store_explicit(&slot->word, last, memory_order_relaxed);
  assert_false(walloc_ref_valid(first));
  first.place = last;
  assert_valid(first);
  assert_int_equal(walloc_free_ref(first), WALLOC_OK);
  assert_false(walloc_ref_valid(first));
  for (int i = 0; i < 2000; i++) {
    walloc_ref ref = take_ref(16);
    assert_int_not_equal(slot_of(ref.place), slot_of(first.place));
    walloc_free_ref(ref);
  }
}

static void test_what_a_program_wrote_over_its_end_harms_nobody(void **state) {
  (void)state;
  walloc_ref ref = walloc_malloc_ref(40), other = take_ref(40);
  size_t usable = walloc_usable_size(ref.address);
  (void)usable;
#if !defined(__SANITIZE_ADDRESS__) && !defined(WALLOC_HARDENED)
  const uint32_t wrong[] = {0, 1, UINT32_MAX, slot_of(other.place), slot_of(other.place) & ~255u};
  for (size_t i = 0; i < COUNT(wrong); i++) {
    walloc_ref damaged = walloc_malloc_ref(40);
    memcpy((char *)damaged.address + usable - 8, &wrong[i], 4);
    walloc_free(damaged.address);
    assert_valid(other);
  }
#endif
  walloc_free_ref(ref);
  walloc_free_ref(other);
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

static void check_ranges(walloc_ref ref) {
  char *block = ref.address;
  size_t size = ref.size;
  assert_ptr_equal(walloc_ref_get_range(ref, 0, size), block);
  assert_ptr_equal(walloc_ref_get_range(ref, 10, size - 10), block + 10);
  assert_ptr_equal(walloc_ref_get_range(ref, size, 0), block + size);
  const size_t wrong[][2] = {{0, size + 1},
                             {1, size},
                             {size + 1, 0},
                             {size, 1},
                             {SIZE_MAX, 1},
                             {1, SIZE_MAX},
                             {SIZE_MAX, SIZE_MAX},
                             {2, SIZE_MAX},
                             {SIZE_MAX - size + 1, size}};
  for (size_t i = 0; i < COUNT(wrong); i++)
    assert_fails(walloc_ref_get_range(ref, wrong[i][0], wrong[i][1]), WALLOC_ERROR_SIZE);
}

static void test_ranges_of_both_kinds(void **state) {
  (void)state;
  walloc_arena *arena = walloc_tier(WALLOC_ENTITY);
  walloc_ref of_heap = take_ref(100), of_arena = walloc_alloc_ref(arena, 100);
  check_ranges(of_heap);
  check_ranges(of_arena);
  walloc_free_ref(of_heap);
  walloc_reset(arena);
  assert_fails(walloc_ref_get_range(of_heap, 0, 1), WALLOC_ERROR_STALE);
  assert_fails(walloc_ref_get_range(of_arena, 0, 1), WALLOC_ERROR_STALE);
  assert_fails(walloc_ref_get_range(of_arena, SIZE_MAX, SIZE_MAX), WALLOC_ERROR_STALE);
}

static void test_a_queue_takes_both_kinds(void **state) {
  (void)state;
  walloc_queue *queue = walloc_queue_create(&(walloc_queue_config){4, false});
  walloc_ref ref = take_ref(100), gone = take_ref(100), taken;
  uint32_t tag;
  assert_int_equal(walloc_queue_publish(queue, ref, 1), WALLOC_OK);
  assert_int_equal(walloc_queue_publish(queue, gone, 2), WALLOC_OK);
  walloc_free_ref(gone);
  assert_int_equal(walloc_queue_publish(queue, gone, 3), WALLOC_ERROR_STALE);
  assert_int_equal(walloc_queue_poll(queue, &taken, &tag), WALLOC_OK);
  assert_ptr_equal(taken.address, ref.address);
  assert_valid(taken);
  assert_int_equal(walloc_queue_poll(queue, &taken, &tag), WALLOC_ERROR_STALE);
  walloc_free_ref(ref);
  walloc_queue_destroy(queue);
}

/* ---- Statistics ------------------------------------------------------------------------------ */

static void assert_all_is_somebodys(walloc_memory_stats stats) {
  assert_int_equal(stats.free + stats.arenas + stats.heap + stats.own, stats.obtained);
}

/* The thread's part, the slot and the queue are walloc's own data, until the queue is destroyed. */
static void test_all_memory_is_somebodys(void **state) {
  (void)state;
  assert_non_null(walloc_alloc(walloc_tier(WALLOC_SCENE), 100));
  walloc_ref small = take_ref(100), huge = take_ref(9 * MIB);
  walloc_memory_stats before = memory_stats();
  assert_all_is_somebodys(before);
  assert_true(before.own >= 2 * (size_t)WALLOC_PAGE_SIZE);
  assert_true(before.heap >= 9 * MIB);

  walloc_queue *queue = walloc_queue_create(&(walloc_queue_config){4, false});
  walloc_memory_stats with_queue = memory_stats();
  assert_all_is_somebodys(with_queue);
  assert_int_equal(with_queue.own, before.own + WALLOC_PAGE_SIZE);
  assert_int_equal(with_queue.heap, before.heap);

  walloc_queue_destroy(queue);
  walloc_free_ref(huge);
  walloc_free_ref(small);
  assert_all_is_somebodys(memory_stats());
  assert_int_equal(memory_stats().own, before.own);
  assert_true(memory_stats().heap <= before.heap - 9 * MIB);
}

/* ---- Threads --------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 3000, SHARED = 64 };

/* Each is written by one thread in a round, between barriers; all free it at once. */
static walloc_ref shared[SHARED];
static _Atomic unsigned freed, wrong;
static pthread_barrier_t barrier;

static void fill_shared(unsigned thread) {
  for (unsigned i = thread; i < SHARED; i += THREADS) {
    shared[i] = walloc_malloc_ref(1 + i * 40 % 3000);
    memset(shared[i].address, (int)i, shared[i].size);
  }
}

static void *free_the_same(void *argument) {
  unsigned thread = *(unsigned *)argument;
  for (int round = 0; round < ROUNDS / SHARED; round++) {
    fill_shared(thread);
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < SHARED; i++)
      if (!walloc_ref_valid(shared[i]) || *(unsigned char *)shared[i].address != i)
        atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < SHARED; i++)
      if (walloc_free_ref(shared[i]) == WALLOC_OK)
        atomic_fetch_add_explicit(&freed, 1, memory_order_relaxed);
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

static void run_threads(void *(*body)(void *)) {
  pthread_t threads[THREADS];
  unsigned numbers[THREADS];
  for (unsigned i = 0; i < THREADS; i++) {
    numbers[i] = i;
    assert_int_equal(pthread_create(&threads[i], NULL, body, &numbers[i]), 0);
  }
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

static void test_one_of_several_frees(void **state) {
  (void)state;
  pthread_barrier_init(&barrier, NULL, THREADS);
  run_threads(free_the_same);
  pthread_barrier_destroy(&barrier);
  assert_int_equal(freed, ROUNDS / SHARED * SHARED);
  assert_int_equal(wrong, 0);
}

/* Others check a thread's references, valid or not, while it frees and takes, and writes to the memory again. */
static void *check_others(void *argument) {
  unsigned thread = *(unsigned *)argument, number = thread * 7919;
  walloc_ref mine[16] = {{0}}, gone[16] = {{0}};
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < ROUNDS; i++) {
    unsigned n = (number = number * 1664525u + 1013904223u) >> 28;
    if (mine[n].address != NULL) {
      if (!walloc_ref_valid(mine[n]) || *(unsigned char *)mine[n].address != thread)
        atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
      gone[n] = mine[n];
      if (number % 2 == 0)
        walloc_free(mine[n].address);
      else if (walloc_free_ref(mine[n]) != WALLOC_OK)
        atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
    }
    mine[n] = walloc_malloc_ref(1 + (number >> 8) % (n == 0 ? 60000 : 600));
    memset(mine[n].address, (int)thread, mine[n].size);
    void *plain = walloc_malloc(mine[n].size);
    memset(plain, (int)thread, mine[n].size);
    walloc_free(plain);
    for (unsigned k = 0; k < 16; k++)
      if (walloc_ref_valid(gone[k]))
        atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
    if (i % 16 == 0)
      (void)walloc_ref_valid(shared[n]);
  }
  for (unsigned n = 0; n < 16; n++)
    walloc_free(mine[n].address);
  return NULL;
}

static void test_checks_while_others_work(void **state) {
  (void)state;
  wrong = 0;
  for (unsigned i = 0; i < SHARED; i++) {
    shared[i] = take_ref(100);
    walloc_free_ref(shared[i]);
  }
  pthread_barrier_init(&barrier, NULL, THREADS);
  run_threads(check_others);
  pthread_barrier_destroy(&barrier);
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_a_block_of_each_size),
      with_defaults(test_a_plain_free_makes_it_stale),
      with_defaults(test_ordinary_blocks_beside_them),
      with_defaults(test_their_part_is_no_threads),
      with_defaults(test_it_stays_stale_when_the_memory_is_used_again),
      with_defaults(test_failed_ones_are_never_valid),
      with_defaults(test_it_is_no_arena),
      with_defaults(test_it_needs_no_walloc_init),
      with_defaults(test_stale_after_its_pages_came_to_an_arena),
      with_defaults(test_spans_go_back),
      with_defaults(test_a_heap_reset_makes_all_stale),
      with_defaults(test_a_slot_ends_before_its_generations_wrap),
      with_defaults(test_what_a_program_wrote_over_its_end_harms_nobody),
      with_defaults(test_ranges_of_both_kinds),
      with_defaults(test_a_queue_takes_both_kinds),
      with_defaults(test_all_memory_is_somebodys),
      with_defaults(test_one_of_several_frees),
      with_defaults(test_checks_while_others_work),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
