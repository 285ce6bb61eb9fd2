/* The kill storm: several threads use the heap, references, arenas, frames and a queue at once; one of them is
 * killed wherever it is, its loss is told while the others go on, and another takes its place.
 *
 *     kill_storm           some hundred kills; prints the seed, and takes it from WALLOC_SEED
 *     WALLOC_PROVE=1       10,000
 *
 * What must hold: the others go on, nothing overlaps (each block's bytes are those of its owner), no lock stays, all
 * structures are in order at the end, and what has leaked is one block for each kill at most. */
#include "kill/kill.h"
#include "kill/storage.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/platform.h"

enum { CHILDREN = 3, BLOCKS = 40, KILLS = 300, KILLS_IN_FULL = 10000, TURNS = 120 };

#define SECONDS_AT_MOST 120 /* without a kill: longer is a lock that nobody left */
#define LARGEST 65536u      /* of a block, with what belongs to it */

typedef struct held {
  unsigned char *volatile address;
  size_t size;
  uint32_t seed;
} held;

/* Written by the child, and by the tester when it is dead. */
typedef struct child {
  pid_t process;
  volatile uint32_t number, turns;
  uint32_t random;
  held blocks[BLOCKS];
} child;

static child children[CHILDREN];
static _Atomic unsigned violations;

/* Without the C library's streams: in children, and when time is up. */
static void say(const char *what) {
  ssize_t written = write(STDERR_FILENO, what, strlen(what));
  written += write(STDERR_FILENO, "\n", 1);
  (void)written;
}

static void violation(const char *what) {
  if (atomic_fetch_add(&violations, 1) < 10)
    say(what);
}

static uint32_t below(uint32_t *random, uint32_t limit) {
  *random = *random * 1664525u + 1013904223u;
  return (uint32_t)((uint64_t)*random * limit >> 32);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static uint32_t word_of(uint32_t seed, size_t i) { return (seed + (uint32_t)i) * 2654435761u; }

/* All words: an overlap is met wherever it is. */
static void fill(void *address, size_t size, uint32_t seed) {
  uint32_t *words = address;
  for (size_t i = 0; i < size / 4; i++)
    words[i] = word_of(seed, i);
}

static void check(const void *address, size_t size, uint32_t seed, const char *what) {
  const uint32_t *words = address;
  for (size_t i = 0; i < size / 4; i++)
    if (words[i] != word_of(seed, i)) {
      violation(what);
      return;
    }
}

static size_t some_size(uint32_t *random) {
  uint32_t kind = below(random, 40);
  return 4 + below(random, kind == 0 ? LARGEST - 4096 : kind < 6 ? 6000 : 300);
}

/* Killed before the last store: the block is lost. */
static void take(child *own, held *block, unsigned char *address, size_t size) {
  if (address == NULL)
    return;
  block->size = size;
  block->seed = own->random;
  fill(address, size, block->seed);
  stores_in_order();
  block->address = address;
}

/* Killed behind the store: as above. */
static unsigned char *give_up(held *block) {
  unsigned char *address = block->address;
  check(address, block->size, block->seed, "a block of the heap has changed");
  block->address = NULL;
  stores_in_order();
  return address;
}

static void use_heap(child *own) {
  held *block = &own->blocks[below(&own->random, BLOCKS)];
  size_t size = some_size(&own->random);
  if (block->address == NULL)
    take(own, block, walloc_malloc(size), size);
  else if (below(&own->random, 4) == 0)
    take(own, block, walloc_realloc(give_up(block), size), size);
  else
    walloc_free(give_up(block));
}

/* ---- References, by the queue ---------------------------------------------------------------- */

static void publish(child *own) {
  size_t size = some_size(&own->random);
  uint32_t seed = own->random;
  walloc_ref ref = walloc_malloc_ref(size);
  if (ref.address == NULL)
    return;
  fill(ref.address, size, seed);
  if (walloc_queue_publish(kill_common.queue, ref, seed) != WALLOC_OK)
    (void)walloc_free_ref(ref);
}

static bool take_published(uint32_t *random) {
  walloc_ref ref;
  uint32_t seed;
  if (walloc_queue_poll(kill_common.queue, &ref, &seed) != WALLOC_OK)
    return false;
  if (!walloc_ref_valid(ref))
    violation("what was published is gone");
  check(ref.address, ref.size, seed, "what was published has changed");
  if (below(random, 2) == 0)
    walloc_free(ref.address);
  else
    (void)walloc_free_ref(ref);
  return true;
}

/* ---- Arenas ---------------------------------------------------------------------------------- */

static void write_pinned(child *own, walloc_arena *pinned) {
  size_t size = 8 + below(&own->random, 400);
  uint32_t seed = own->random;
  walloc_ref ref = walloc_alloc_ref(pinned, size);
  if (ref.address != NULL) {
    fill(ref.address, size, seed);
    sched_yield();
    check(ref.address, size, seed, "what is pinned has changed");
  }
  (void)walloc_unpin(pinned);
}

static void use_arena(child *own) {
  if (walloc_pin(kill_common.arena) == WALLOC_OK)
    write_pinned(own, kill_common.arena);
}

static void use_frame(child *own) {
  walloc_arena *frame = walloc_frames_pin(kill_common.frames, WALLOC_FRAME_CURRENT);
  if (frame != NULL)
    write_pinned(own, frame);
}

static void throw_away(child *own) {
  walloc_mark mark;
  uint32_t kind = below(&own->random, 6);
  if (kind == 0)
    (void)walloc_trim(kill_common.arena);
  else if (kind == 1)
    (void)walloc_reserve(kill_common.arena, below(&own->random, 1 << 20));
  else if (kind == 2 && walloc_set_mark(kill_common.arena, &mark) == WALLOC_OK)
    (void)walloc_rewind(mark);
  else if (kind < 5)
    (void)walloc_reset(kill_common.arena);
  else
    (void)walloc_frames_advance(kill_common.frames);
}

static void use_context(void) {
  if (walloc_context_retain(kill_common.context) == WALLOC_OK)
    (void)walloc_context_release(kill_common.context);
}

/* ---- Children -------------------------------------------------------------------------------- */

static void take_turn(child *own) {
  uint32_t kind = below(&own->random, 100);
  if (kind < 50)
    use_heap(own);
  else if (kind < 65)
    publish(own);
  else if (kind < 80)
    (void)take_published(&own->random);
  else if (kind < 87)
    use_arena(own);
  else if (kind < 93)
    use_frame(own);
  else if (kind < 98)
    throw_away(own);
  else
    use_context();
}

static int run(void *argument) {
  child *own = argument;
  own->number = walloc_thread_self();
  for (;; own->turns++)
    take_turn(own);
  return 0;
}

static void start(unsigned n, uint32_t seed) {
  child *own = &children[n];
  own->number = own->turns = 0;
  own->random = seed;
  own->process = storage_start(n, run, own);
  if (own->process <= 0)
    exit(EXIT_FAILURE);
}

/* ---- The tester ------------------------------------------------------------------------------ */

static void too_late(int signal) {
  (void)signal;
  say("nothing goes on: a lock is held");
  for (int n = 0; n < CHILDREN; n++)
    kill(children[n].process, SIGKILL);
  _exit(EXIT_FAILURE);
}

static void end(child *own) {
  while (own->number == 0)
    sched_yield();
  kill(own->process, SIGKILL);
  if (waitpid(own->process, NULL, 0) != own->process)
    exit(EXIT_FAILURE);
}

/* BUSY: a living child holds the page lock. */
static void tell_of_loss(child *own) {
  walloc_error error;
  while ((error = walloc_thread_lost(own->number)) == WALLOC_ERROR_BUSY)
    sched_yield();
  if (error != WALLOC_OK)
    violation("recovery is refused");
}

static void free_all(child *own) {
  for (int i = 0; i < BLOCKS; i++)
    if (own->blocks[i].address != NULL)
      walloc_free(give_up(&own->blocks[i]));
}

/* After some of its turns, or within. */
static void kill_one(uint32_t *random) {
  unsigned n = below(random, CHILDREN);
  child *own = &children[n];
  uint32_t turns = below(random, TURNS);
  alarm(SECONDS_AT_MOST);
  while (own->turns < turns)
    sched_yield();
  for (uint32_t i = below(random, 2000); i > 0; i--)
    walloc_platform_pause();
  end(own);
  tell_of_loss(own);
  free_all(own);
  start(n, *random);
}

/* Each that was killed had one block at most in hand. */
static void check_leak(unsigned kills) {
  walloc_heap_census census;
  walloc_memory_stats stats;
  if (walloc_take_heap_census(&census) != WALLOC_OK)
    violation("the heap cannot be walked");
  (void)walloc_get_memory_stats(&stats);
  printf("%u kills: %zu blocks with %zu bytes have leaked, %zu bytes obtained\n", kills,
         census.live_blocks, census.live_bytes, stats.obtained);
  if (census.live_blocks > kills || census.live_bytes > (size_t)kills * LARGEST / 8)
    violation("more has leaked than may");
}

/* Three storages, and no more: a thread that is killed while it makes one takes it along. */
static void begin(void) {
  walloc_config config = {.reserve = 1 << 20};
  if (walloc_init(&config) != WALLOC_OK)
    exit(EXIT_FAILURE);
  kill_common.arena = walloc_arena_create(&(walloc_arena_config){.hard_budget = 4 << 20});
  kill_common.frames = walloc_frames_create(&(walloc_frames_config){.frames = 3, .storages = 3});
  kill_common.queue = walloc_queue_create(NULL);
  kill_common.context = walloc_context_create(kill_common.arena, 0);
  if (kill_common.arena == NULL || kill_common.frames == NULL || kill_common.queue == NULL)
    exit(EXIT_FAILURE);
}

int main(void) {
  const char *seed_given = getenv("WALLOC_SEED"), *prove = getenv("WALLOC_PROVE");
  uint32_t random =
      seed_given != NULL ? (uint32_t)strtoul(seed_given, NULL, 10) : (uint32_t)time(NULL);
  unsigned kills = prove != NULL && strcmp(prove, "1") == 0 ? KILLS_IN_FULL : KILLS;
  printf("WALLOC_SEED=%u\n", random);
  fflush(stdout);
  signal(SIGALRM, too_late);
  storage_find();
  begin();
  for (unsigned n = 0; n < CHILDREN; n++)
    start(n, below(&random, UINT32_MAX));
  for (unsigned i = 0; i < kills; i++)
    kill_one(&random);
  for (unsigned n = 0; n < CHILDREN; n++)
    end(&children[n]);
  for (unsigned n = 0; n < CHILDREN; n++)
    tell_of_loss(&children[n]);
  for (unsigned n = 0; n < CHILDREN; n++)
    free_all(&children[n]);
  while (take_published(&random)) {
  }
  const char *problem = kill_check_structure();
  if (problem != NULL)
    violation(problem);
  check_leak(kills + CHILDREN);
  if (walloc_reset(kill_common.arena) != WALLOC_OK || walloc_shutdown() != WALLOC_OK)
    violation("walloc does not end");
  printf("%u violations\n", violations);
  return violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
