/* Memory that cannot be had, in all rooms: a program that uses each of them is run with each of its growths failing
 * in turn, and with every one of many maxima, in a process of its own. A call that failed says so and has
 * changed nothing: all structures are in order, all blocks have their bytes; and where only one growth fails, the
 * same call succeeds when it is made again. */
#include "unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kill/kill.h"
#include "platform/platform.h"
#include "walloc_context.h"
#include "walloc_frames.h"
#include "walloc_queue.h"
#include "walloc_reference.h"

enum { BLOCKS_MAX = 1024, WENT_ON = 0, WRONG = 1, NEVER_FAILED = 2 };

/* What the program has: of the heap, or a reference of either kind. */
typedef struct held {
  unsigned char *address;
  size_t size;
  walloc_ref ref;
} held;

static held blocks[BLOCKS_MAX];
static size_t block_count;
static walloc_arena *arena, *falling_back;
static walloc_frames *frames;
static walloc_queue *queues[2];
static walloc_context context;
static size_t maximum;    /* 0: none */
static bool never_failed; /* the growth that was to fail has not come */

static unsigned char byte_of(size_t block, size_t i) {
  return (unsigned char)(block * 37 + i * 11);
}

static walloc_error keep(void *address, size_t size, walloc_ref ref) {
  if (address == NULL)
    return walloc_last_error();
  blocks[block_count] = (held){address, size, ref};
  for (size_t i = 0; i < size; i += 61)
    blocks[block_count].address[i] = byte_of(block_count, i);
  block_count++;
  return WALLOC_OK;
}

static walloc_error keep_plain(void *address, size_t size) {
  return keep(address, size, (walloc_ref){NULL, NULL, 0, 0});
}

static walloc_error keep_ref(walloc_ref ref) { return keep(ref.address, ref.size, ref); }

static const char *check_blocks(void) {
  for (size_t n = 0; n < block_count; n++) {
    if (blocks[n].ref.address != NULL && !walloc_ref_valid(blocks[n].ref))
      return "a block is gone";
    for (size_t i = 0; i < blocks[n].size; i += 61)
      if (blocks[n].address[i] != byte_of(n, i))
        return "a block has changed";
  }
  return NULL;
}

/* ---- The program: each step can be taken again when it failed -------------------------------- */

static walloc_error begin_walloc(unsigned n) {
  walloc_config config = {.reserve = 200000, .maximum = maximum};
  return n == 0 ? walloc_init(&config) : WALLOC_OK;
}

static walloc_error create_arena(unsigned n) {
  walloc_arena_config config = {.reserve = 100000};
  if (n == 0 && (arena = walloc_arena_create(&config)) == NULL)
    return walloc_last_error();
  config = (walloc_arena_config){.hard_budget = 65536, .recycle = WALLOC_FALL_BACK};
  if (n == 1 && (falling_back = walloc_arena_create(&config)) == NULL)
    return walloc_last_error();
  return WALLOC_OK;
}

static walloc_error use_arena(unsigned n) {
  static const size_t sizes[] = {64, 20000, 300000, 8, 1000000, 5000};
  size_t size = sizes[n % (sizeof sizes / sizeof *sizes)];
  return arena == NULL ? WALLOC_OK : keep_ref(walloc_alloc_ref(arena, size));
}

static walloc_error use_tier(unsigned n) {
  return keep_ref(walloc_alloc_ref(walloc_tier((walloc_tier_id)(n % WALLOC_TIERS)), 150000));
}

static walloc_error fall_back(unsigned n) {
  size_t size = 30000 + n;
  return falling_back == NULL ? WALLOC_OK : keep_ref(walloc_alloc_ref(falling_back, size));
}

static walloc_error reserve_room(unsigned n) {
  return arena == NULL ? WALLOC_OK : walloc_reserve(arena, (size_t)700000 * (n + 1));
}

static walloc_error use_heap(unsigned n) {
  static const size_t sizes[] = {16,    64,    2000,  30000,  40000,  200000,
                                 24000, 12000, 70000, 900000, 500000, 32768};
  size_t size = sizes[n % (sizeof sizes / sizeof *sizes)];
  return n % 5 == 4 ? keep_plain(walloc_calloc(1, size), size)
                    : keep_plain(walloc_malloc(size), size);
}

/* A copy, so that what fails can be compared, and taken again. */
static walloc_error resize(unsigned n) {
  size_t size = (size_t)3000 * (n + 1);
  if (n == 0 || blocks[block_count - 1].ref.address != NULL)
    return keep_plain(walloc_malloc(size), size);
  held *last = &blocks[block_count - 1];
  void *address = walloc_realloc(last->address, 5 * last->size);
  if (address == NULL)
    return walloc_last_error();
  last->address = address;
  return WALLOC_OK;
}

static walloc_error use_references(unsigned n) {
  return keep_ref(walloc_malloc_ref(n % 40 == 7 ? 50000 : 100 + n));
}

static walloc_error create_queue(unsigned n) {
  walloc_queue_config config = {n == 0 ? 64 : 65536, false};
  queues[n] = walloc_queue_create(&config);
  return queues[n] == NULL ? walloc_last_error() : WALLOC_OK;
}

static walloc_error use_queue(unsigned n) {
  walloc_queue *queue = queues[n % 2];
  walloc_ref ref = n < block_count ? blocks[n].ref : (walloc_ref){NULL, NULL, 0, 0};
  return queue == NULL || ref.address == NULL ? WALLOC_OK : walloc_queue_publish(queue, ref, n);
}

static walloc_error create_frames(unsigned n) {
  walloc_frames_config config = {.frames = 2, .storages = 6};
  config.arena.reserve = 150000;
  if (n == 0 && (frames = walloc_frames_create(&config)) == NULL)
    return walloc_last_error();
  return WALLOC_OK;
}

/* Under a pin, so that the next advance needs another storage. */
static walloc_error use_frames(unsigned n) {
  if (frames == NULL)
    return WALLOC_OK;
  if (n % 2 == 0)
    return walloc_frames_alloc(frames, 200000) == NULL ? walloc_last_error() : WALLOC_OK;
  walloc_arena *pinned = walloc_frames_pin(frames, WALLOC_FRAME_CURRENT);
  walloc_error error = walloc_frames_advance(frames);
  if (error != WALLOC_OK && pinned != NULL)
    (void)walloc_unpin(pinned);
  return error;
}

static walloc_error use_context(unsigned n) {
  if (arena == NULL)
    return WALLOC_OK;
  if (n == 0 && (context = walloc_context_create(arena, 0)) == WALLOC_NO_CONTEXT)
    return walloc_last_error();
  return keep_ref(walloc_context_alloc_ref(context, 400000));
}

typedef struct step {
  walloc_error (*take)(unsigned n);
  unsigned times;
} step;

static const step program[] = {
    {begin_walloc, 1},    {create_arena, 2}, {use_arena, 8},  {use_tier, 3},
    {fall_back, 6},       {use_heap, 12},    {resize, 6},     {reserve_room, 3},
    {use_references, 60}, {create_queue, 2}, {use_queue, 60}, {create_frames, 1},
    {use_frames, 8},      {use_context, 3},  {use_heap, 12},  {use_references, 60},
};

/* ---- Running --------------------------------------------------------------------------------- */

/* After a failure, whose error is told: an arena that has fallen back in vain names its budget. */
static const char *check_failure(walloc_error error) {
  const char *problem = check_blocks();
  if (error != WALLOC_ERROR_OUT_OF_MEMORY && error != WALLOC_ERROR_BUDGET)
    problem = walloc_error_text(error);
  return problem != NULL ? problem : kill_check_structure();
}

static const char *end_program(void) {
  walloc_heap_census census;
  const char *problem = check_blocks();
  for (size_t i = 0; i < block_count; i++)
    if (blocks[i].ref.address == NULL)
      walloc_free(blocks[i].address);
    else if (walloc_free_ref(blocks[i].ref) == WALLOC_ERROR_STALE)
      problem = "a block of the heap is gone";
  for (uint32_t frame = 1; frame < 20 && frames != NULL; frame++) {
    walloc_arena *pinned = walloc_frames_pin(frames, frame);
    while (pinned != NULL && walloc_unpin(pinned) == WALLOC_OK) {
    }
  }
  if (problem == NULL)
    problem = kill_check_structure();
  if (walloc_shutdown() != WALLOC_OK)
    problem = "walloc does not end";
  never_failed = walloc_platform_fail_growth(0) != 0;
  if (walloc_take_heap_census(&census) == WALLOC_OK && census.live_blocks != 0)
    problem = "a block was lost";
  return problem;
}

/* Of failures that may be repeated: the same step again. */
static const char *run_program(bool again, unsigned *failures) {
  for (size_t i = 0; i < sizeof program / sizeof *program; i++)
    for (unsigned n = 0; n < program[i].times; n++) {
      walloc_error error = program[i].take(n);
      if (error == WALLOC_OK)
        continue;
      ++*failures;
      if (i == 0 && !again)
        return NULL; /* there is not even enough to begin */
      const char *problem = check_failure(error);
      if (problem == NULL && again && program[i].take(n) != WALLOC_OK)
        problem = "a call fails again, though there is memory";
      if (problem != NULL)
        return problem;
    }
  return end_program();
}

/* In a process of its own. */
static int run_apart(unsigned growth, size_t most, unsigned *failures) {
  int status, ends[2];
  unsigned failed = 0;
  fflush(NULL);
  assert_int_equal(pipe(ends), 0);
  pid_t process = fork();
  if (process == 0) {
    maximum = most;
    (void)walloc_platform_fail_growth(growth);
    const char *problem = run_program(growth != 0, &failed);
    if (problem != NULL)
      fprintf(stderr, "growth %u, maximum %zu: %s\n", growth, most, problem);
    if (write(ends[1], &failed, sizeof failed) != (ssize_t)sizeof failed)
      _exit(WRONG);
    _exit(problem != NULL ? WRONG : never_failed ? NEVER_FAILED : WENT_ON);
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], &failed, sizeof failed), sizeof failed);
  close(ends[0]);
  assert_int_equal(waitpid(process, &status, 0), process);
  assert_true(WIFEXITED(status));
  *failures += failed;
  return WEXITSTATUS(status);
}

static void test_every_growth(void **state) {
  unsigned failures = 0, growth = 1;
  (void)state;
  for (; growth < 400; growth++) {
    int status = run_apart(growth, 0, &failures);
    assert_int_not_equal(status, WRONG);
    if (status == NEVER_FAILED)
      break;
  }
  print_message("%u growths, of which %u made a call fail\n", growth - 1, failures);
  assert_true(failures > 10);
}

static void test_every_maximum(void **state) {
  unsigned failures = 0;
  (void)state;
  for (size_t most = 300000; most < ((size_t)48 << 20); most += most / 12)
    assert_int_equal(run_apart(0, most, &failures), WENT_ON);
  print_message("%u calls failed\n", failures);
  assert_true(failures > 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_growth),
      cmocka_unit_test(test_every_maximum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
