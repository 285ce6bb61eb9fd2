/* The explorer: runs walloc's own code in every possible interleaving of a few threads.
 *
 * The sources are compiled with the atomics of shim/ in place of the compiler's. Threads are coroutines.
 * Each stops before every operation on a word that decides something (a cursor, an entry of a chunk
 * table, a history, a preserved place, a lock of an arena), and the explorer chooses who goes on. Every
 * choice is tried, depth first; then the step is undone (the words it changed, the thread's stack) and
 * another is tried, except from states that were met before.
 *
 *     thread 0:  --o------o-------o--          o: stops here
 *     thread 1:  --o--o-------o--
 *
 * A state is: the words of memory; what the checks remember; and of each thread all that its operations
 * have returned since its current call began, which determines its registers and its stack. States are
 * compared by a 64-bit hash: among ten million, two are confused with a probability of 1 in 300,000.
 *
 * Left out, and why that is sound. Operations on other words do not stop: statistics, which decide
 * nothing, and the page map, which is only touched under the page lock. Leaving a lock does not stop:
 * who waits for it can do nothing in between. Memory is sequentially consistent: where the code asks
 * for less, see the arguments beside it.
 *
 * One real thread. Only for Linux and GNU C: it needs makecontext, setjmp between stacks (so no
 * _FORTIFY_SOURCE, no sanitizers), and a section of its own for what is thread-local:
 * -D_Thread_local=__attribute__((section("explore_tls"))), -D_Atomic= (nothing). */
#ifndef EXPLORE_H
#define EXPLORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPLORE_THREADS_MAX = 3, EXPLORE_NOTES = 4, EXPLORE_REGIONS = 3 };

/* Faults that can be put into the protocol, to see that they are found. */
typedef enum mutation {
  MUTATION_NONE,
  MUTATION_NO_LOOK_AFTER_ADDITION, /* P5: the cursor is not read again after an addition */
  MUTATION_CURSOR_READ_FIRST,      /* P4: the giver reads the cursor before it empties the entry */
  MUTATION_NO_LOOK_AFTER_SWAP,     /* P4: the entry is not read again after a compare-and-swap */
  MUTATION_BLIND_RESET,            /* P2: a reset stores the cursor, whatever it has become */
  MUTATION_LANE_NOT_CHECKED,       /* P1: a lane is used without reading the cursor's generation */
  MUTATION_HISTORY_READ_ONCE,      /* the cursor is not read again after a history */
  MUTATION_TWO_GROW,               /* the growth lock keeps nobody out */
  MUTATION_BLIND_COMPACT, /* P2: every other compare-and-swap of the cursor does, as those of a compact */
  MUTATIONS,
  /* Of pins (frames/pins.h), contexts (context/context.c) and frames (frames/frames.c). */
  MUTATION_NO_LOOK_AFTER_PIN = MUTATIONS, /* P3: `closing` is not read after the pin */
  MUTATION_SCAN_BEFORE_CLOSING,           /* R2 before R1 */
  MUTATION_FIRST_PIN_STANDS_STILL,        /* F2: the first pin does not move the cursor */
  MUTATION_PINNED_READ_FIRST,             /* N2 before N1 */
  MUTATION_BLIND_COUNT,                   /* a count is stored, whatever it has become */
  MUTATION_FRAME_NOT_LOOKED_AT,           /* B3: the frame is not read after the pin */
  MUTATIONS_OF_ALL
} mutation;

/* What a compare-and-swap does in a protocol with a fault: the same as ever; store, whatever is there; store
 * nothing, and say that it has. */
typedef enum explore_swapping { SWAPS_AS_EVER, SWAPS_BLINDLY, SWAPS_NOT } explore_swapping;

typedef struct explore_region {
  void *at;
  size_t size;
} explore_region;

typedef struct exploration {
  unsigned threads;
  void (*body)(unsigned thread);                    /* what a thread does; runs as a coroutine */
  void (*cursor_moved)(uint64_t from, uint64_t to); /* after each move of the arena's cursor */
  void (*ended)(void);                              /* when all threads have ended */
  uint32_t slot;                                    /* of the arena whose cursor is reported */
  void *checks; /* what the checks remember: is saved and restored as bytes */
  size_t checks_size;
  uint64_t (*checks_state)(void); /* its hash */
  bool
      stops_everywhere; /* also before ordered operations on all other words, but whether walloc runs */
  bool mortal;          /* thread 0 may die before any of its steps */
  mutation fault;

  /* For rooms that bring their own words and faults; NULL and 0 for those above. */
  bool (*stops_at)(const volatile void *at);
  bool
      awaits_all_locks; /* stops_at chooses words that are changed under other locks than an arena's */
  uint64_t (*faulty_load)(const volatile void *at, uint64_t value); /* what a load returns */
  explore_swapping (*faulty_swap)(const volatile void *at, uint64_t *desired);
  /* What is changed by ordinary stores: saved and restored, and not part of the state. */
  explore_region memory[EXPLORE_REGIONS];
} exploration;

/* Explores all. The number of states; 0 when a promise was broken. */
uint64_t explore(const exploration *what);

/* Within a body: a point where others may go first; which thread this is. */
void explore_pause(void);
unsigned explore_thread(void);

/* Within a body: goes on when thread 0 has died (true), or has ended. */
bool explore_await_death(void);

/* Within a body: numbers of the running thread's, 0 at first, for the faults. */
uint64_t *explore_notes(void);

/* The number by which walloc_platform_thread knows a thread. */
uint32_t explore_number_of(unsigned thread);

/* Within a body: a call has ended, and its local state is forgotten. */
void explore_call_ended(void);

/* From a body or a callback: a promise was broken. Ends the exploration, and tells the schedule. */
void explore_violation(const char *promise);

uint64_t explore_mix(uint64_t hash, uint64_t value);

/* ---- Programs: driver.c ------------------------------------------------------------------------
 *
 *     PROGRAM             all scenarios; then, that each fault of the protocol is found
 *     PROGRAM NUMBER      with that fault of the protocol: fails when it is found
 *
 * Larger scenarios only with WALLOC_PROVE=1. */
typedef struct explorer {
  size_t scenarios;
  const char *(*name)(size_t scenario);
  bool (*is_larger)(size_t scenario);
  uint64_t (*explore)(size_t scenario, int fault); /* states; 0 when a promise was broken */
  int first_fault, faults_end;
} explorer;

int explore_main(const explorer *e, int count, char **values);

/* Ends the program where its preparation fails. */
void explore_require(bool holds, const char *what);

#endif
