/* Pins. The argument is in pins.h. Any thread. */
#include "frames/pins.h"

#include "arena/gate.h"
#include "error/error.h"
#include "platform/platform.h"
#include "walloc_frames.h"

/* How often a closing arena is looked at. First at once, for as long as a recycling takes; then, as the thread that
 * recycles may have lost its processor, a second long: where this one may sleep, with naps. */
#ifndef PIN_TRIES
#define PIN_TRIES 2000
#define PIN_NAPS 1000
#endif
#define PIN_NAP_NANOSECONDS 1000000u
#define PIN_TRIES_AWAKE 4000000

#define ROWS 128u

/* | thread : 32 | depth : 16 | slot of the arena : 16 |, 0: empty */
typedef uint64_t pin;

#define PIN_ONCE ((pin)1 << 16)
#define PIN_DEPTH ((pin)0xFFFF << 16)
#define PIN_THREAD_SHIFT 32

typedef struct pin_row {
  alignas(CACHE_LINE) _Atomic uint32_t owner; /* a thread; written once, by compare-and-swap */
  _Atomic pin word[WALLOC_PINS_MAX];          /* written by the thread that each names */
} pin_row;

_Static_assert(sizeof(pin_row) == CACHE_LINE, "threads do not meet in a cache line");

static pin_row rows[ROWS];

/* The calling thread's row, plus 1; 0: not looked for yet. */
static _Thread_local uint32_t own_row;

static uint32_t thread_of(pin p) { return (uint32_t)(p >> PIN_THREAD_SHIFT); }

/* Relaxed: the calling thread's own word, or one that is taken by a compare-and-swap if it is empty. */
static pin own_word(_Atomic pin *word) { return atomic_load_explicit(word, memory_order_relaxed); }

/* P1. Sequentially consistent, with R2. A thread may find the row of an earlier one of its number. */
static uint32_t claim_row(uint32_t thread) {
  for (uint32_t n = 0; n < ROWS; n++) {
    uint32_t owner = 0;
    if (atomic_compare_exchange_strong_explicit(&rows[n].owner, &owner, thread,
                                                memory_order_seq_cst, memory_order_relaxed) ||
        owner == thread)
      return n;
  }
  return (thread * 2654435761u >> 16) % ROWS; /* numbers are far apart, or one behind the other */
}

/* The thread's word for the arena (`wanted`, without its depth); else, with `or_empty`, an empty one. NULL:
 * none, or the thread has all that it may have. Other rows than its own are looked at only when threads
 * share rows. */
static _Atomic pin *find(pin wanted, bool or_empty) {
  if (own_row == 0)
    own_row = claim_row(thread_of(wanted)) + 1;
  uint32_t owned = 0;
  for (uint32_t i = 0; i < ROWS; i++) {
    pin_row *row = &rows[(own_row - 1 + i) % ROWS];
    _Atomic pin *empty = NULL;
    for (uint32_t n = 0; n < WALLOC_PINS_MAX; n++) {
      pin seen = own_word(&row->word[n]);
      if ((seen & ~PIN_DEPTH) == wanted)
        return &row->word[n];
      owned += thread_of(seen) == thread_of(wanted);
      if (seen == 0)
        empty = &row->word[n];
    }
    if (or_empty && (empty != NULL || owned >= WALLOC_PINS_MAX))
      return empty;
  }
  return NULL;
}

/* Sequentially consistent: P3. As an acquire it sees what was done before R4. */
static bool is_closing(walloc_arena *arena) {
  return atomic_load_explicit(&arena->closing, memory_order_seq_cst) != 0;
}

/* Release: what was read under the pin is read before R2 finds the word empty. */
static void set_word(_Atomic pin *word, pin p) {
  atomic_store_explicit(word, p, memory_order_release);
}

/* F1 to F3. The addition is that of a block that nobody gets, so it may fail as others do, and overshoot. */
static void note_pinned(walloc_arena *arena) {
  if (atomic_load_explicit(&arena->pinned, memory_order_acquire) == 2)
    return;
  atomic_store_explicit(&arena->pinned, 1, memory_order_relaxed);
  arena_gate_enter(arena);
  atomic_fetch_add_explicit(&arena->cursor, arena_alignment(arena) / PLACE_UNIT,
                            memory_order_seq_cst);
  arena_gate_leave(arena);
  atomic_store_explicit(&arena->pinned, 2, memory_order_release);
}

/* False: it has been long enough. */
static bool may_try_again(walloc_arena *arena, int tries) {
  if (tries >= PIN_TRIES && walloc_platform_can_wait()) {
    uint32_t closer = atomic_load_explicit(&arena->closing, memory_order_relaxed);
    if (closer != 0 && tries < PIN_TRIES + PIN_NAPS)
      walloc_platform_wait_for(&arena->closing, closer, PIN_NAP_NANOSECONDS);
    return tries < PIN_TRIES + PIN_NAPS;
  }
  walloc_platform_pause();
  return tries < PIN_TRIES_AWAKE;
}

/* P2 and P3, once. BUSY: to be tried again. */
static walloc_error try_pin(walloc_arena *arena, pin wanted) {
  _Atomic pin *word = find(wanted, true);
  pin seen = word == NULL ? PIN_DEPTH : own_word(word);
  if ((seen & PIN_DEPTH) == PIN_DEPTH)
    return WALLOC_ERROR_LIMIT;
  if (seen != 0) {
    set_word(word, seen + PIN_ONCE);
    return WALLOC_OK;
  }
  if (is_closing(arena)) /* not to be found by R2 for nothing */
    return WALLOC_ERROR_BUSY;
  if (!atomic_compare_exchange_strong_explicit(word, &seen, wanted + PIN_ONCE, memory_order_seq_cst,
                                               memory_order_relaxed))
    return WALLOC_ERROR_BUSY; /* of a shared row */
  if (!is_closing(arena))
    return WALLOC_OK;
  set_word(word, 0);
  return WALLOC_ERROR_BUSY;
}

static pin pin_of(const walloc_arena *arena) {
  return (pin)walloc_platform_thread() << PIN_THREAD_SHIFT | arena->slot;
}

walloc_error walloc_pin(walloc_arena *arena) {
  walloc_error error = walloc_arena_check(arena);
  if (error != WALLOC_OK)
    return error;
  uint32_t serial = atomic_load_explicit(&arena->serial, memory_order_acquire);
  if ((serial & 1) == 0) /* destroyed since */
    return WALLOC_ERROR_ARENA;
  note_pinned(arena);
  int tries = 0;
  do
    error = try_pin(arena, pin_of(arena));
  while (error == WALLOC_ERROR_BUSY && may_try_again(arena, tries++));
  /* P4 for the arena as a whole: destroying closes it, too. */
  if (error != WALLOC_OK || atomic_load_explicit(&arena->serial, memory_order_acquire) == serial)
    return error;
  set_word(find(pin_of(arena), false), 0);
  return WALLOC_ERROR_ARENA;
}

walloc_error walloc_unpin(walloc_arena *arena) {
  walloc_error error = walloc_arena_check(arena);
  if (error != WALLOC_OK)
    return error;
  _Atomic pin *word = find(pin_of(arena), false);
  if (word == NULL)
    return WALLOC_ERROR_HANDLE;
  pin left = own_word(word) - PIN_ONCE;
  set_word(word, (left & PIN_DEPTH) == 0 ? 0 : left);
  return WALLOC_OK;
}

/* P4 for a reference: behind the pin. */
void *walloc_pin_ref(walloc_ref ref) {
  walloc_error error = walloc_pin(ref.arena);
  if (error != WALLOC_OK)
    return walloc_fail(error);
  void *address = walloc_ref_get(ref);
  if (address == NULL)
    walloc_unpin(ref.arena);
  return address;
}

/* R2. */
uint32_t walloc_pins_holder(const walloc_arena *arena) {
  for (pin_row *row = rows; row < rows + ROWS; row++) {
    if (atomic_load_explicit(&row->owner, memory_order_seq_cst) == 0)
      break;
    for (uint32_t n = 0; n < WALLOC_PINS_MAX; n++) {
      pin seen = atomic_load_explicit(&row->word[n], memory_order_seq_cst);
      if (seen != 0 && (arena == NULL || (seen & (PIN_ONCE - 1)) == arena->slot))
        return thread_of(seen);
    }
  }
  return 0;
}

/* R1 and R2. */
walloc_error walloc_pins_close(walloc_arena *arena) {
  int tries = 0;
  do {
    uint32_t nobody = 0;
    if (atomic_compare_exchange_strong_explicit(&arena->closing, &nobody, walloc_platform_thread(),
                                                memory_order_seq_cst, memory_order_relaxed)) {
      if (walloc_pins_holder(arena) == 0)
        return WALLOC_OK;
      walloc_pins_open(arena);
      return WALLOC_ERROR_PINNED;
    }
  } while (may_try_again(arena, tries++));
  return WALLOC_ERROR_BUSY;
}

/* R4. Release: with P3. */
void walloc_pins_open(walloc_arena *arena) {
  atomic_store_explicit(&arena->closing, 0, memory_order_release);
}

/* By compare-and-swap, since another thread may be recovering the same one, and others pin meanwhile. */
void walloc_pins_thread_lost(uint32_t thread) {
  for (pin_row *row = rows; row < rows + ROWS; row++) {
    for (uint32_t n = 0; n < WALLOC_PINS_MAX; n++) {
      pin seen = own_word(&row->word[n]);
      if (thread_of(seen) == thread)
        atomic_compare_exchange_strong_explicit(&row->word[n], &seen, 0, memory_order_seq_cst,
                                                memory_order_relaxed);
    }
  }
  for (uint32_t slot = 0; slot < WALLOC_ARENAS_MAX; slot++) {
    uint32_t closer = thread;
    atomic_compare_exchange_strong_explicit(&walloc_arenas[slot].closing, &closer, 0,
                                            memory_order_seq_cst, memory_order_relaxed);
  }
}
