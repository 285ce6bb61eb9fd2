/* Every interleaving of two or three threads that make, end and check references to the heap, as far as slots
 * (reference/slot.h) are concerned; and of those of which one dies at any of its steps: walloc's own code, see
 * explore.h. Blocks are only numbers here.
 *
 * What must hold after every step of every interleaving:
 *
 *   - no two references are ever the same; each is valid from when it is made until somebody begins to end it, and
 *     never again after somebody has;
 *   - of those who end the same one, one is told so;
 *   - when all have ended, every slot is used, or in one list and there once; after a death one slot is lost at
 *     most. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

#include "lock/lock.h"
#include "pages/pages.h"
#include "reference/slots.h"

enum { CALLS_MAX = 4, REFERENCES = 12, BEFORE_MAX = 3 };

/* ---- Faults --------------------------------------------------------------------------------- */

typedef enum slot_fault {
  FAULT_NONE,
  FAULT_BLIND_END,       /* a word is ended, whatever it has become */
  FAULT_WORD_STAYS,      /* an ended word is the same as before */
  FAULT_BLIND_PUSH,      /* a slot is pushed, whatever the stack has become */
  FAULT_STACK_NOT_TAKEN, /* what has been taken off the stack stays there */
  FAULT_NOT_MENDED,      /* recovery only opens the lock */
  FAULTS
} slot_fault;

/* ---- Scenarios ------------------------------------------------------------------------------ */

typedef enum call_kind {
  END,
  MAKE,
  FIRST, /* ends the first of the references that were there before; SECOND and THIRD as well */
  SECOND,
  THIRD,
  OWN,    /* ends what the thread has made last */
  CHECK,  /* the first */
  RECOVER /* waits for thread 0 to end or die */
} call_kind;

typedef struct scenario {
  const char *name;
  bool larger; /* only where all is to be proven */
  bool mortal;
  uint32_t spare, ended; /* slots that are free: in the list, on the stack */
  call_kind program[EXPLORE_THREADS_MAX][CALLS_MAX];
} scenario;

/* There are always as many free slots as are taken: another page of them is not added. */
static const scenario scenarios[] = {
    {"two end the same", .program = {{FIRST}, {FIRST}}},
    {"three end the same", .program = {{FIRST}, {FIRST}, {FIRST}}},
    {"one checks what another ends", .spare = 1,
     .program = {{CHECK, CHECK}, {FIRST, MAKE}, {MAKE}}},
    {"two make the last ones, out of the stack", .spare = 0, .ended = 2,
     .program = {{MAKE}, {MAKE, CHECK}}},
    {"one ends what another makes anew", .ended = 2, .program = {{FIRST}, {MAKE, MAKE}}},
    {"two end while one makes", .ended = 2, .program = {{FIRST}, {SECOND}, {MAKE, MAKE}}},
    {"two make and end", .spare = 1, .ended = 1, .program = {{MAKE, OWN, MAKE}, {MAKE, OWN, MAKE}}},
    {"one dies while it makes, others end", .mortal = true, .ended = 3,
     .program = {{MAKE}, {FIRST}, {RECOVER, MAKE, MAKE}}},
    {"one dies while it ends", .mortal = true, .ended = 3,
     .program = {{FIRST}, {FIRST, MAKE}, {RECOVER, MAKE, MAKE}}},
    {"three make and end", .larger = true, .spare = 1, .ended = 2,
     .program = {{MAKE, OWN}, {FIRST, MAKE, OWN}, {FIRST, MAKE, SECOND}}},
    {"three end while they make", .larger = true, .ended = 3,
     .program = {{FIRST, MAKE, MAKE}, {SECOND, MAKE}, {THIRD, CHECK, FIRST}}},
    {"one dies while it makes and ends, two go on", .larger = true, .mortal = true, .ended = 4,
     .program = {{MAKE, OWN, MAKE}, {FIRST, MAKE, OWN}, {SECOND, RECOVER, MAKE}}},
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---- What the checks remember --------------------------------------------------------------- */

typedef struct reference {
  uint64_t word;          /* 0: not made */
  uint32_t ending, ended; /* how often it has begun, and succeeded */
} reference;

typedef struct observed {
  reference all[REFERENCES]; /* the first that were there before */
  uint32_t count;
  uint32_t last[EXPLORE_THREADS_MAX]; /* that each has made */
  uint32_t making;                    /* thread 0 is in a call that takes or ends a slot */
} observed;

static const scenario *current;
static observed now;
static slot_fault chosen;
static walloc_lock lock;
static page_index page;
static free_slots *const slots = &walloc_free_slots;
static char *memory; /* of that page */

static unsigned threads_of(const scenario *s) {
  unsigned count = 0;
  while (count < EXPLORE_THREADS_MAX && s->program[count][0] != END)
    count++;
  return count;
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static void make(unsigned thread) {
  walloc_error error;
  walloc_lock_acquire(&lock);
  uint32_t slot = walloc_slot_take(&error);
  uint64_t word = slot == 0 ? 0 : walloc_slot_use(slot, page_address(slot % 100 + 1));
  if (word == 0)
    explore_violation("there was no slot");
  for (uint32_t i = 0; i < now.count; i++)
    if (now.all[i].word == word)
      explore_violation("two references are the same");
  if (now.count == REFERENCES)
    abort();
  now.last[thread] = now.count;
  now.all[now.count++] = (reference){word, 0, 0};
  walloc_lock_release(&lock);
}

static void end(reference *r) {
  r->ending++;
  bool told = walloc_slot_end(r->word);
  r->ended += told;
  if (r->ended > 1)
    explore_violation("two are told that they have ended the same");
  if (r->ended == 0 && r->ending == 1)
    explore_violation("nobody has ended it, but it is not there");
  if (slot_holds(r->word))
    explore_violation("what was ended is valid");
}

static void check(const reference *r) {
  bool was_ended = r->ended != 0, valid = slot_holds(r->word);
  if (valid && was_ended)
    explore_violation("what was ended is valid");
  if (!valid && r->ending == 0)
    explore_violation("what nobody has ended is not valid");
}

static void recover(void) {
  if (!explore_await_death())
    return;
  if (!walloc_lock_take_over(&lock, explore_number_of(0)))
    return;
  if (chosen != FAULT_NOT_MENDED)
    walloc_slots_mend();
  walloc_lock_release(&lock);
}

static void carry_out(call_kind kind, unsigned thread) {
  switch (kind) {
  case MAKE:
    make(thread);
    break;
  case FIRST:
  case SECOND:
  case THIRD:
    end(&now.all[kind - FIRST]);
    break;
  case OWN:
    end(&now.all[now.last[thread]]);
    break;
  case CHECK:
    check(&now.all[0]);
    break;
  default:
    recover();
  }
}

static void run_program(unsigned thread) {
  for (size_t i = 0; i < CALLS_MAX && current->program[thread][i] != END; i++) {
    if (thread == 0)
      now.making = current->program[thread][i] != CHECK;
    carry_out(current->program[thread][i], thread);
    if (thread == 0)
      now.making = 0;
    explore_call_ended();
  }
}

/* ---- When all have ended --------------------------------------------------------------------- */

/* How often each slot of the page is in a list; false: one goes round. */
static bool count_list(uint32_t slot, uint8_t *times) {
  for (uint32_t steps = 0; slot != 0; slot = slot_at(slot)->next)
    if (steps++ == SLOTS_IN_PAGE || slot / SLOTS_IN_PAGE != page)
      return false;
    else
      times[slot % SLOTS_IN_PAGE]++;
  return true;
}

static void end_run(void) {
  uint8_t times[WALLOC_PAGE_SIZE / SLOT_SIZE] = {0};
  uint32_t lost = 0;
  if (!count_list(slots->spare, times) || !count_list(slots->ended, times))
    explore_violation("a list of free slots goes round");
  for (uint32_t n = 1; n < SLOTS_IN_PAGE; n++) {
    bool used = (place_generation(slot_at(page * SLOTS_IN_PAGE + n)->word) & 1) != 0;
    if (times[n] + used > 1)
      explore_violation("a slot is in two lists, or twice in one, or used and free");
    lost += times[n] + used == 0;
  }
  if (lost > now.making)
    explore_violation("a slot is lost");
}

static uint64_t mix_list(uint64_t state, uint32_t slot) {
  for (uint32_t steps = 0; slot != 0 && steps < SLOTS_IN_PAGE; steps++, slot = slot_at(slot)->next)
    state = explore_mix(state, slot);
  return explore_mix(state, 0);
}

/* Lists are changed by ordinary stores. */
static uint64_t state_of_checks(void) {
  uint32_t numbers[sizeof now / sizeof(uint32_t)];
  uint64_t state = mix_list(mix_list(0, slots->spare), slots->ended);
  memcpy(numbers, &now, sizeof now);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    state = explore_mix(state, numbers[i]);
  return state;
}

/* ---- Words and faults ------------------------------------------------------------------------- */

static bool is_word(const volatile void *at) {
  uintptr_t offset = (uintptr_t)at - (uintptr_t)memory;
  return offset < WALLOC_PAGE_SIZE && offset % SLOT_SIZE == offsetof(reference_slot, word);
}

static bool stops_at(const volatile void *at) { return is_word(at) || at == &slots->ended; }

static explore_swapping faulty_swap(const volatile void *at, uint64_t *desired) {
  if (is_word(at) && chosen == FAULT_WORD_STAYS)
    *desired -= GENERATION_ONE;
  if (is_word(at) && chosen == FAULT_BLIND_END)
    return SWAPS_BLINDLY;
  if (at == &slots->ended && chosen == FAULT_BLIND_PUSH && *desired != 0)
    return SWAPS_BLINDLY;
  return at == &slots->ended && chosen == FAULT_STACK_NOT_TAKEN && *desired == 0 ? SWAPS_NOT
                                                                                 : SWAPS_AS_EVER;
}

/* ---- Running -------------------------------------------------------------------------------- */

/* By one thread: of the page's slots some are free, and the first of all others stand for references. */
static void prepare(void) {
  walloc_error error;
  uint64_t words[WALLOC_PAGE_SIZE / SLOT_SIZE] = {0};
  uint32_t used = SLOTS_IN_PAGE - 1 - current->spare;
  *slots = (free_slots){0};
  now = (observed){.count = BEFORE_MAX};
  for (uint32_t n = 0; n < used; n++) {
    uint32_t slot = walloc_slot_take(&error);
    explore_require(slot != 0, "walloc_slot_take");
    words[n] = walloc_slot_use(slot, page_address(n % 100 + 1));
    page = slot / SLOTS_IN_PAGE;
  }
  memory = page_address(page);
  for (uint32_t n = 0; n < current->ended; n++)
    explore_require(walloc_slot_end(words[BEFORE_MAX + n]), "walloc_slot_end");
  for (uint32_t n = 0; n < BEFORE_MAX; n++)
    now.all[n].word = words[n];
}

/* The number of states; 0 when a promise was broken. */
static uint64_t explore_scenario(const scenario *s, slot_fault fault) {
  walloc_config config = {.maximum = 4 << 20, .reserve = 196608, .share = {1, 1, 1}};
  current = s;
  chosen = FAULT_NONE;
  explore_require(walloc_init(&config) == WALLOC_OK, "walloc_init");
  prepare();
  chosen = fault;
  exploration what = {.threads = threads_of(s),
                      .body = run_program,
                      .ended = end_run,
                      .checks = &now,
                      .checks_size = sizeof now,
                      .checks_state = state_of_checks,
                      .mortal = s->mortal,
                      .fault = fault == FAULT_NONE ? MUTATION_NONE : MUTATIONS_OF_ALL,
                      .stops_at = stops_at,
                      .faulty_swap = faulty_swap,
                      .awaits_all_locks = true,
                      .memory = {{memory, WALLOC_PAGE_SIZE}, {slots, offsetof(free_slots, ended)}}};
  uint64_t states = explore(&what);
  explore_require(walloc_pages_give(page, 1), "walloc_pages_give");
  explore_require(walloc_shutdown() == WALLOC_OK, "walloc_shutdown");
  return states;
}

static uint64_t explore_nth(size_t n, int fault) {
  return explore_scenario(&scenarios[n], (slot_fault)fault);
}

static const char *name_of(size_t n) { return scenarios[n].name; }

static bool is_larger(size_t n) { return scenarios[n].larger; }

int main(int count, char **values) {
  static const explorer e = {SCENARIOS, name_of, is_larger, explore_nth, FAULT_NONE + 1, FAULTS};
  return explore_main(&e, count, values);
}
