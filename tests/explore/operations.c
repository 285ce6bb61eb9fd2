/* What walloc's atomics and locks are while it is explored: see explore.h. Which words decide something, and
 * the faults of the protocols of arenas, pins and contexts. */
#define _GNU_SOURCE
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "arena/arena.h"
#include "state/state.h"

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
  if (engine.plan != NULL && engine.plan->stops_at != NULL)
    return engine.plan->stops_at(at);
  if (kind >= STATISTICS || engine.plan == NULL || !engine.plan->stops_everywhere)
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

bool operations_is_statistic(const volatile void *at) { return kind_of(at) == STATISTICS; }

/* ---- The operations ------------------------------------------------------------------------- */

static bool has_fault(mutation fault) {
  return engine.running != NULL && engine.plan->fault == fault;
}

/* What a load of the cursor returns in a protocol with a fault. */
static uint64_t faulty_cursor(uint64_t value, memory_order order) {
  coroutine *own = engine.running;
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
  coroutine *own = engine.running;
  if (has_fault(MUTATION_NO_LOOK_AFTER_SWAP) && own->swapped && own->entry_at == at)
    value = own->entry;
  own->swapped = false;
  own->entry_at = at;
  return own->entry = value;
}

/* The fault reads, before the cursor, whether the same arena was pinned. */
static void promise_pinned(const volatile void *cursor) {
  uintptr_t slot = ((uintptr_t)cursor - (uintptr_t)walloc_arenas) / sizeof(walloc_arena);
  engine.running->pinned = engine_returned(walloc_arenas[slot].pinned);
  engine_stop();
}

/* What other loads return in a protocol of pins with a fault. */
static uint64_t faulty_pin(word_kind kind, const volatile void *at, size_t size, uint64_t value) {
  bool is_number = kind == OTHER && size == 4 && at != &walloc_current_state &&
                   (uintptr_t)at - (uintptr_t)walloc_arenas >= sizeof walloc_arenas;
  if (has_fault(MUTATION_PINNED_READ_FIRST) && kind == PIN_FLAG)
    return engine.running->pinned;
  if (has_fault(MUTATION_NO_LOOK_AFTER_PIN) && kind == CLOSING && engine.running->has_pinned)
    return 0;
  if (has_fault(MUTATION_FRAME_NOT_LOOKED_AT) && is_number && engine.running->has_pinned)
    return engine.running->number_read;
  if (is_number)
    engine.running->number_read = value;
  return value;
}

uint64_t explore_load(const volatile void *at, size_t size, memory_order order) {
  word_kind kind = kind_of(at);
  if (kind == CURSOR && has_fault(MUTATION_PINNED_READ_FIRST))
    promise_pinned(at);
  if (stops_at(kind, at, order))
    engine_stop();
  uint64_t value = engine_read(at, size);
  if (engine.running != NULL && engine.plan->faulty_load != NULL)
    value = engine.plan->faulty_load(at, value);
  else if (engine.running != NULL && kind == CURSOR)
    value = faulty_cursor(value, order);
  else if (engine.running != NULL && kind == ENTRY)
    value = faulty_entry(at, value);
  else if (engine.running != NULL && kind == HISTORY)
    engine.running->read_history = true;
  else if (engine.running != NULL)
    value = faulty_pin(kind, at, size, value);
  return kind == STATISTICS ? value : engine_returned(value);
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
  engine.running->promised = engine_returned(walloc_arenas[slot].cursor);
  engine.running->cursor_promised = true;
  engine_stop();
}

/* The addition of a first pin, in a protocol in which there is none. */
static bool stands_still(word_kind kind) {
  bool still =
      kind == CURSOR && has_fault(MUTATION_FIRST_PIN_STANDS_STILL) && engine.running->says_pinned;
  if (engine.running != NULL)
    engine.running->says_pinned = kind == PIN_FLAG;
  return still;
}

uint64_t explore_change_word(volatile void *at, size_t size, explore_change change, uint64_t value,
                             memory_order order) {
  word_kind kind = kind_of(at);
  if (stands_still(kind))
    return 0;
  if (stops_at(kind, at, order))
    engine_stop();
  if (kind == ENTRY && value == CHUNK_NONE && has_fault(MUTATION_CURSOR_READ_FIRST))
    promise_cursor(at);
  uint64_t before = engine_read(at, size);
  engine_write(at, size, changed(before, change, value));
  if (engine.running != NULL && kind == CURSOR) {
    engine.running->added = true;
    engine.running->cursor = before;
  }
  return kind == STATISTICS || change == CHANGE_STORE ? before : engine_returned(before);
}

/* The fault closes the arena only when it is about to move the cursor. */
static void close_late(word_kind kind) {
  if (kind != CURSOR || engine.running == NULL || engine.running->late_closing == NULL)
    return;
  engine_stop();
  engine_write(engine.running->late_closing, sizeof(uint32_t), walloc_platform_thread());
  engine.running->late_closing = NULL;
}

static bool is_blind(word_kind kind, size_t size, uint64_t desired) {
  if (kind == CURSOR)
    return has_fault(place_position(desired) == 0 ? MUTATION_BLIND_RESET : MUTATION_BLIND_COMPACT);
  return kind == OTHER && size == 8 && has_fault(MUTATION_BLIND_COUNT);
}

bool explore_swap(volatile void *at, size_t size, void *expected, uint64_t desired,
                  memory_order order) {
  word_kind kind = kind_of(at);
  close_late(kind);
  if (stops_at(kind, at, order))
    engine_stop();
  explore_swapping fault = SWAPS_AS_EVER;
  if (engine.running != NULL && engine.plan->faulty_swap != NULL)
    fault = engine.plan->faulty_swap(at, &desired);
  if (fault == SWAPS_NOT)
    return true;
  uint64_t before = engine_read(at, size), wanted = engine_read(expected, size);
  bool swaps = before == wanted || fault == SWAPS_BLINDLY || is_blind(kind, size, desired);
  if (engine.running != NULL && kind == OTHER && size == 8 && swaps)
    engine.running->has_pinned = true;
  if (kind == CLOSING && swaps && has_fault(MUTATION_SCAN_BEFORE_CLOSING))
    engine.running->late_closing = at;
  else if (swaps)
    engine_write(at, size, desired);
  else
    memcpy(expected, &before, size);
  if (engine.running != NULL && kind == CURSOR) {
    engine.running->cursor = swaps ? desired : before;
    engine.running->swapped = swaps;
  }
  if (kind != STATISTICS)
    engine_returned(before);
  return swaps;
}

/* ---- Locks: in place of src/lock, so that waiting is not spinning ---------------------------- */

static bool is_growth_lock(const walloc_lock *lock) {
  uintptr_t offset = (uintptr_t)lock - (uintptr_t)walloc_arenas;
  return offset < sizeof walloc_arenas &&
         offset % sizeof(walloc_arena) == offsetof(walloc_arena, growth);
}

bool walloc_lock_acquire(walloc_lock *lock) {
  bool is_of_arena = (uintptr_t)lock - (uintptr_t)walloc_arenas < sizeof walloc_arenas;
  if (has_fault(MUTATION_TWO_GROW) && is_growth_lock(lock)) {
    engine_stop();
    return true;
  }
  if (engine.running != NULL && (is_of_arena || engine.plan->awaits_all_locks)) {
    engine.running->awaited = lock;
    engine_stop();
    engine.running->awaited = NULL;
  }
  if (lock->word != 0)
    abort(); /* not recursive, and nobody stops within an inner lock */
  engine_write(&lock->word, sizeof lock->word, walloc_platform_thread());
  return true;
}

bool walloc_lock_insist(walloc_lock *lock) { return walloc_lock_acquire(lock); }

bool walloc_lock_try(walloc_lock *lock) { return lock->word == 0 && walloc_lock_acquire(lock); }

void walloc_lock_release(walloc_lock *lock) { engine_write(&lock->word, sizeof lock->word, 0); }
