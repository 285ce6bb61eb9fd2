/* Shards of the large blocks: threads have different ones, and still use each other's memory. The other thread has
 * always ended, or waits, when the test goes on. */
#include "heap/picture.h"
#include "heap/support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "heap/large.h"

enum { BLOCKS = 24 };

#define SIZE (300 * KIB)

typedef struct other {
  void *blocks[BLOCKS];
  size_t count;
} other;

static void *allocate_all(void *argument) {
  other *o = argument;
  for (size_t i = 0; i < o->count; i++)
    o->blocks[i] = walloc_malloc(SIZE);
  return NULL;
}

static void *free_all(void *argument) {
  other *o = argument;
  for (size_t i = 0; i < o->count; i++)
    walloc_free(o->blocks[i]);
  return NULL;
}

static void run(void *(*body)(void *), other *argument) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static page_mark shard_of(const void *block) {
  page_mark mark = page_entry(page_of(block));
  assert_true(page_mark_is_large(mark));
  return mark % PAGE_SHARDS;
}

/* The main thread's, as it has a part since the first block. */
static void *take_block(size_t size) {
  void *block = walloc_malloc(size);
  assert_non_null(block);
  return block;
}

static bool is_among(const other *o, const void *block) {
  for (size_t i = 0; i < o->count; i++)
    if (o->blocks[i] == block)
      return true;
  return false;
}

static void test_threads_have_different_shards(void **state) {
  other o = {.count = 1};
  void *own = take_block(SIZE);
  (void)state;
  run(allocate_all, &o);
  assert_non_null(o.blocks[0]);
  assert_int_not_equal(shard_of(own), shard_of(o.blocks[0]));
  walloc_free(own);
  run(free_all, &o);
}

/* Every second one, so that no region becomes free as a whole. */
static void test_what_one_freed_serves_another(void **state) {
  other o = {.count = BLOCKS};
  void *blocks[BLOCKS / 2];
  void *own = take_block(SIZE);
  (void)state;
  run(allocate_all, &o);
  for (size_t i = 0; i < BLOCKS; i += 2)
    walloc_free(o.blocks[i]);
  size_t held = heap_stats().held;
  for (size_t i = 0; i < COUNT(blocks); i++) {
    blocks[i] = take_block(SIZE);
    assert_true(is_among(&o, blocks[i]));
  }
  assert_int_equal(heap_stats().held, held);
  for (size_t i = 0; i < COUNT(blocks); i++)
    walloc_free(blocks[i]);
  for (size_t i = 1; i < BLOCKS; i += 2)
    walloc_free(o.blocks[i]);
  walloc_free(own);
  assert_nothing_is_live();
}

/* Others have memory, too, so what is obtained need not be in one piece. Fills the holes, until what is taken then
 * lies in a row. */
typedef struct row {
  void *fillers[64];
  size_t filler_count;
} row;

static bool follows(const char *block, const char *before) {
  return block > before && block - before <= (ptrdiff_t)(SIZE + (size_t)3 * WALLOC_PAGE_SIZE);
}

static void take_row(row *r, char **blocks, size_t count) {
  size_t n = 0;
  for (r->filler_count = 0; n < count; n++) {
    blocks[n] = take_block(SIZE);
    if (n == 0 || follows(blocks[n], blocks[n - 1]))
      continue;
    assert_true(r->filler_count + n <= COUNT(r->fillers));
    for (size_t i = 0; i < n; i++)
      r->fillers[r->filler_count++] = blocks[i];
    blocks[0] = blocks[n];
    n = 0;
  }
}

static void free_fillers(row *r) {
  for (size_t i = 0; i < r->filler_count; i++)
    walloc_free(r->fillers[i]);
}

/* A block that another thread frees joins its neighbours where it came from. */
static void test_others_free_into_the_shard_of_the_block(void **state) {
  other o = {.count = BLOCKS};
  char *blocks[BLOCKS + 1]; /* and a wall */
  row r;
  (void)state;
  take_row(&r, blocks, COUNT(blocks));
  for (size_t i = 0; i < BLOCKS; i++)
    o.blocks[i] = blocks[i];
  run(free_all, &o);
  void *all = take_block(BLOCKS * SIZE);
  assert_ptr_equal(all, blocks[0]);
  walloc_free(all);
  walloc_free(blocks[BLOCKS]);
  free_fillers(&r);
  assert_nothing_is_live();
}

/* Each growth makes a region of one block. They become one when the block before the seam is free. */
static void test_regions_that_meet_become_one(void **state) {
  (void)state;
  for (int first = 0; first < 2; first++) {
    char *blocks[3]; /* the last is a wall */
    row r;
    take_row(&r, blocks, COUNT(blocks));
    walloc_free(blocks[first]);
    walloc_free(blocks[1 - first]);
    void *both = take_block(2 * SIZE);
    assert_ptr_equal(both, blocks[0]);
    walloc_free(both);
    walloc_free(blocks[2]);
    free_fillers(&r);
    assert_nothing_is_live();
    assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  }
}

/* ---- Where there is no more memory ----------------------------------------------------------- */

/* First fit, by which the other thread stays in its shard until the main thread has looked into its own a second time:
 * once before it asks for memory, once as the last thing before it is told that there is none. `main_shard` is written
 * before the other thread starts. */
static page_mark main_shard;
static atomic_int looks;
static atomic_bool is_inside;
static _Thread_local bool is_other;

static node *find_slowly(uint32_t shard, uint32_t size) {
  if (is_other) {
    atomic_store(&is_inside, true);
    while (atomic_load(&looks) < 2)
      sched_yield();
  } else if (shard == main_shard) {
    atomic_fetch_add(&looks, 1);
  }
  return walloc_first_fit.find(shard, size);
}

static void *ask_for_too_much(void *argument) {
  other *o = argument;
  is_other = true;
  o->blocks[1] = walloc_malloc(4 * SIZE);
  return NULL;
}

/* Runs of pages, until there is none left in which a large block of a quarter of SIZE has room. */
static size_t take_all_pages(void **runs, size_t most) {
  size_t count = 0;
  for (size_t size = SIZE; size >= SIZE / 4; size /= 2)
    while (count < most && (runs[count] = walloc_aligned_alloc(WALLOC_PAGE_SIZE, size)) != NULL)
      count++;
  assert_true(count < most);
  return count;
}

static void free_runs(void **runs, size_t count) {
  for (size_t i = 0; i < count; i++)
    walloc_free(runs[i]);
}

static void test_room_in_a_shard_that_somebody_is_in(void **state) {
  static void *runs[4096];
  strategy slow = walloc_first_fit;
  other o = {.count = 1};
  pthread_t thread;
  (void)state;
  slow.find = find_slowly;
  void *own = take_block(SIZE);
  main_shard = shard_of(own);
  run(allocate_all, &o);
  assert_int_not_equal(shard_of(o.blocks[0]), main_shard);
  set_maximum(1);
  size_t count = take_all_pages(runs, COUNT(runs));
  assert_ptr_equal(walloc_realloc(o.blocks[0], SIZE / 2), o.blocks[0]); /* leaves a hole */
  atomic_store(&looks, 0);
  atomic_store(&is_inside, false);
  assert_int_equal(walloc_large_choose(&slow), WALLOC_OK);
  assert_int_equal(pthread_create(&thread, NULL, ask_for_too_much, &o), 0);
  while (!atomic_load(&is_inside))
    sched_yield();
  void *block = walloc_malloc(SIZE / 2 - 64);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(walloc_large_choose(&walloc_first_fit), WALLOC_OK);
  set_maximum(0);
  assert_null(o.blocks[1]);
  assert_int_equal(atomic_load(&looks), 2);
  assert_non_null(block);
  walloc_free(block);
  free_runs(runs, count);
  walloc_free(o.blocks[0]);
  walloc_free(own);
  assert_nothing_is_live();
}

/* ---- What others keep ------------------------------------------------------------------------ */

/* First fit. The other thread stays in its shard as above, and then in the next one that it looks into until the main
 * thread has been in its shard: so it cannot give back itself what is kept there. */
static page_mark other_shard;
static atomic_bool has_looked_there;

static node *find_beside_one_who_keeps(uint32_t shard, uint32_t size) {
  if (is_other && shard != other_shard && shard != main_shard)
    while (!atomic_load(&has_looked_there))
      sched_yield();
  if (!is_other && shard == other_shard)
    atomic_store(&has_looked_there, true);
  return is_other && shard != other_shard ? walloc_first_fit.find(shard, size)
                                          : find_slowly(shard, size);
}

/* A run of pages right behind the block's region, when all holes are full: until it is, `runs` has the others. NULL where
 * somebody else has the memory there, as the C library's malloc in WebAssembly may. */
static void *take_run_behind(const char *block, size_t size, void **runs, size_t *count) {
  while (*count < 64) {
    char *run = walloc_aligned_alloc(WALLOC_PAGE_SIZE, size);
    assert_non_null(run);
    if (run > block && run - block < (ptrdiff_t)(SIZE + WALLOC_PAGE_SIZE))
      return run;
    runs[(*count)++] = run;
  }
  return NULL;
}

/* Neither the region that is kept nor the pages behind it are enough, but both are. */
static void test_what_is_kept_in_a_shard_that_somebody_is_in(void **state) {
  static void *runs[4096];
  strategy slow = walloc_first_fit;
  other o = {.count = 1};
  pthread_t thread;
  size_t count = 0;
  (void)state;
  slow.find = find_beside_one_who_keeps;
  void *own = take_block(SIZE);
  main_shard = shard_of(own);
  run(allocate_all, &o);
  other_shard = shard_of(o.blocks[0]);
  void *behind = take_run_behind(o.blocks[0], SIZE, runs, &count);
  if (behind == NULL) {
    free_runs(runs, count);
    walloc_free(o.blocks[0]);
    walloc_free(own);
    skip();
  }
  set_maximum(1);
  count += take_all_pages(runs + count, COUNT(runs) - count);
  walloc_free(behind);
  walloc_free(o.blocks[0]);
  atomic_store(&looks, 0);
  atomic_store(&is_inside, false);
  atomic_store(&has_looked_there, false);
  assert_int_equal(walloc_large_choose(&slow), WALLOC_OK);
  assert_int_equal(pthread_create(&thread, NULL, ask_for_too_much, &o), 0);
  while (!atomic_load(&is_inside))
    sched_yield();
  void *block = walloc_malloc(2 * SIZE - 64);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(walloc_large_choose(&walloc_first_fit), WALLOC_OK);
  set_maximum(0);
  assert_null(o.blocks[1]);
  assert_non_null(block);
  walloc_free(block);
  free_runs(runs, count);
  walloc_free(own);
  assert_nothing_is_live();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_empty_heap(test_threads_have_different_shards),
      with_empty_heap(test_what_one_freed_serves_another),
      with_empty_heap(test_others_free_into_the_shard_of_the_block),
      with_empty_heap(test_regions_that_meet_become_one),
      with_empty_heap(test_room_in_a_shard_that_somebody_is_in),
      with_empty_heap(test_what_is_kept_in_a_shard_that_somebody_is_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
