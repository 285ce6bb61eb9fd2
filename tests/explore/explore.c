/* See explore.h. */
#define _GNU_SOURCE /* makecontext */
#include "explore.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "arena/arena.h"
#include "state/state.h"

enum { STACK_SIZE = 65536, DEPTH_MAX = 4096, UNDO_MAX = 65536, TLS_MAX = 2048 };

/* ---- Everything that a step changes --------------------------------------------------------- */

typedef struct coroutine {
  jmp_buf stopped;
  unsigned char *stack_low; /* its stack is used from here on */
  uint64_t state;           /* hash of what its operations have returned since its call began */
  uint32_t calls;           /* that have ended */
  bool ended;
  walloc_lock *awaited; /* it can go on only when this is free */
  bool awaits_death;    /* or only when thread 0 has died or ended */
  /* For the mutations: what it has last seen. */
  uint64_t cursor, entry, promised;
  const volatile void *entry_at;
  bool added, swapped, read_history, cursor_promised;
  uint64_t number_read, pinned; /* the last 32 bits read elsewhere; a promise */
  volatile void *late_closing;
  bool has_pinned, says_pinned;
  unsigned char own[TLS_MAX]; /* its copy of what is thread-local */
} coroutine;

typedef struct undo {
  volatile void *at;
  uint64_t value;
  size_t size;
} undo;

static coroutine coroutines[EXPLORE_THREADS_MAX];
static unsigned char stacks[EXPLORE_THREADS_MAX][STACK_SIZE] __attribute__((aligned(16)));
static jmp_buf scheduler;
static const exploration *plan; /* NULL: not exploring, nobody stops */
static coroutine *running;
static bool broken;
static uint32_t died; /* 1: thread 0 has */

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

/* ---- Which word is it? ---------------------------------------------------------------------- */

typedef enum word_kind {
  OTHER,
  PIN_FLAG,
  CLOSING,
  STATISTICS,
  CURSOR,
  ENTRY,
  HISTORY,
  PRESERVED
} word_kind;

static bool stops_at(word_kind kind, const volatile void *at, memory_order order) {
  if (kind >= STATISTICS || plan == NULL || !plan->stops_everywhere)
    return kind > STATISTICS;
  return (kind != OTHER || order != memory_order_relaxed) && at != &walloc_current_state;
}

#define IS_IN(field, offset)                    \
  ((offset) >= offsetof(walloc_arena, field) && \
   (offset) < offsetof(walloc_arena, field) + sizeof((walloc_arena *)0)->field)

static word_kind kind_of(const volatile void *at) {
  uintptr_t offset = (uintptr_t)at - (uintptr_t)walloc_arenas;
  if (offset >= sizeof walloc_arenas)
    return OTHER;
  offset %= sizeof(walloc_arena);
  if (offset < sizeof(place)) /* the first field */
    return CURSOR;
  if (IS_IN(chunks, offset))
    return ENTRY;
  if (IS_IN(history, offset))
    return HISTORY;
  if (IS_IN(counters, offset))
    return STATISTICS;
  if (IS_IN(pinned, offset))
    return PIN_FLAG;
  if (IS_IN(closing, offset))
    return CLOSING;
  return IS_IN(preserved, offset) ? PRESERVED : OTHER;
}

/* ---- Stopping ------------------------------------------------------------------------------- */

/* Counts as a step, so that before and after a store of what was there already are two states. */
static void stop(void) {
  if (running == NULL)
    return;
  running->state = explore_mix(running->state, 1);
  running->stack_low = (unsigned char *)__builtin_frame_address(0) - 256;
  if (_setjmp(running->stopped) == 0)
    _longjmp(scheduler, 1);
}

void explore_pause(void) { stop(); }

unsigned explore_thread(void) { return (unsigned)(running - coroutines); }

uint32_t explore_number_of(unsigned thread) { return 2 * thread + 2; }

/* In place of the platform's, for which all coroutines are one thread. */
uint32_t walloc_platform_thread(void) {
  return running == NULL ? 2 * EXPLORE_THREADS_MAX + 2 : explore_number_of(explore_thread());
}

bool explore_await_death(void) {
  running->awaits_death = true;
  stop();
  running->awaits_death = false;
  return died != 0;
}

void explore_violation(const char *promise) {
  if (!broken && plan->fault == MUTATION_NONE)
    fprintf(stderr, "broken: %s\n", promise);
  broken = true;
  stop();
}

void explore_call_ended(void) {
  uint64_t state = ++running->calls;
  const unsigned char *own = __start_explore_tls;
  for (size_t i = 0; i + 8 <= tls_size(); i += 8) {
    uint64_t word;
    memcpy(&word, own + i, 8);
    state = explore_mix(state, word);
  }
  if (plan->fault == MUTATION_LANE_NOT_CHECKED)
    state = explore_mix(state, running->cursor);
  running->state = state;
  running->added = running->swapped = running->read_history = running->cursor_promised = false;
  running->has_pinned = running->says_pinned = false;
  running->late_closing = NULL;
}

/* ---- The operations ------------------------------------------------------------------------- */

static uint64_t read_word(const volatile void *at, size_t size) {
  uint64_t value = 0; /* little-endian, as all targets are */
  memcpy(&value, (const void *)at, size);
  return value;
}

static void write_word(volatile void *at, size_t size, uint64_t value) {
  uint64_t before = read_word(at, size);
  memcpy((void *)at, &value, size);
  if (running == NULL || value == before)
    return;
  if (undo_count == UNDO_MAX)
    abort();
  undo_log[undo_count++] = (undo){at, before, size};
  if (kind_of(at) == STATISTICS)
    return;
  uint64_t address = (uintptr_t)at;
  memory_state ^= explore_mix(address, before) ^ explore_mix(address, value);
  if (at == &walloc_arenas[plan->slot].cursor)
    plan->cursor_moved(before, value);
}

static uint64_t returned(uint64_t value) {
  if (running != NULL)
    running->state = explore_mix(running->state, value);
  return value;
}

static bool has_fault(mutation fault) { return running != NULL && plan->fault == fault; }

/* What a load of the cursor returns in a protocol with a fault. */
static uint64_t faulty_cursor(uint64_t value, memory_order order) {
  coroutine *own = running;
  if (has_fault(MUTATION_NO_LOOK_AFTER_ADDITION) && own->added)
    value = own->cursor;
  if (has_fault(MUTATION_LANE_NOT_CHECKED) && order == memory_order_relaxed && own->cursor != 0)
    value = own->cursor;
  if (has_fault(MUTATION_HISTORY_READ_ONCE) && own->read_history)
    value = own->cursor;
  if (own->cursor_promised)
    value = own->promised;
  own->added = own->read_history = own->cursor_promised = false;
  return own->cursor = value;
}

static uint64_t faulty_entry(const volatile void *at, uint64_t value) {
  coroutine *own = running;
  if (has_fault(MUTATION_NO_LOOK_AFTER_SWAP) && own->swapped && own->entry_at == at)
    value = own->entry;
  own->swapped = false;
  own->entry_at = at;
  return own->entry = value;
}

/* The fault reads, before the cursor, whether the same arena was pinned. */
static void promise_pinned(const volatile void *cursor) {
  uintptr_t slot = ((uintptr_t)cursor - (uintptr_t)walloc_arenas) / sizeof(walloc_arena);
  running->pinned = returned(walloc_arenas[slot].pinned);
  stop();
}

/* What other loads return in a protocol of pins with a fault. */
static uint64_t faulty_pin(word_kind kind, const volatile void *at, size_t size, uint64_t value) {
  bool is_number = kind == OTHER && size == 4 && at != &walloc_current_state &&
                   (uintptr_t)at - (uintptr_t)walloc_arenas >= sizeof walloc_arenas;
  if (has_fault(MUTATION_PINNED_READ_FIRST) && kind == PIN_FLAG)
    return running->pinned;
  if (has_fault(MUTATION_NO_LOOK_AFTER_PIN) && kind == CLOSING && running->has_pinned)
    return 0;
  if (has_fault(MUTATION_FRAME_NOT_LOOKED_AT) && is_number && running->has_pinned)
    return running->number_read;
  if (is_number)
    running->number_read = value;
  return value;
}

uint64_t explore_load(const volatile void *at, size_t size, memory_order order) {
  word_kind kind = kind_of(at);
  if (kind == CURSOR && has_fault(MUTATION_PINNED_READ_FIRST))
    promise_pinned(at);
  if (stops_at(kind, at, order))
    stop();
  uint64_t value = read_word(at, size);
  if (running != NULL && kind == CURSOR)
    value = faulty_cursor(value, order);
  else if (running != NULL && kind == ENTRY)
    value = faulty_entry(at, value);
  else if (running != NULL && kind == HISTORY)
    running->read_history = true;
  else if (running != NULL)
    value = faulty_pin(kind, at, size, value);
  return kind == STATISTICS ? value : returned(value);
}

static uint64_t changed(uint64_t before, explore_change change, uint64_t value) {
  switch (change) {
  case CHANGE_ADD:
    return before + value;
  case CHANGE_AND:
    return before & value;
  case CHANGE_OR:
    return before | value;
  default:
    return value;
  }
}

/* The fault reads, before it empties an entry, what the cursor of the same arena is. */
static void promise_cursor(const volatile void *entry) {
  uintptr_t slot = ((uintptr_t)entry - (uintptr_t)walloc_arenas) / sizeof(walloc_arena);
  running->promised = returned(walloc_arenas[slot].cursor);
  running->cursor_promised = true;
  stop();
}

/* The addition of a first pin, in a protocol in which there is none. */
static bool stands_still(word_kind kind) {
  bool still = kind == CURSOR && has_fault(MUTATION_FIRST_PIN_STANDS_STILL) && running->says_pinned;
  if (running != NULL)
    running->says_pinned = kind == PIN_FLAG;
  return still;
}

uint64_t explore_change_word(volatile void *at, size_t size, explore_change change, uint64_t value,
                             memory_order order) {
  word_kind kind = kind_of(at);
  if (stands_still(kind))
    return 0;
  if (stops_at(kind, at, order))
    stop();
  if (kind == ENTRY && value == CHUNK_NONE && has_fault(MUTATION_CURSOR_READ_FIRST))
    promise_cursor(at);
  uint64_t before = read_word(at, size);
  write_word(at, size, changed(before, change, value));
  if (running != NULL && kind == CURSOR) {
    running->added = true;
    running->cursor = before;
  }
  return kind == STATISTICS || change == CHANGE_STORE ? before : returned(before);
}

/* The fault closes the arena only when it is about to move the cursor. */
static void close_late(word_kind kind) {
  if (kind != CURSOR || running == NULL || running->late_closing == NULL)
    return;
  stop();
  write_word(running->late_closing, sizeof(uint32_t), walloc_platform_thread());
  running->late_closing = NULL;
}

static bool is_blind(word_kind kind, size_t size, uint64_t desired) {
  if (kind == CURSOR)
    return has_fault(MUTATION_BLIND_RESET) && place_position(desired) == 0;
  return kind == OTHER && size == 8 && has_fault(MUTATION_BLIND_COUNT);
}

bool explore_swap(volatile void *at, size_t size, void *expected, uint64_t desired,
                  memory_order order) {
  word_kind kind = kind_of(at);
  close_late(kind);
  if (stops_at(kind, at, order))
    stop();
  uint64_t before = read_word(at, size), wanted = read_word(expected, size);
  bool swaps = before == wanted || is_blind(kind, size, desired);
  if (running != NULL && kind == OTHER && size == 8 && swaps)
    running->has_pinned = true;
  if (kind == CLOSING && swaps && has_fault(MUTATION_SCAN_BEFORE_CLOSING))
    running->late_closing = at;
  else if (swaps)
    write_word(at, size, desired);
  else
    memcpy(expected, &before, size);
  if (running != NULL && kind == CURSOR) {
    running->cursor = swaps ? desired : before;
    running->swapped = swaps;
  }
  if (kind != STATISTICS)
    returned(before);
  return swaps;
}

/* ---- Locks: in place of src/lock, so that waiting is not spinning ---------------------------- */

bool walloc_lock_acquire(walloc_lock *lock) {
  bool is_of_arena = (uintptr_t)lock - (uintptr_t)walloc_arenas < sizeof walloc_arenas;
  if (running != NULL && is_of_arena) {
    running->awaited = lock;
    stop();
    running->awaited = NULL;
  }
  if (lock->word != 0)
    abort(); /* not recursive, and nobody stops within an inner lock */
  write_word(&lock->word, sizeof lock->word, 2);
  return true;
}

bool walloc_lock_insist(walloc_lock *lock) { return walloc_lock_acquire(lock); }

bool walloc_lock_try(walloc_lock *lock) { return lock->word == 0 && walloc_lock_acquire(lock); }

void walloc_lock_release(walloc_lock *lock) { write_word(&lock->word, sizeof lock->word, 0); }

/* ---- Threads -------------------------------------------------------------------------------- */

static void go_on(unsigned thread) {
  running = &coroutines[thread];
  memcpy(__start_explore_tls, running->own, tls_size());
  if (_setjmp(scheduler) == 0)
    _longjmp(running->stopped, 1);
  memcpy(running->own, __start_explore_tls, tls_size());
  running = NULL;
}

static void run_body(void) {
  stop();
  plan->body(explore_thread());
  running->ended = true;
  for (;;)
    stop();
}

/* Up to its first stop. */
static void start_thread(unsigned thread) {
  ucontext_t context;
  running = &coroutines[thread];
  *running = (coroutine){.ended = false};
  getcontext(&context);
  context.uc_stack.ss_sp = stacks[thread];
  context.uc_stack.ss_size = STACK_SIZE;
  makecontext(&context, run_body, 0);
  if (_setjmp(scheduler) == 0)
    setcontext(&context);
  running = NULL;
}

/* Bit i: thread i can go on. */
static unsigned ready_threads(void) {
  unsigned ready = 0;
  for (unsigned i = 0; i < plan->threads; i++) {
    const coroutine *c = &coroutines[i];
    bool waits =
        (c->awaited != NULL && c->awaited->word != 0) || (c->awaits_death && !coroutines[0].ended);
    if (!c->ended && !waits)
      ready |= 1u << i;
  }
  return ready;
}

/* A choice beside the threads that can go on: the death of thread 0. */
#define DEATH ((unsigned)EXPLORE_THREADS_MAX)

static unsigned choices(void) {
  unsigned ready = ready_threads();
  return plan->mortal && !coroutines[0].ended ? ready | 1u << DEATH : ready;
}

static void die(void) {
  running = &coroutines[0];
  running->ended = true;
  write_word(&died, sizeof died, 1);
  running = NULL;
}

static bool all_have_ended(void) {
  for (unsigned i = 0; i < plan->threads; i++) {
    if (!coroutines[i].ended)
      return false;
  }
  return true;
}

static uint64_t state_now(void) {
  uint64_t state = explore_mix(memory_state, plan->checks_state());
  for (unsigned i = 0; i < plan->threads; i++)
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
  unsigned char *stack, *checks;
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

static void remember(step *s) {
  if (s->stack == NULL) {
    s->stack = allocate(STACK_SIZE);
    s->checks = allocate(plan->checks_size);
  }
  s->undo_count = undo_count;
  s->memory_state = memory_state;
  s->before = coroutines[s->thread];
  memcpy(s->stack, s->before.stack_low, stack_used(&s->before, s->thread));
  memcpy(s->checks, plan->checks, plan->checks_size);
}

static void undo_step(const step *s) {
  while (undo_count > s->undo_count) {
    const undo *last = &undo_log[--undo_count];
    memcpy((void *)last->at, &last->value, last->size);
  }
  memory_state = s->memory_state;
  coroutines[s->thread] = s->before;
  memcpy(s->before.stack_low, s->stack, stack_used(&s->before, s->thread));
  memcpy(plan->checks, s->checks, plan->checks_size);
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
      plan->ended();
    else
      explore_violation("nobody can go on: a deadlock");
    return false;
  }
  if (!is_new_state(state_now()))
    return false;
  if (path_length == DEPTH_MAX)
    abort();
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
  plan = what;
  broken = false;
  path_length = undo_count = met_count = 0;
  memory_state = 0;
  if (met_size > 0)
    memset(met, 0, met_size * sizeof *met);
  for (unsigned i = 0; i < plan->threads; i++)
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
  plan = NULL;
  return broken ? 0 : met_count;
}
