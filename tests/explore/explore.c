/* See explore.h. */
#define _GNU_SOURCE /* makecontext */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "arena/arena.h"

enum { STACK_SIZE = 65536, DEPTH_MAX = 4096, UNDO_MAX = 65536 };

/* ---- Everything that a step changes --------------------------------------------------------- */

typedef struct undo {
  volatile void *at;
  uint64_t value;
  size_t size;
} undo;

static coroutine coroutines[EXPLORE_THREADS_MAX];
static unsigned char stacks[EXPLORE_THREADS_MAX][STACK_SIZE] __attribute__((aligned(16)));
static jmp_buf scheduler;
engine_state engine;
static bool broken;
static uint32_t died;   /* 1: thread 0 has */
static uint32_t asleep; /* bit i: thread i is */

static undo undo_log[UNDO_MAX];
static size_t undo_count;
static uint64_t memory_state; /* hash of all words that differ from the beginning */

/* Thread-local variables of the sources; the linker makes these names. */
extern unsigned char __start_explore_tls[], __stop_explore_tls[];

static size_t tls_size(void) { return (size_t)(__stop_explore_tls - __start_explore_tls); }

uint64_t explore_mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  hash = (hash ^ hash >> 29) * 0xBF58476D1CE4E5B9u;
  return hash ^ hash >> 32;
}

/* ---- Stopping ------------------------------------------------------------------------------- */

void engine_stop(void) {
  if (engine.running == NULL)
    return;
  engine.running->state = explore_mix(engine.running->state, 1);
  engine.running->stack_low = (unsigned char *)__builtin_frame_address(0) - 256;
  if (_setjmp(engine.running->stopped) == 0)
    _longjmp(scheduler, 1);
}

void explore_pause(void) { engine_stop(); }

unsigned explore_thread(void) { return (unsigned)(engine.running - coroutines); }

uint32_t explore_number_of(unsigned thread) { return 2 * thread + 2; }

/* In place of the platform's, for which all coroutines are one thread. */
uint32_t walloc_platform_thread(void) {
  return engine.running == NULL ? 2 * EXPLORE_THREADS_MAX + 2 : explore_number_of(explore_thread());
}

bool explore_await_death(void) {
  engine.running->awaits_death = true;
  engine_stop();
  engine.running->awaits_death = false;
  return died != 0;
}

/* In place of the platform's. Who is about to sleep has forgotten all but the word. Who sleeps when thread 0 has died looks again, as after the time for which it
 * may sleep; before that nobody does, so that a lost wake is found as a deadlock. */
void walloc_platform_wait_for(_Atomic uint32_t *word, uint32_t expected, uint64_t nanoseconds) {
  (void)nanoseconds;
  engine.running->state = explore_mix(engine.running->calls, expected);
  engine_stop();
  if (engine_returned(*word) != expected)
    return;
  engine_write(&asleep, sizeof asleep, asleep | 1u << explore_thread());
  engine_stop();
}

void walloc_platform_wake_all(_Atomic uint32_t *word) {
  (void)word;
  engine_stop();
  engine_write(&asleep, sizeof asleep, 0);
}

bool walloc_platform_can_wait(void) { return engine.running != NULL; }

uint64_t *explore_notes(void) { return engine.running->notes; }

void explore_violation(const char *promise) {
  if (!broken && engine.plan->fault == MUTATION_NONE)
    fprintf(stderr, "broken: %s\n", promise);
  broken = true;
  engine_stop();
}

void explore_call_ended(void) {
  uint64_t state = ++engine.running->calls;
  const unsigned char *own = __start_explore_tls;
  for (size_t i = 0; i + 8 <= tls_size(); i += 8) {
    uint64_t word;
    memcpy(&word, own + i, 8);
    state = explore_mix(state, word);
  }
  if (engine.plan->fault == MUTATION_LANE_NOT_CHECKED)
    state = explore_mix(state, engine.running->cursor);
  engine.running->state = state;
  engine.running->added = engine.running->swapped = engine.running->read_history =
      engine.running->cursor_promised = false;
  engine.running->has_pinned = engine.running->says_pinned = false;
  engine.running->late_closing = NULL;
  memset(engine.running->notes, 0, sizeof engine.running->notes);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

uint64_t engine_read(const volatile void *at, size_t size) {
  uint64_t value = 0; /* little-endian, as all targets are */
  memcpy(&value, (const void *)at, size);
  return value;
}

void engine_write(volatile void *at, size_t size, uint64_t value) {
  uint64_t before = engine_read(at, size);
  memcpy((void *)at, &value, size);
  if (engine.running == NULL || value == before)
    return;
  if (undo_count == UNDO_MAX)
    abort();
  undo_log[undo_count++] = (undo){at, before, size};
  if (operations_is_statistic(at))
    return;
  uint64_t address = (uintptr_t)at;
  memory_state ^= explore_mix(address, before) ^ explore_mix(address, value);
  if (engine.plan->cursor_moved != NULL && at == &walloc_arenas[engine.plan->slot].cursor)
    engine.plan->cursor_moved(before, value);
}

uint64_t engine_returned(uint64_t value) {
  if (engine.running != NULL)
    engine.running->state = explore_mix(engine.running->state, value);
  return value;
}

/* ---- Threads -------------------------------------------------------------------------------- */

static void go_on(unsigned thread) {
  engine.running = &coroutines[thread];
  memcpy(__start_explore_tls, engine.running->own, tls_size());
  if (_setjmp(scheduler) == 0)
    _longjmp(engine.running->stopped, 1);
  memcpy(engine.running->own, __start_explore_tls, tls_size());
  engine.running = NULL;
}

static void run_body(void) {
  engine_stop();
  engine.plan->body(explore_thread());
  engine.running->ended = true;
  for (;;)
    engine_stop();
}

/* Up to its first stop. */
static void start_thread(unsigned thread) {
  ucontext_t context;
  engine.running = &coroutines[thread];
  *engine.running = (coroutine){.ended = false};
  getcontext(&context);
  context.uc_stack.ss_sp = stacks[thread];
  context.uc_stack.ss_size = STACK_SIZE;
  makecontext(&context, run_body, 0);
  if (_setjmp(scheduler) == 0)
    setcontext(&context);
  engine.running = NULL;
}

/* Bit i: thread i can go on. */
static unsigned ready_threads(void) {
  unsigned ready = 0;
  for (unsigned i = 0; i < engine.plan->threads; i++) {
    const coroutine *c = &coroutines[i];
    bool waits = (c->awaited != NULL && c->awaited->word != 0) ||
                 (c->awaits_death && !coroutines[0].ended) || ((asleep >> i & 1) != 0 && died == 0);
    if (!c->ended && !waits)
      ready |= 1u << i;
  }
  return ready;
}

/* A choice beside the threads that can go on: the death of thread 0. */
#define DEATH ((unsigned)EXPLORE_THREADS_MAX)

static unsigned choices(void) {
  unsigned ready = ready_threads();
  return engine.plan->mortal && !coroutines[0].ended ? ready | 1u << DEATH : ready;
}

static void die(void) {
  engine.running = &coroutines[0];
  engine.running->ended = true;
  engine_write(&died, sizeof died, 1);
  engine.running = NULL;
}

static bool all_have_ended(void) {
  for (unsigned i = 0; i < engine.plan->threads; i++) {
    if (!coroutines[i].ended)
      return false;
  }
  return true;
}

static uint64_t state_now(void) {
  uint64_t state = explore_mix(memory_state, engine.plan->checks_state());
  for (unsigned i = 0; i < engine.plan->threads; i++)
    state = explore_mix(state, coroutines[i].state + coroutines[i].ended);
  return state;
}

/* ---- States that were met ------------------------------------------------------------------- */

static uint64_t *met; /* open addressing; 0: empty */
static size_t met_size, met_count;

static bool insert(uint64_t *table, size_t size, uint64_t state) {
  size_t i = state & (size - 1);
  while (table[i] != 0 && table[i] != state)
    i = (i + 1) & (size - 1);
  bool is_new = table[i] == 0;
  table[i] = state;
  return is_new;
}

static void enlarge(void) {
  size_t size = met_size == 0 ? 1 << 16 : met_size * 2;
  uint64_t *table = calloc(size, sizeof *table);
  if (table == NULL)
    abort();
  for (size_t i = 0; i < met_size; i++) {
    if (met[i] != 0)
      insert(table, size, met[i]);
  }
  free(met);
  met = table;
  met_size = size;
}

/* True the first time. */
static bool is_new_state(uint64_t state) {
  if (met_count * 2 >= met_size)
    enlarge();
  bool is_new = insert(met, met_size, state | 1);
  met_count += is_new;
  return is_new;
}

/* ---- All paths ------------------------------------------------------------------------------ */

/* One choice: who went, who is still to be tried, and how things were before. */
typedef struct step {
  unsigned thread, left;
  bool dies;
  size_t undo_count;
  uint64_t memory_state;
  coroutine before;
  unsigned char *stack, *checks, *memory;
} step;

static step path[DEPTH_MAX];
static size_t path_length;

static void *allocate(size_t size) {
  void *memory = malloc(size);
  if (memory == NULL)
    abort();
  return memory;
}

static size_t stack_used(const coroutine *c, unsigned thread) {
  return (size_t)(stacks[thread] + STACK_SIZE - c->stack_low);
}

static size_t size_of_regions(void) {
  size_t size = 0;
  for (int i = 0; i < EXPLORE_REGIONS; i++)
    size += engine.plan->memory[i].size;
  return size;
}

/* Into what is saved, or back. */
static void copy_regions(unsigned char *saved, bool back) {
  for (int i = 0; i < EXPLORE_REGIONS; i++) {
    const explore_region *r = &engine.plan->memory[i];
    if (r->size != 0)
      memcpy(back ? r->at : saved, back ? saved : r->at, r->size);
    saved += r->size;
  }
}

static void remember(step *s) {
  if (s->stack == NULL) {
    s->stack = allocate(STACK_SIZE);
    s->checks = allocate(engine.plan->checks_size);
    s->memory = allocate(size_of_regions() + 1);
  }
  s->undo_count = undo_count;
  s->memory_state = memory_state;
  s->before = coroutines[s->thread];
  memcpy(s->stack, s->before.stack_low, stack_used(&s->before, s->thread));
  memcpy(s->checks, engine.plan->checks, engine.plan->checks_size);
  copy_regions(s->memory, false);
}

static void undo_step(const step *s) {
  while (undo_count > s->undo_count) {
    const undo *last = &undo_log[--undo_count];
    memcpy((void *)last->at, &last->value, last->size);
  }
  memory_state = s->memory_state;
  coroutines[s->thread] = s->before;
  memcpy(s->before.stack_low, s->stack, stack_used(&s->before, s->thread));
  memcpy(engine.plan->checks, s->checks, engine.plan->checks_size);
  copy_regions(s->memory, true);
}

static void take_step(step *s) {
  unsigned choice = (unsigned)__builtin_ctz(s->left);
  s->left &= s->left - 1;
  s->dies = choice == DEATH;
  s->thread = s->dies ? 0 : choice;
  remember(s);
  if (s->dies)
    die();
  else
    go_on(s->thread);
}

/* True when there is something to try from the current state. */
static bool extend_path(void) {
  unsigned ready = choices();
  if (ready == 0) {
    if (all_have_ended())
      engine.plan->ended();
    else
      explore_violation("nobody can go on: a deadlock");
    return false;
  }
  if (!is_new_state(state_now()))
    return false;
  if (path_length == DEPTH_MAX) {
    explore_violation("somebody goes round for ever");
    return false;
  }
  path[path_length++].left = ready;
  return true;
}

/* Back to the last place where a choice is left. */
static bool go_back(void) {
  while (path_length > 0 && path[path_length - 1].left == 0) {
    path_length--;
    if (path_length > 0)
      undo_step(&path[path_length - 1]);
  }
  return path_length > 0;
}

static void print_schedule(void) {
  fprintf(stderr, "schedule: ");
  for (size_t i = 0; i < path_length; i++)
    fputc(path[i].dies ? 'x' : '0' + (int)path[i].thread, stderr);
  fprintf(stderr, "\n");
}

static void prepare(const exploration *what) {
  if (tls_size() > TLS_MAX)
    abort();
  engine.plan = what;
  broken = false;
  path_length = undo_count = met_count = 0;
  memory_state = 0;
  if (met_size > 0)
    memset(met, 0, met_size * sizeof *met);
  for (unsigned i = 0; i < engine.plan->threads; i++)
    start_thread(i);
}

uint64_t explore(const exploration *what) {
  prepare(what);
  for (bool more = extend_path(); more && !broken;) {
    take_step(&path[path_length - 1]);
    if (broken)
      break;
    if (!extend_path()) {
      undo_step(&path[path_length - 1]);
      more = go_back();
    }
  }
  if (broken && what->fault == MUTATION_NONE)
    print_schedule();
  if (broken)
    for (; path_length > 0; path_length--)
      undo_step(&path[path_length - 1]);
  memset(__start_explore_tls, 0, tls_size());
  engine.plan = NULL;
  return broken ? 0 : met_count;
}
