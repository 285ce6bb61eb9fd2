/* The storm of everything: threads use all rooms at once, the heap, references to it, arenas under pins, frames,
 * contexts and queues; and now and then one of them is gone for good, between two of its calls, with all that it
 * has, and its loss is told while the others go on.
 *
 *     everything        prints the seed, and takes it from WALLOC_SEED; WALLOC_ROUNDS times as long
 *
 *     worker   | turns ... | holds pins, has collected blocks | announces | waits, is no more |
 *     main                                                    | walloc_thread_lost            | starts another one
 *
 * What must hold: no block's bytes change but by its owner; a reference that was published is taken once, and freed
 * once; what is written under a pin stays; nothing that a lost thread held holds anybody up; at the end all blocks
 * are free, and everything can be ended. Threads that die within a call are in tests/kill. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "walloc_context.h"
#include "walloc_frames.h"
#include "walloc_queue.h"
#include "walloc_recovery.h"
#include "walloc_reference.h"

#include "heap/part.h"

enum { WORKERS = 5, LOSSES = 40, TURNS = 1500, BLOCKS_MAX = 48, FILLED = 128 };

typedef struct held {
  unsigned char *address;
  size_t size;
  uint32_t seed;
} held;

typedef struct worker {
  pthread_t thread;
  sem_t buried; /* main has told of the loss */
  uint32_t random, number;
  held blocks[BLOCKS_MAX]; /* its own; main's when it is lost */
  unsigned turns;
  _Atomic bool lost; /* written by the worker, as the last before it waits */
} worker;

static worker workers[WORKERS];
static sem_t losses; /* one for each that main has not seen */
static walloc_arena *arena;
static walloc_frames *frames;
static walloc_queue *queue;
static walloc_context context;
static _Atomic unsigned violations, taken, published; /* counted up by all; read after the joins */

static void violation(const char *what) {
  if (atomic_fetch_add_explicit(&violations, 1, memory_order_relaxed) < 10)
    fprintf(stderr, "violation: %s (%s)\n", what, walloc_error_text(walloc_last_error()));
}

static void require(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "cannot go on: %s (%s)\n", what, walloc_error_text(walloc_last_error()));
  exit(EXIT_FAILURE);
}

static uint32_t below(uint32_t *random, uint32_t limit) {
  *random = *random * 1664525u + 1013904223u;
  return (uint32_t)((uint64_t)*random * limit >> 32);
}

/* ---- Bytes: the first and the last of a block ------------------------------------------------ */

static unsigned char byte_of(uint32_t seed, size_t i) {
  return (unsigned char)((size_t)seed * 37 + i * 11);
}

static size_t behind(size_t i, size_t size) {
  return i == FILLED && size > 2 * (size_t)FILLED ? size - FILLED : i;
}

static void fill(unsigned char *address, size_t size, uint32_t seed) {
  for (size_t i = 0; i < size; i = behind(i + 1, size))
    address[i] = byte_of(seed, i);
}

static void check(const unsigned char *address, size_t size, uint32_t seed, const char *what) {
  for (size_t i = 0; i < size; i = behind(i + 1, size))
    if (address[i] != byte_of(seed, i)) {
      violation(what);
      return;
    }
}

/* Mostly small; now and then large, and rarely pages of its own. */
static size_t some_size(uint32_t *random) {
  uint32_t kind = below(random, 64);
  return 1 + below(random, kind == 0 ? 300000 : kind < 6 ? 40000 : 1u << (3 + below(random, 9)));
}

/* ---- The heap -------------------------------------------------------------------------------- */

static void let_go(held *block) {
  check(block->address, block->size, block->seed, "a block of the heap has changed");
  walloc_free(block->address);
  *block = (held){NULL, 0, 0};
}

static void take_or_free(worker *w) {
  held *block = &w->blocks[below(&w->random, BLOCKS_MAX)];
  if (block->address != NULL) {
    let_go(block);
    return;
  }
  size_t size = some_size(&w->random);
  unsigned char *address = walloc_malloc(size);
  if (address == NULL)
    return;
  *block = (held){address, size, w->random};
  fill(address, size, block->seed);
}

static void resize(worker *w) {
  held *block = &w->blocks[below(&w->random, BLOCKS_MAX)];
  size_t size = some_size(&w->random);
  if (block->address == NULL)
    return;
  check(block->address, block->size, block->seed, "a block of the heap has changed");
  unsigned char *address = walloc_realloc(block->address, size);
  if (address == NULL)
    return;
  *block = (held){address, size, w->random};
  fill(address, size, block->seed);
}

/* ---- References to the heap, by the queue ---------------------------------------------------- */

static void publish(worker *w) {
  walloc_ref ref = walloc_malloc_ref(some_size(&w->random));
  if (ref.address == NULL)
    return;
  fill(ref.address, ref.size, w->random);
  walloc_error error = walloc_queue_publish(queue, ref, w->random);
  if (error == WALLOC_OK) {
    atomic_fetch_add_explicit(&published, 1, memory_order_relaxed);
    return;
  }
  if (error != WALLOC_ERROR_FULL)
    violation("a reference cannot be published");
  if (walloc_free_ref(ref) != WALLOC_OK)
    violation("a reference cannot be freed");
}

/* Freed by its reference or by its address. Once: so it is there until then. */
static void take(uint32_t *random) {
  walloc_ref ref;
  uint32_t seed;
  if (walloc_queue_poll(queue, &ref, &seed) != WALLOC_OK)
    return;
  atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
  unsigned char *address = walloc_ref_get_range(ref, 0, ref.size);
  if (address == NULL) {
    violation("what was published is gone");
    return;
  }
  check(address, ref.size, seed, "what was published has changed");
  if (below(random, 2) == 0)
    walloc_free(address);
  else if (walloc_free_ref(ref) != WALLOC_OK)
    violation("what was published cannot be freed");
  if (walloc_ref_valid(ref))
    violation("what was freed is valid");
}

/* ---- Arenas, frames, contexts ---------------------------------------------------------------- */

static bool may_be_refused(walloc_error error) {
  return error == WALLOC_OK || error == WALLOC_ERROR_BUSY || error == WALLOC_ERROR_PINNED;
}

/* In an arena that the thread has pinned, and lets go, unless it is to be lost with it. */
static void write_pinned(worker *w, walloc_arena *pinned, bool keep) {
  size_t size = 1 + below(&w->random, 400);
  uint32_t seed = w->random;
  walloc_ref ref = walloc_alloc_ref(pinned, size);
  if (ref.address != NULL) {
    fill(ref.address, size, seed);
    if (below(&w->random, 8) == 0)
      sched_yield();
    check(ref.address, size, seed, "what is pinned has changed");
    if (!walloc_ref_valid(ref))
      violation("what is pinned is stale");
  }
  if (!keep && walloc_unpin(pinned) != WALLOC_OK)
    violation("there was no pin");
}

static void use_arena(worker *w, bool keep) {
  walloc_error error = walloc_pin(arena);
  if (error == WALLOC_OK)
    write_pinned(w, arena, keep);
  else if (!may_be_refused(error))
    violation("an arena cannot be pinned");
}

static void use_frame(worker *w, bool keep) {
  walloc_arena *frame = walloc_frames_pin(frames, WALLOC_FRAME_CURRENT);
  if (frame != NULL)
    write_pinned(w, frame, keep);
  else if (!may_be_refused(walloc_last_error()))
    violation("a frame cannot be pinned");
}

static void use_context(worker *w) {
  if (walloc_context_retain(context) != WALLOC_OK) {
    violation("a context cannot be retained");
    return;
  }
  walloc_context child = walloc_context_create_child(context, NULL, 0);
  if (child != WALLOC_NO_CONTEXT && walloc_context_release(child) != WALLOC_OK)
    violation("a context cannot be released");
  (void)walloc_context_alloc(context, 1 + below(&w->random, 200));
  if (walloc_context_release(context) != WALLOC_OK)
    violation("a context cannot be released");
}

static void throw_away(worker *w) {
  walloc_mark mark;
  walloc_error error = WALLOC_OK;
  switch (below(&w->random, 6)) {
  case 0:
    error = walloc_reset(arena);
    break;
  case 1:
    error = walloc_set_mark(arena, &mark);
    break;
  case 2:
    error = walloc_trim(arena);
    break;
  case 3:
    (void)walloc_reserve(arena, below(&w->random, 1 << 20));
    break;
  default:
    error = walloc_frames_advance(frames);
  }
  if (!may_be_refused(error))
    violation("recycling is refused for no reason");
}

static void make_and_end(worker *w) {
  walloc_arena *own = walloc_arena_create(&(walloc_arena_config){.reserve = 100000});
  if (own == NULL)
    return;
  void *block = walloc_alloc(own, 1 + below(&w->random, 50000));
  if (block != NULL)
    fill(block, 1, w->random);
  while (walloc_arena_destroy(own) == WALLOC_ERROR_BUSY)
    sched_yield();
}

/* ---- Workers --------------------------------------------------------------------------------- */

static void take_turn(worker *w) {
  uint32_t kind = below(&w->random, 200);
  if (kind < 80)
    take_or_free(w);
  else if (kind < 90)
    resize(w);
  else if (kind < 115)
    publish(w);
  else if (kind < 140)
    take(&w->random);
  else if (kind < 160)
    use_arena(w, false);
  else if (kind < 180)
    use_frame(w, false);
  else if (kind < 190)
    use_context(w);
  else if (kind < 199)
    throw_away(w);
  else
    make_and_end(w);
}

/* What a thread that is gone leaves is what it has, and nobody's thread-local variable any more. */
static void *work(void *argument) {
  worker *w = argument;
  w->number = walloc_thread_self();
  for (unsigned i = 0; i < w->turns; i++)
    take_turn(w);
  if (below(&w->random, 2) == 0)
    use_arena(w, true);
  else
    use_frame(w, true);
  walloc_own_part = &walloc_no_part;
  atomic_store_explicit(&w->lost, true, memory_order_release);
  sem_post(&losses);
  while (sem_wait(&w->buried) != 0) {
  }
  return NULL;
}

static void start(worker *w, uint32_t seed, unsigned turns) {
  w->random = seed;
  w->turns = turns;
  atomic_store_explicit(&w->lost, false, memory_order_relaxed);
  require(sem_init(&w->buried, 0, 0) == 0, "sem_init");
  require(pthread_create(&w->thread, NULL, work, w) == 0, "pthread_create");
}

static worker *next_lost(void) {
  while (sem_wait(&losses) != 0) {
  }
  for (worker *w = workers;; w = w == &workers[WORKERS - 1] ? workers : w + 1)
    if (atomic_exchange_explicit(&w->lost, false, memory_order_acquire))
      return w;
}

/* While the others go on. BUSY: somebody holds the page lock. What the program knows to be held is its own. */
static void bury(worker *w) {
  walloc_error error;
  while ((error = walloc_thread_lost(w->number)) == WALLOC_ERROR_BUSY)
    sched_yield();
  if (error != WALLOC_OK)
    violation("a loss cannot be told");
  sem_post(&w->buried);
  require(pthread_join(w->thread, NULL) == 0, "pthread_join");
  for (int i = 0; i < BLOCKS_MAX; i++)
    if (w->blocks[i].address != NULL)
      let_go(&w->blocks[i]);
  sem_destroy(&w->buried);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static void begin(void) {
  walloc_config config = {.reserve = 1 << 20, .maximum = 256 << 20};
  require(walloc_init(&config) == WALLOC_OK, "walloc_init");
  arena = walloc_arena_create(&(walloc_arena_config){.hard_budget = 4 << 20});
  frames = walloc_frames_create(NULL);
  queue = walloc_queue_create(NULL);
  context = walloc_context_create(arena, 0);
  require(arena != NULL && frames != NULL && queue != NULL && context != WALLOC_NO_CONTEXT,
          "what all use");
  require(sem_init(&losses, 0, 0) == 0, "sem_init");
}

static void end(uint32_t random) {
  walloc_heap_census census;
  while (walloc_queue_count(queue) != 0)
    take(&random);
  if (atomic_load_explicit(&taken, memory_order_relaxed) !=
      atomic_load_explicit(&published, memory_order_relaxed))
    violation("what was published was not taken once");
  if (walloc_reset(arena) != WALLOC_OK || walloc_frames_destroy(frames) != WALLOC_OK)
    violation("a lost thread's pin is there");
  if (walloc_context_references(context) != 1)
    violation("references to a context were counted wrongly");
  if (walloc_take_heap_census(&census) != WALLOC_OK || census.live_blocks != 0)
    violation("a block is live that nobody has");
  if (walloc_shutdown() != WALLOC_OK || walloc_heap_reset() != WALLOC_OK)
    violation("walloc does not end");
}

static uint32_t number_from(const char *name, uint32_t otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

int main(void) {
  uint32_t seed = number_from("WALLOC_SEED", (uint32_t)time(NULL));
  uint32_t rounds = number_from("WALLOC_ROUNDS", 1);
  printf("WALLOC_SEED=%u\n", seed);
  begin();
  uint32_t random = seed;
  for (int i = 0; i < WORKERS; i++)
    start(&workers[i], below(&random, UINT32_MAX), 1 + below(&random, TURNS));
  for (uint32_t left = LOSSES * rounds; left > 0; left--) {
    worker *w = next_lost();
    bury(w);
    if (left > WORKERS)
      start(w, below(&random, UINT32_MAX), 1 + below(&random, TURNS));
  }
  end(random);
  printf("%u threads were lost, %u references taken: %u violations\n", LOSSES * rounds, taken,
         violations);
  return violations == 0 && taken != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
