/* Random programs in several threads at once. Each has a model of its own; blocks go from thread to thread
 * through a box, so that most are freed by others than who allocated them. Threads end after each round,
 * with blocks left in the box, and others go on with their parts of the heap. Between the rounds, when
 * nobody runs, all models together are compared with the walk.
 *
 * WALLOC_SEED repeats a run's choices (not its interleavings), WALLOC_ROUNDS multiplies its length. */
#include "heap/part.h"
#include "heap/program.h"
#include "heap/support.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 6, ROUNDS = 12, STEPS = 3000, BOX_MAX = 2000 };

#define LIVE_BYTES (3 * MIB) /* of a thread */

typedef struct worker {
  pthread_t id;
  heap_model model;
  uint32_t random;
  const char *problem;
} worker;

static worker workers[THREADS];

/* Blocks on their way; all fields under the lock. */
static struct {
  pthread_mutex_t lock;
  heap_block blocks[BOX_MAX];
  size_t count;
} box = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void put_into_box(worker *w) {
  if (w->model.count == 0)
    return;
  uint32_t i = random_below(&w->random, (uint32_t)w->model.count);
  pthread_mutex_lock(&box.lock);
  if (box.count < BOX_MAX)
    box.blocks[box.count++] = model_take_out(&w->model, i);
  pthread_mutex_unlock(&box.lock);
}

static void take_out_of_box(worker *w) {
  pthread_mutex_lock(&box.lock);
  if (box.count != 0 && model_has_room(&w->model)) {
    size_t i = random_below(&w->random, (uint32_t)box.count);
    model_put_in(&w->model, box.blocks[i]);
    box.blocks[i] = box.blocks[--box.count];
  }
  pthread_mutex_unlock(&box.lock);
}

static void *work(void *argument) {
  worker *w = argument;
  for (unsigned step = 0; step < STEPS && w->problem == NULL; step++) {
    w->problem = program_step(&w->model, &w->random, LIVE_BYTES);
    uint32_t kind = random_below(&w->random, 4);
    if (kind == 0)
      put_into_box(w);
    else if (kind == 1)
      take_out_of_box(w);
  }
  return NULL;
}

static void require(const char *problem, unsigned round) {
  if (problem != NULL)
    fail_msg("WALLOC_SEED=%u, round %u: %s", program_seed(), round, problem);
}

static void run_threads(unsigned count) {
  for (unsigned i = 0; i < count; i++)
    assert_int_equal(pthread_create(&workers[i].id, NULL, work, &workers[i]), 0);
  for (unsigned i = 0; i < count; i++)
    assert_int_equal(pthread_join(workers[i].id, NULL), 0);
}

/* What all have, and what is in the box. */
static const char *compare_all(void) {
  static heap_block blocks[THREADS * MODEL_BLOCKS_MAX + BOX_MAX];
  size_t count = 0;
  for (unsigned i = 0; i < THREADS; i++) {
    memcpy(&blocks[count], workers[i].model.blocks, workers[i].model.count * sizeof *blocks);
    count += workers[i].model.count;
  }
  memcpy(&blocks[count], box.blocks, box.count * sizeof *blocks);
  return model_compare_blocks(blocks, count + box.count);
}

static const char *free_everything(void) {
  const char *problem = NULL;
  for (unsigned i = 0; i < THREADS && problem == NULL; i++)
    problem = model_free_all(&workers[i].model);
  while (box.count != 0 && problem == NULL) {
    heap_block *block = &box.blocks[--box.count];
    problem = model_check_block(block);
    walloc_free(block->address);
  }
  return problem;
}

static int begin_workers(void **state) {
  for (unsigned i = 0; i < THREADS; i++) {
    workers[i].random = program_seed() + i * 2654435761u;
    workers[i].problem = NULL;
    model_begin(&workers[i].model, workers[i].random);
  }
  return begin_empty(state);
}

static int end_workers(void **state) {
  for (unsigned i = 0; i < THREADS; i++)
    model_end(&workers[i].model);
  box.count = 0;
  return begin_empty(state);
}

#define with_workers(test) cmocka_unit_test_setup_teardown(test, begin_workers, end_workers)

static void test_programs_that_exchange_blocks(void **state) {
  unsigned rounds = ROUNDS * program_rounds();
  (void)state;
  set_maximum(0);
  for (unsigned round = 0; round < rounds; round++) {
    assert_int_equal(walloc_heap_set_strategy((walloc_strategy)(round % STRATEGIES)), WALLOC_OK);
    run_threads(2 + round % (THREADS - 1));
    for (unsigned i = 0; i < THREADS; i++)
      require(workers[i].problem, round);
    require(compare_all(), round);
  }
  require(free_everything(), rounds);
  assert_nothing_is_live();
}

/* Memory of all threads together at its end: each call that fails is a clean one. */
static void test_programs_without_enough_memory(void **state) {
  unsigned failures = 0;
  (void)state;
  for (unsigned round = 0; round < 4; round++) {
    set_maximum(6 * MIB);
    for (unsigned i = 0; i < THREADS; i++)
      workers[i].model.may_fail = true;
    run_threads(THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
      require(workers[i].problem, round);
      failures += workers[i].model.failures;
    }
    set_maximum(0); /* as the walk needs memory */
    require(compare_all(), round);
  }
  require(free_everything(), 4);
  assert_nothing_is_live();
  assert_true(failures != 0);
}

static void run_alone(void *(*body)(void *), void *argument) {
  pthread_t id;
  assert_int_equal(pthread_create(&id, NULL, body, argument), 0);
  assert_int_equal(pthread_join(id, NULL), 0);
}

/* ---- What was collected for others ------------------------------------------------------------ */

enum { SPAN_BLOCKS = 4096 / 32, SMALL_BLOCKS = 4 * SPAN_BLOCKS - 12, STRIDE = 10, FILLERS = 4096 };

static void *small_blocks[SMALL_BLOCKS];

static void *allocate_spans(void *unused) {
  for (int i = 0; i < SMALL_BLOCKS; i++)
    small_blocks[i] = walloc_malloc(32);
  return unused;
}

static void fill_memory(size_t size) {
  static void *fillers[FILLERS];
  int n = 0;
  while (n < FILLERS && (fillers[n] = walloc_aligned_alloc(size, size)) != NULL)
    n++;
  assert_in_range(n, 0, FILLERS - 1);
}

/* Some blocks of every span of a thread that has ended are collected by who frees them, too few to be sent for their
 * number. A large block that finds no page and no more memory gets those pages nevertheless. */
static void test_a_large_block_gets_what_was_collected(void **state) {
  (void)state;
  walloc_free(walloc_malloc(16)); /* the part of the other thread is another one then */
  set_maximum(memory_stats().obtained + 2 * MIB);
  run_alone(allocate_spans, NULL);
  fill_memory(8192);
  fill_memory(4096);
  for (int first = 0; first < STRIDE; first++)
    for (int i = first; i < SMALL_BLOCKS; i += STRIDE)
      walloc_free(small_blocks[i]);
  assert_non_null(walloc_aligned_alloc(8192, 8192));
  set_maximum(0);
}

/* ---- Adopting --------------------------------------------------------------------------------- */

enum { REPLACED = 4096, TIMES = 64 };

static void *replaced[REPLACED];

static void fill_replaced(void) {
  for (int i = 0; i < REPLACED; i++)
    assert_non_null(replaced[i] = walloc_malloc(64));
}

static void *replace_all(void *unused) {
  for (int n = 0; n < TIMES * REPLACED; n++) {
    walloc_free(replaced[n % REPLACED]);
    replaced[n % REPLACED] = walloc_malloc(64);
  }
  return unused;
}

/* Spans with live blocks of 64 bytes and above by whose they are. */
typedef struct census_of_parts {
  unsigned first_part; /* the part of the first block of all */
  size_t of_first, of_others;
} census_of_parts;

static bool count_parts(const walloc_heap_range *range, void *user) {
  census_of_parts *census = user;
  if (range->part == 0 || !range->live || range->size < 64)
    return true;
  if (census->first_part == 0)
    census->first_part = range->part;
  *(range->part == census->first_part ? &census->of_first : &census->of_others) += 1;
  return true;
}

/* Blocks of one thread that another replaces again and again come to be the other's, with nearly all their spans, in
 * hardly more memory. */
static void test_who_replaces_blocks_adopts_their_spans(void **state) {
  (void)state;
  use_up_scraps();
  fill_replaced();
  census_of_parts before = {0}, after = {0};
  assert_int_equal(walloc_heap_walk(count_parts, &before), WALLOC_OK);
  assert_int_equal(before.of_others, 0);
  assert_in_range(before.of_first, REPLACED, REPLACED + 64);
  size_t held = heap_stats().held;
  run_alone(replace_all, NULL);
  after.first_part = before.first_part;
  assert_int_equal(walloc_heap_walk(count_parts, &after), WALLOC_OK);
  assert_in_range(after.of_first, 0, REPLACED / 8);
  assert_in_range(after.of_others, REPLACED - REPLACED / 8, REPLACED + 64);
  assert_in_range(heap_stats().held, held, held + held / 4);
  for (int i = 0; i < REPLACED; i++)
    walloc_free(replaced[i]);
}

/* ---- How much is collected -------------------------------------------------------------------- */

enum { COLLECTED_MAX = 64, LIST_BYTES = 4096 };

static void *collected[COLLECTED_MAX + 1];

static void *free_until_sent(void *count) {
  page_mark mark = page_entry(page_of(collected[0]));
  const heap_part *part = part_of_mark(mark);
  uint32_t c = mark % (1 << PART_SHIFT), n = 0;
  while (n <= COLLECTED_MAX && atomic_load_explicit(&part->incoming[c], memory_order_relaxed) == 0)
    walloc_free(collected[n++]);
  *(uint32_t *)count = n;
  return NULL;
}

/* Blocks of another thread are sent before they are more than 64, or 4 KiB, and not before they are half of that. */
static void test_lists_for_others_are_sent_in_time(void **state) {
  (void)state;
  use_up_scraps();
  for (uint32_t c = 0; c < CLASSES; c++) {
    size_t size = class_size(c);
    uint32_t n, sent;
    for (n = 0; n <= COLLECTED_MAX; n++)
      assert_non_null(collected[n] = walloc_malloc(BLOCKS_HAVE_GUARDS ? size - 8 : size));
    run_alone(free_until_sent, &sent);
    size_t bytes = sent * size;
    assert_true(sent == 1 || (sent <= COLLECTED_MAX && bytes <= LIST_BYTES));
    assert_true(sent == COLLECTED_MAX || 2 * bytes > LIST_BYTES);
    for (n = sent; n <= COLLECTED_MAX; n++)
      walloc_free(collected[n]);
  }
}

/* ---- What a thread takes over ----------------------------------------------------------------- */

enum { LEFT = 4096, MORE = 64 };

static void *leave_free_blocks(void *unused) {
  static void *blocks[LEFT];
  for (int i = 0; i < LEFT; i++)
    blocks[i] = walloc_malloc(240);
  for (int i = 0; i < LEFT; i++)
    walloc_free(blocks[i]);
  return unused;
}

/* More pages than are free. */
static void *take_pages(void *unused) {
  for (size_t n = memory_stats().free / 4096 + MORE; n != 0; n--)
    (void)walloc_malloc(4000);
  return unused;
}

/* A thread that takes over what another left free makes pages of it before it grows the memory, though the heap has not
 * grown since that other looked around. */
static void test_who_takes_a_part_over_needs_no_more_memory(void **state) {
  (void)state;
  while (memory_stats().free >= 4096)
    assert_non_null(walloc_malloc(4000));
  run_alone(leave_free_blocks, NULL);
  size_t obtained = memory_stats().obtained;
  run_alone(take_pages, NULL);
  assert_int_equal(memory_stats().obtained, obtained);
}

static void *take_what_was_left(void *unused) {
  for (int i = 0; i < LEFT; i++)
    (void)walloc_malloc(240);
  return unused;
}

/* One that stays and needs a block takes one of those that an ended thread has left: the others are the next thread's. */
static void test_who_needs_a_block_leaves_the_others(void **state) {
  (void)state;
  use_up_scraps();
  run_alone(leave_free_blocks, NULL);
  size_t spans = heap_stats().spans;
  assert_non_null(walloc_malloc(240));
  assert_int_equal(heap_stats().spans, spans);
  run_alone(take_what_was_left, NULL);
  assert_in_range(heap_stats().spans, spans, spans + 32768);
}

/* The second of the programs runs out of the memory that the third then has in plenty. */
int main(void) {
  const struct CMUnitTest tests[] = {
      with_empty_heap(test_who_takes_a_part_over_needs_no_more_memory),
      with_empty_heap(test_who_needs_a_block_leaves_the_others),
      with_empty_heap(test_who_replaces_blocks_adopts_their_spans),
      with_empty_heap(test_lists_for_others_are_sent_in_time),
      with_empty_heap(test_a_large_block_gets_what_was_collected),
      with_workers(test_programs_without_enough_memory),
      with_workers(test_programs_that_exchange_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
