/* What the explorer's engine (explore.c) and its operations (operations.c) share: the threads, and the way to
 * change memory so that it can be undone. Only for these two; one real thread. */
#ifndef ENGINE_H
#define ENGINE_H

#include <setjmp.h>
#include <stddef.h>

#include "explore.h"
#include "lock/lock.h"

enum { TLS_MAX = 2048 };

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
  uint64_t notes[EXPLORE_NOTES]; /* of faults that a program brings itself */
  unsigned char own[TLS_MAX];    /* its copy of what is thread-local */
} coroutine;

typedef struct engine_state {
  const exploration *plan; /* NULL: not exploring, nobody stops */
  coroutine *running;
} engine_state;

extern engine_state engine;

/* The running thread lets others go on. Counts as a step, so that before and after a store of what was there
 * already are two states. */
void engine_stop(void);

uint64_t engine_read(const volatile void *at, size_t size);

/* Can be undone, and is part of the state unless it is a statistic. */
void engine_write(volatile void *at, size_t size, uint64_t value);

/* What an operation has returned becomes part of the thread's state. */
uint64_t engine_returned(uint64_t value);

/* In operations.c: whether a word decides nothing. */
bool operations_is_statistic(const volatile void *at);

#endif
