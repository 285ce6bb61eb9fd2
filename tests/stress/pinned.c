/* The storm for pins: threads write and read blocks under pins while another throws everything away, in an
 * arena and in frames. What a thread reads or writes under its pin must not change under it.
 *
 *     pinned [threads]       prints the seed, and takes it from WALLOC_SEED; WALLOC_ROUNDS times as long
 *
 * Each thread has a letter box, in which its latest block lies for all others. Nothing but pins orders a
 * reader's last look at a block before what is written there next: so the thread sanitizer checks them, too. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "walloc.h"
#include "walloc_frames.h"

enum { THREADS_MAX = 8, WORDS_MAX = 64 };

/* Written by its thread; `version` is odd meanwhile. Sequentially consistent. */
typedef struct letter_box {
  _Atomic uint32_t version;
  _Atomic uint64_t arena, address, words, place, value;
} letter_box;

typedef struct letter {
  walloc_ref ref; /* size in words */
  uint32_t value; /* of all its words */
} letter;

typedef struct worker {
  pthread_t thread;
  unsigned number, turns;
  uint32_t random;
  unsigned long written, read, stale, busy; /* read after the join */
} worker;

static letter_box boxes[THREADS_MAX];
static unsigned thread_count;
static walloc_arena *arena;   /* NULL: frames */
static walloc_frames *frames; /* NULL: an arena */
static _Atomic bool done;     /* written by the main thread */
static _Atomic bool
    thrown_away; /* once at least: written by who does it, and cleared by the main thread */
static _Atomic unsigned wrong; /* counted up by whoever finds something */

static void violation(const char *what) {
  if (atomic_fetch_add(&wrong, 1) < 10)
    fprintf(stderr, "violation: %s\n", what);
}

static void require(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "%s: %s\n", what, walloc_error_text(walloc_last_error()));
  exit(EXIT_FAILURE);
}

static uint32_t below(uint32_t *random, uint32_t limit) {
  *random = *random * 1664525u + 1013904223u;
  return (uint32_t)((uint64_t)*random * limit >> 32);
}

/* ---- Letters -------------------------------------------------------------------------------- */

static void post(letter_box *box, const letter *sent) {
  atomic_fetch_add(&box->version, 1);
  atomic_store(&box->arena, (uintptr_t)sent->ref.arena);
  atomic_store(&box->address, (uintptr_t)sent->ref.address);
  atomic_store(&box->words, sent->ref.size);
  atomic_store(&box->place, sent->ref.place);
  atomic_store(&box->value, sent->value);
  atomic_fetch_add(&box->version, 1);
}

/* False while it is empty, or just written. */
static bool look(letter_box *box, letter *found) {
  uint32_t version = atomic_load(&box->version);
  found->ref.arena = (walloc_arena *)(uintptr_t)atomic_load(&box->arena);
  found->ref.address = (void *)(uintptr_t)atomic_load(&box->address);
  found->ref.size = (size_t)atomic_load(&box->words);
  found->ref.place = atomic_load(&box->place);
  found->value = (uint32_t)atomic_load(&box->value);
  return version != 0 && version % 2 == 0 && version == atomic_load(&box->version);
}

/* ---- What threads do ------------------------------------------------------------------------ */

static bool may_be_refused(walloc_error error) {
  return error == WALLOC_ERROR_BUSY || error == WALLOC_ERROR_PINNED;
}

static bool has(const letter *l) {
  const uint32_t *words = l->ref.address;
  for (size_t i = 0; i < l->ref.size; i++) {
    if (words[i] != l->value)
      return false;
  }
  return true;
}

/* Under a pin, now and then: with few processors nobody else would write meanwhile. */
static void let_others_go_on(worker *self) {
  if (below(&self->random, 16) == 0)
    sched_yield();
}

static void write_block(worker *self) {
  walloc_arena *pinned = arena;
  if (arena == NULL)
    pinned = walloc_frames_pin(frames, WALLOC_FRAME_CURRENT);
  walloc_error error = pinned == NULL ? walloc_last_error() : WALLOC_OK;
  if (arena != NULL)
    error = walloc_pin(arena);
  if (error != WALLOC_OK) {
    self->busy++;
    if (!may_be_refused(error))
      violation(walloc_error_text(error));
    return;
  }
  size_t words = 1 + below(&self->random, WORDS_MAX);
  letter sent = {walloc_alloc_ref(pinned, words * sizeof(uint32_t)),
                 below(&self->random, UINT32_MAX)};
  uint32_t *block = sent.ref.address;
  if (block != NULL) { /* else the budget is used up, and nobody has recycled yet */
    for (size_t i = 0; i < words; i++)
      block[i] = sent.value;
    sent.ref.size = words;
    let_others_go_on(self);
    if (!has(&sent))
      violation("a block changed while it was written under a pin");
    post(&boxes[self->number], &sent);
    self->written++;
  }
  if (walloc_unpin(pinned) != WALLOC_OK)
    violation("there was no pin");
}

static void read_block(worker *self) {
  letter found;
  if (!look(&boxes[below(&self->random, thread_count)], &found))
    return;
  if (walloc_pin_ref(found.ref) == NULL) {
    walloc_error error = walloc_last_error();
    self->stale += error == WALLOC_ERROR_STALE;
    self->busy += error == WALLOC_ERROR_BUSY;
    if (error != WALLOC_ERROR_STALE && error != WALLOC_ERROR_BUSY)
      violation(walloc_error_text(error));
    return;
  }
  for (int pass = 0; pass < 3; pass++) {
    if (!has(&found))
      violation("a block changed while it was read under a pin");
    let_others_go_on(self);
  }
  self->read++;
  if (walloc_unpin(found.ref.arena) != WALLOC_OK)
    violation("there was no pin");
}

/* Until all has been thrown away at least once meanwhile. */
static void *work(void *argument) {
  worker *self = argument;
  for (unsigned i = 0; i < self->turns || !atomic_load(&thrown_away); i++) {
    if (below(&self->random, 4) == 0)
      write_block(self);
    else
      read_block(self);
  }
  return NULL;
}

static walloc_error throw_away(uint32_t *random) {
  walloc_mark mark;
  if (frames != NULL)
    return walloc_frames_advance(frames);
  switch (below(random, 4)) {
  case 0:
    return walloc_compact(arena, 0);
  case 1:
    if (walloc_set_mark(arena, &mark) != WALLOC_OK)
      violation("a mark was refused");
    return walloc_rewind(mark);
  default:
    return walloc_reset(arena);
  }
}

static void *throw_all_away(void *argument) {
  static unsigned long counts[2]; /* done and refused; read after the join */
  uint32_t random = *(uint32_t *)argument;
  counts[0] = counts[1] = 0;
  while (!atomic_load(&done)) {
    walloc_error error = throw_away(&random);
    counts[error != WALLOC_OK]++;
    if (error == WALLOC_OK)
      atomic_store(&thrown_away, true);
    if (error != WALLOC_OK && !may_be_refused(error) && error != WALLOC_ERROR_STALE)
      violation(walloc_error_text(error));
  }
  return counts;
}

/* ---- Running -------------------------------------------------------------------------------- */

static void run(const char *name, uint32_t seed, unsigned turns) {
  static worker workers[THREADS_MAX];
  pthread_t thrower;
  void *counts;
  worker all = {.number = 0};
  atomic_store(&done, false);
  atomic_store(&thrown_away, false);
  for (unsigned i = 0; i < THREADS_MAX; i++)
    atomic_store(&boxes[i].version, 0); /* of an earlier run */
  require(pthread_create(&thrower, NULL, throw_all_away, &seed) == 0, "pthread_create");
  for (unsigned i = 0; i < thread_count; i++) {
    workers[i] = (worker){.number = i, .turns = turns, .random = seed * 31 + i * 7919};
    require(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "pthread_create");
  }
  for (unsigned i = 0; i < thread_count; i++) {
    pthread_join(workers[i].thread, NULL);
    all.written += workers[i].written;
    all.read += workers[i].read;
    all.stale += workers[i].stale;
    all.busy += workers[i].busy;
  }
  atomic_store(&done, true);
  pthread_join(thrower, &counts);
  const unsigned long *thrown = counts;
  printf("  %s: %lu blocks written, %lu read, %lu stale, %lu busy; thrown away %lu times, refused "
         "%lu\n",
         name, all.written, all.read, all.stale, all.busy, thrown[0], thrown[1]);
  if (all.read == 0 || all.written == 0 || thrown[0] == 0)
    violation("nothing has happened");
}

static void run_both(uint32_t seed, unsigned turns) {
  walloc_arena_config config = {.lane = 4096, .reserve = 1 << 20, .hard_budget = 1 << 20};
  require(walloc_init(&(walloc_config){.maximum = 64 << 20, .reserve = 4 << 20}) == WALLOC_OK,
          "init");
  arena = walloc_arena_create(&config);
  require(arena != NULL, "walloc_arena_create");
  run("an arena", seed, turns);
  arena = NULL;
  frames =
      walloc_frames_create(&(walloc_frames_config){.frames = 2, .storages = 4, .arena = config});
  require(frames != NULL, "walloc_frames_create");
  run("frames  ", seed, turns);
  walloc_frames_stats stats;
  require(walloc_get_frames_stats(frames, &stats) == WALLOC_OK, "walloc_get_frames_stats");
  printf("  %u advances, %u held up, %u storages\n", stats.advances, stats.held_up, stats.storages);
  frames = NULL;
  require(walloc_shutdown() == WALLOC_OK, "walloc_shutdown"); /* no pin is left */
}

static uint32_t number_from(const char *name, uint32_t otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

int main(int count, char **values) {
  uint32_t seed = number_from("WALLOC_SEED", (uint32_t)time(NULL));
  unsigned turns = 3000 * number_from("WALLOC_ROUNDS", 1);
  unsigned only = count > 1 ? (unsigned)strtoul(values[1], NULL, 10) : 0;
  require(only <= THREADS_MAX, "at most 8 threads");
  printf("WALLOC_SEED=%u\n", seed);
  for (thread_count = only != 0 ? only : 2; thread_count <= THREADS_MAX; thread_count *= 2) {
    printf("%u threads\n", thread_count);
    run_both(seed, turns);
    fflush(stdout);
    if (only != 0)
      break;
  }
  return atomic_load(&wrong) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
