/* Threads that come and go, with walloc as their malloc: what they leave behind is used by those who come
 * after them. However many there have been, the heap holds no more memory than the first of them needed,
 * and has no more parts than threads have been alive at once. */
#include "malloc/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#ifdef __EMSCRIPTEN__
#include <emscripten/threading.h>
#endif

#define GROUP 8

static unsigned thread_count = 10000;

static walloc_heap_stats heap_now(void) {
  walloc_heap_stats stats;
  assert_int_equal(walloc_get_heap_stats(&stats), WALLOC_OK);
  return stats;
}

/* Under Emscripten this main runs in a thread, and the main thread stands behind it. That takes its part before any of
 * the others do: when it first needs one is up to it, and it could be that of a thread which has just ended. */
#ifdef __EMSCRIPTEN__
#define ALWAYS_ALIVE 2

static void use_malloc(void) {
  void *volatile block = malloc(8);
  free(block);
}

static int let_main_thread_have_its_part(void **state) {
  (void)state;
  emscripten_sync_run_in_main_runtime_thread(EM_FUNC_SIG_V, use_malloc);
  return 0;
}
#else
#define ALWAYS_ALIVE 1
#define let_main_thread_have_its_part NULL
#endif

/* The calling thread has a part from its first small block on: the test framework's. */
static void assert_all_have_ended(void) { assert_int_equal(heap_now().parts, ALWAYS_ALIVE); }

static void start(pthread_t *thread, void *(*run)(void *), void *argument) {
  assert_int_equal(pthread_create(thread, NULL, run, argument), 0);
}

static void join(pthread_t thread) { assert_int_equal(pthread_join(thread, NULL), 0); }

/* ---- Bags: a number of blocks of all kinds ---------------------------------------------------- */

static const size_t sizes[] = {16,   16,   40,    100,   100,   250,   700,    700,    2000, 3000,
                               5000, 9000, 20000, 32700, 32769, 50000, 100000, 200000, 50,   8};
#define BLOCKS COUNT(sizes)

typedef struct bag {
  unsigned char *blocks[BLOCKS];
  unsigned number; /* what is written into its blocks */
} bag;

static size_t size_in_bag(const bag *b, size_t i) { return sizes[(i + b->number) % BLOCKS]; }

/* Of the small blocks of so many bags. Which free ones lie in whose lists depends on who comes when, and each
 * of the threads that are alive at once may have as many in its lists as all of them use. So where the same
 * number of bags is full again and again, the heap holds now more, now less: allowed are this many bytes
 * for each thread above the most that it held while it was warming up. */
static size_t small_bytes(size_t bags) {
  size_t bytes = 0;
  for (size_t i = 0; i < BLOCKS; i++)
    bytes += sizes[i] <= WALLOC_HEAP_SMALL ? sizes[i] : 0;
  return bytes * bags;
}

/* In an order of its own. */
static bool fill_bag(bag *b) {
  bool whole = true;
  for (size_t i = 0; i < BLOCKS; i++) {
    b->blocks[i] = malloc(size_in_bag(b, i));
    if (b->blocks[i] == NULL)
      whole = false;
    else
      memset(b->blocks[i], (int)b->number, size_in_bag(b, i));
  }
  return whole;
}

/* Each other block, from the first or the second one on: whether they still were as written. */
static bool empty_half(bag *b, size_t half) {
  bool untouched = true;
  for (size_t i = half; i < BLOCKS; i += 2) {
    untouched &= b->blocks[i] != NULL && is_filled(b->blocks[i], (int)b->number, size_in_bag(b, i));
    free(b->blocks[i]);
  }
  return untouched;
}

/* ---- Thousands of threads --------------------------------------------------------------------- */

/* Threads that are alive at once, and wait for each other. */
typedef struct party {
  unsigned size;
  const struct visitor *host;
  pthread_barrier_t barrier;
  walloc_heap_stats full; /* when all had all their blocks */
} party;

typedef struct visitor {
  bag own;
  struct visitor *neighbour; /* whose blocks it frees */
  party *party;
  pthread_t thread;
  bool fine;
} visitor;

/* Nobody frees a block before all have all of theirs: so each party needs as much as any other. Half of
 * the blocks stay for the main thread. */
static void *visit(void *argument) {
  visitor *v = argument;
  bool whole = fill_bag(&v->own);
  pthread_barrier_wait(&v->party->barrier);
  if (v == v->party->host)
    v->party->full = heap_now();
  pthread_barrier_wait(&v->party->barrier);
  v->fine = empty_half(&v->neighbour->own, 0) && whole;
  return NULL;
}

static void invite(party *p, visitor *visitors, unsigned number) {
  assert_int_equal(pthread_barrier_init(&p->barrier, NULL, p->size), 0);
  for (unsigned i = 0; i < p->size; i++) {
    visitors[i].own.number = number + i;
    visitors[i].neighbour = &visitors[(i + 1) % p->size];
    visitors[i].party = p;
  }
  for (unsigned i = 0; i < p->size; i++)
    start(&visitors[i].thread, visit, &visitors[i]);
}

static void see_off(party *p, visitor *visitors) {
  for (unsigned i = 0; i < p->size; i++)
    join(visitors[i].thread);
  for (unsigned i = 0; i < p->size; i++) {
    assert_true(visitors[i].fine);
    assert_true(empty_half(&visitors[i].own, 1));
  }
  assert_int_equal(pthread_barrier_destroy(&p->barrier), 0);
}

/* What the heap held at most. */
static size_t visits(unsigned size, unsigned number) {
  visitor visitors[GROUP];
  party p = {.size = size, .host = visitors};
  invite(&p, visitors, number);
  see_off(&p, visitors);
  assert_int_equal(p.full.parts, ALWAYS_ALIVE + size);
  assert_all_have_ended();
  return p.full.held;
}

/* One after the other, then a group. */
static size_t most_of_visits(unsigned from, unsigned to) {
  size_t most = 0;
  while (from < to) {
    unsigned size = from / GROUP % 2 == 0 ? 1 : GROUP;
    size_t held = visits(size, from);
    most = held > most ? held : most;
    from += size;
  }
  return most;
}

static void test_the_heap_does_not_grow_with_the_number_of_threads(void **state) {
  (void)state;
  size_t warm = most_of_visits(0, thread_count / 10);
  size_t most = most_of_visits(thread_count / 10, thread_count);
  assert_in_range(most, 1, warm + GROUP * small_bytes(GROUP));
}

/* ---- Two at a belt ----------------------------------------------------------------------------- */

#define ROUNDS 1000
#define WARM_UP 100
#define BAGS 8

/* Bags that one thread fills and another empties, by turns. Where they change roles, who has emptied them
 * fills them next. */
typedef struct belt {
  bag bags[BAGS];
  pthread_barrier_t turn;
  bool change_roles;
  walloc_heap_stats full[ROUNDS]; /* of each round, when all bags were full */
  atomic_bool fine;
} belt;

static void fill_bags(belt *b, unsigned round) {
  for (unsigned i = 0; i < BAGS; i++) {
    b->bags[i].number = round + i;
    if (!fill_bag(&b->bags[i]))
      b->fine = false;
  }
  b->full[round] = heap_now();
}

static void empty_bags(belt *b) {
  for (unsigned i = 0; i < BAGS; i++)
    if (!empty_half(&b->bags[i], 0) || !empty_half(&b->bags[i], 1))
      b->fine = false;
}

static void work_at_belt(belt *b, unsigned who) {
  for (unsigned round = 0; round < ROUNDS; round++) {
    bool fills = who == (b->change_roles ? round % 2 : 0);
    if (fills)
      fill_bags(b, round);
    pthread_barrier_wait(&b->turn);
    if (!fills)
      empty_bags(b);
    pthread_barrier_wait(&b->turn);
  }
}

static void *work_as_first(void *argument) {
  work_at_belt(argument, 0);
  return NULL;
}

static void *work_as_second(void *argument) {
  work_at_belt(argument, 1);
  return NULL;
}

static void run_belt(belt *b, bool change_roles) {
  pthread_t first, second;
  b->change_roles = change_roles;
  b->fine = true;
  assert_int_equal(pthread_barrier_init(&b->turn, NULL, 2), 0);
  start(&first, work_as_first, b);
  start(&second, work_as_second, b);
  join(first);
  join(second);
  assert_int_equal(pthread_barrier_destroy(&b->turn), 0);
  assert_true(b->fine);
  assert_all_have_ended();
}

static void test_what_another_thread_freed_is_used_again(void **state) {
  (void)state;
  static belt b;
  run_belt(&b, false);
  size_t most = 0;
  for (unsigned round = 0; round < WARM_UP; round++)
    most = b.full[round].held > most ? b.full[round].held : most;
  for (unsigned round = WARM_UP; round < ROUNDS; round++)
    assert_in_range(b.full[round].held, 1, most + 2 * small_bytes(BAGS));
}

/* Of small blocks each of both may come to own as many as are alive at once, and to have as many of the
 * other's in its lists: four times as many, however many rounds. */
static void test_threads_that_free_for_each_other_share(void **state) {
  (void)state;
  static belt b;
  size_t alive = small_bytes(BAGS), before = heap_now().spans;
  run_belt(&b, true);
  for (unsigned round = 0; round < ROUNDS; round++)
    assert_in_range(b.full[round].spans, alive, before + 4 * alive);
}

/* ---- What one thread leaves to the next --------------------------------------------------------- */

#define MANY 40000
#define BYTES 64

static char *many[MANY];

static void *allocate_many(void *size) {
  for (size_t i = 0; i < MANY; i++)
    many[i] = filled(malloc(*(size_t *)size), *(size_t *)size);
  return NULL;
}

static void free_many(void) {
  for (size_t i = 0; i < MANY; i++) {
    assert_true(many[i] != NULL && is_filled(many[i], FILLED, BYTES));
    free(many[i]);
  }
}

static void *allocate_and_free_many(void *size) {
  allocate_many(size);
  for (size_t i = 0; i < MANY; i++)
    free(many[i]);
  return NULL;
}

/* What the C library, and the lists that are not full enough to be sent, may take meanwhile. */
#define MEANWHILE WALLOC_HEAP_SMALL

/* Stacks of ended threads, which Emscripten's main thread frees when it gets to it: how many are still there at
 * a moment is up to it. They are large blocks. */
#ifdef __EMSCRIPTEN__
#define STACKS ((size_t)4 << 20)
#else
#define STACKS ((size_t)0)
#endif

/* Of small blocks, which have nothing to do with stacks. */
static size_t spans_now(void) { return heap_now().spans; }

/* In a thread, which has ended when it returns. */
static void run_alone(void *(*run)(void *), size_t size) {
  pthread_t thread;
  start(&thread, run, &size);
  join(thread);
  assert_all_have_ended();
}

/* Its free blocks are the next one's, who has its part; but for those that were sent to it and that a thread which is always
 * alive has taken, all of them, as it needed one. Then the next one has spans of its own, however many come after it. */
static void test_blocks_of_an_ended_thread_are_the_next_ones(void **state) {
  (void)state;
  run_alone(allocate_and_free_many, BYTES);
  size_t spans = spans_now();
  for (int i = 0; i < 20; i++) {
    run_alone(allocate_many, BYTES);
    free_many();
    run_alone(allocate_and_free_many, BYTES);
  }
  assert_in_range(spans_now(), 1, (1 + ALWAYS_ALIVE) * spans + MEANWHILE);
}

static size_t obtained(void) {
  walloc_memory_stats stats;
  assert_int_equal(walloc_get_memory_stats(&stats), WALLOC_OK);
  return stats.obtained;
}

/* In other sizes too, as pages. They are looked for when the heap has grown by an eighth, in steps that are
 * as large. */
static void test_pages_of_an_ended_thread_serve_other_sizes(void **state) {
  (void)state;
  run_alone(allocate_and_free_many, BYTES);
  size_t before = obtained(), held = heap_held();
  for (size_t size = BYTES / 2; size >= 8; size /= 2)
    run_alone(allocate_and_free_many, size);
  assert_in_range(obtained(), before, before + held / 4 + STACKS / 8);
}

static pthread_barrier_t idle;

static void *allocate_many_and_idle(void *size) {
  allocate_many(size);
  pthread_barrier_wait(&idle);
  pthread_barrier_wait(&idle);
  return NULL;
}

/* While the one who allocated them is alive, and does not look: they were sent to it in lists, of which
 * the last one is not full. */
static void test_blocks_sent_to_an_idle_thread_are_taken(void **state) {
  (void)state;
  size_t size = BYTES;
  pthread_t thread;
  assert_int_equal(pthread_barrier_init(&idle, NULL, 2), 0);
  start(&thread, allocate_many_and_idle, &size);
  pthread_barrier_wait(&idle);
  size_t spans = spans_now();
  free_many();
  allocate_many(&size);
  size_t after = spans_now();
  pthread_barrier_wait(&idle);
  join(thread);
  free_many();
  assert_int_equal(pthread_barrier_destroy(&idle), 0);
  assert_in_range(after, spans, spans + MEANWHILE);
}

/* ---- Threads that are about to end -------------------------------------------------------------- */

/* A value of thread-specific data, whose destructor frees it and packs another, up to the last one. */
#define KEYS 2
#define PACKETS 4 /* as many turns as destructors have: PTHREAD_DESTRUCTOR_ITERATIONS */
#define ENDING 1000

typedef struct packet {
  size_t key, left;
  char *content;
} packet;

static pthread_key_t keys[KEYS];
static const size_t packet_sizes[PACKETS] = {50, 5000, 50000, 8};
static atomic_uint unpacked;

static void pack(size_t key, size_t left) {
  packet *p = malloc(sizeof *p);
  size_t size = packet_sizes[left];
  *p = (packet){.key = key, .left = left, .content = filled(malloc(size), size)};
  pthread_setspecific(keys[key], p);
}

static void unpack(void *argument) {
  packet *p = argument;
  size_t key = p->key, left = p->left;
  if (is_filled(p->content, FILLED, packet_sizes[left]))
    unpacked++;
  free(p->content);
  free(p);
  if (left > 0)
    pack(key, left - 1);
}

/* The last packet is packed, and unpacked, when the thread has given up its part of the heap. */
static void *pack_and_end(void *unused) {
  for (size_t key = 0; key < KEYS; key++)
    pack(key, PACKETS - 1);
  return unused;
}

static void end_often(const pthread_attr_t *attributes, void *(*run)(void *), unsigned times) {
  for (unsigned i = 0; i < times; i++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, attributes, run, NULL), 0);
    join(thread);
    assert_all_have_ended();
  }
}

static void test_destructors_free_and_allocate(void **state) {
  (void)state;
  for (size_t key = 0; key < KEYS; key++)
    assert_int_equal(pthread_key_create(&keys[key], unpack), 0);
  end_often(NULL, pack_and_end, ENDING / 10);
  size_t spans = spans_now(), held = heap_held();
  end_often(NULL, pack_and_end, ENDING - ENDING / 10);
  assert_in_range(spans_now(), 1, spans + MEANWHILE);
  assert_in_range(heap_held(), 1, held + MEANWHILE + STACKS);
  assert_int_equal(unpacked, ENDING * KEYS * PACKETS);
  for (size_t key = 0; key < KEYS; key++)
    assert_int_equal(pthread_key_delete(keys[key]), 0);
}

static void *allocate_and_end(void *unused) {
  free(filled(malloc(100), 100));
  return unused;
}

/* More of them than there can be parts. */
static void test_threads_with_small_stacks(void **state) {
  (void)state;
  pthread_attr_t attributes;
  assert_int_equal(pthread_attr_init(&attributes), 0);
  assert_int_equal(pthread_attr_setstacksize(&attributes, 16384), 0);
  end_often(&attributes, allocate_and_end, 600);
  assert_int_equal(pthread_attr_destroy(&attributes), 0);
}

static void clean_up(void *counter) { ++*(atomic_uint *)counter; }

static atomic_uint cleaned_up;

/* The first allocation is within the program's own handlers, some of which it takes away again. */
static void *allocate_within_handlers(void *unused) {
  pthread_cleanup_push(clean_up, &cleaned_up);
  pthread_cleanup_push(clean_up, &cleaned_up);
  free(filled(malloc(100), 100));
  pthread_cleanup_push(clean_up, &cleaned_up);
  pthread_cleanup_pop(1);
  pthread_cleanup_pop(1);
  free(filled(malloc(100), 100));
  pthread_exit(unused);
  pthread_cleanup_pop(0);
  return NULL;
}

static void test_threads_with_cleanup_handlers(void **state) {
  (void)state;
  end_often(NULL, allocate_within_handlers, 600);
  assert_int_equal(cleaned_up, 3 * 600);
}

int main(int count, char **arguments) {
  if (count > 1)
    thread_count = (unsigned)strtoul(arguments[1], NULL, 10);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pages_of_an_ended_thread_serve_other_sizes),
      cmocka_unit_test(test_blocks_of_an_ended_thread_are_the_next_ones),
      cmocka_unit_test(test_blocks_sent_to_an_idle_thread_are_taken),
      cmocka_unit_test(test_destructors_free_and_allocate),
      cmocka_unit_test(test_threads_with_small_stacks),
      cmocka_unit_test(test_threads_with_cleanup_handlers),
      cmocka_unit_test(test_what_another_thread_freed_is_used_again),
      cmocka_unit_test(test_threads_that_free_for_each_other_share),
      cmocka_unit_test(test_the_heap_does_not_grow_with_the_number_of_threads),
  };
  return cmocka_run_group_tests(tests, let_main_thread_have_its_part, NULL);
}
