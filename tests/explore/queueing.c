/* Every interleaving of two or three threads that publish, take, sleep and close; and of those of which one
 * dies at any of its steps: walloc's own code, see explore.h.
 *
 *     queueing             all scenarios; then, that each fault of the protocol is found
 *     queueing NUMBER      with that fault (below): fails when it is found
 *
 * What must hold after every step of every interleaving:
 *
 *   - a message is taken once, whole, after its publishing has begun, and in order: of two messages of which
 *     one was published before the publishing of the other began, that one is taken first;
 *   - EMPTY, FULL and CLOSED were right at some moment of the call; nothing is taken after the end was told;
 *   - nobody sleeps for ever, and nobody is stopped by a dead thread;
 *   - when all have ended, every node is free or published, also after the recovery of a dead thread, which
 *     has lost one message at most. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

#include "queue/queue.h"

enum { CALLS_MAX = 4, MESSAGES = 16, BEFORE_MAX = 4 };

/* ---- Faults --------------------------------------------------------------------------------- */

typedef enum queue_fault {
  FAULT_NONE,
  FAULT_NO_SECOND_LOOK,     /* Q2: the cell is not read again after the state */
  FAULT_BLIND_CLAIM,        /* Q1: a message is taken, whatever its state has become */
  FAULT_BLIND_PUBLISH,      /* a cell is written, whatever it has become */
  FAULT_CELL_NOT_MOVED_ON,  /* Q2: the node is given back with its cell as it was */
  FAULT_TAIL_RAISED_TWICE,  /* Q3: an end is raised beyond what was published */
  FAULT_WORD_NOT_CHANGED,   /* a publisher clears the sleepers' bit, and that is all */
  FAULT_LOOKS_FIRST,        /* a publisher looks for sleepers before it publishes */
  FAULT_NOT_SEALED,         /* the end is told before the cell is sealed */
  FAULT_RECOVERS_PUBLISHED, /* recovery does not look whether a node is published */
  FAULT_BLIND_REPLACE,      /* the latest is replaced, whether or not somebody has taken it */
  FAULTS
} queue_fault;

/* ---- Scenarios ------------------------------------------------------------------------------ */

typedef enum call_kind { END, PUBLISH, POLL, WAIT, CLOSE, RECOVER } call_kind;

typedef struct scenario {
  const char *name;
  bool larger; /* only where all is to be proven */
  uint32_t capacity;
  bool latest, mortal;
  uint32_t before; /* messages that are in it */
  call_kind program[EXPLORE_THREADS_MAX][CALLS_MAX];
} scenario;

/* Small ones first: those with a fault end at the first that finds it. All begin shortly before the sequence
 * numbers wrap. */
static const scenario scenarios[] = {
    {"two take the last message", .capacity = 2, .before = 1, .program = {{POLL}, {POLL}}},
    {"two publish to the last cell", .capacity = 1, .program = {{PUBLISH}, {PUBLISH}}},
    {"one publishes, one takes", .capacity = 2,
     .program = {{PUBLISH, PUBLISH}, {POLL, POLL, POLL}}},
    {"one sleeps", .capacity = 2, .program = {{PUBLISH}, {WAIT}}},
    {"one sleeps twice", .capacity = 2, .program = {{PUBLISH, PUBLISH}, {WAIT, WAIT}}},
    {"one publishes and closes, one sleeps", .capacity = 1,
     .program = {{PUBLISH, CLOSE}, {WAIT, WAIT}}},
    {"one closes", .capacity = 2, .program = {{PUBLISH, PUBLISH}, {CLOSE}, {POLL, POLL}}},
    {"one closes, two sleep", .capacity = 1, .program = {{CLOSE}, {WAIT}, {WAIT}}},
    {"one publishes, two take", .capacity = 2, .before = 1, .program = {{PUBLISH}, {POLL}, {POLL}}},
    {"one dies while it closes", .capacity = 1, .mortal = true,
     .program = {{CLOSE}, {WAIT}, {RECOVER, CLOSE}}},
    {"one dies while it publishes", .capacity = 2, .mortal = true,
     .program = {{PUBLISH}, {PUBLISH, POLL, RECOVER, POLL}}},
    {"one publishes and takes round a ring of one", .capacity = 1, .before = 1,
     .program = {{POLL, PUBLISH, POLL}, {PUBLISH, POLL}}},
    {"one dies while it takes", .capacity = 1, .mortal = true, .before = 1,
     .program = {{POLL}, {POLL, PUBLISH, RECOVER, PUBLISH}}},
    {"two publish, one takes", .capacity = 2, .program = {{PUBLISH}, {PUBLISH}, {POLL, POLL}}},
    {"the latest is replaced and taken", .capacity = 1, .latest = true, .before = 1,
     .program = {{PUBLISH, PUBLISH}, {POLL, POLL}}},
    {"one dies while it wakes", .capacity = 1, .mortal = true,
     .program = {{PUBLISH}, {WAIT}, {RECOVER, CLOSE}}},
    {"the latest is replaced", .capacity = 1, .latest = true, .before = 1,
     .program = {{PUBLISH}, {PUBLISH}}},
    {"two publish while one makes room", .capacity = 2, .before = 2,
     .program = {{PUBLISH}, {PUBLISH}, {POLL, POLL}}},
    {"one dies after it has published", .capacity = 2, .mortal = true,
     .program = {{PUBLISH, PUBLISH}, {POLL}, {RECOVER, PUBLISH, POLL}}},
    {"two take while one publishes again", .capacity = 1, .before = 1,
     .program = {{POLL}, {POLL, POLL}, {PUBLISH}}},
    {"the latest is replaced by two and taken", .capacity = 1, .latest = true,
     .program = {{PUBLISH}, {PUBLISH}, {POLL}}},
    {"two sleep", .capacity = 2, .program = {{PUBLISH, PUBLISH}, {WAIT}, {WAIT}}},
    {"one closes, another takes the end", .capacity = 1, .before = 1,
     .program = {{PUBLISH}, {CLOSE}, {POLL, POLL}}},
    {"two wake one", .capacity = 2, .program = {{PUBLISH}, {PUBLISH}, {WAIT}}},
    {"one dies while it takes, two go on", .capacity = 2, .mortal = true, .before = 2,
     .program = {{POLL}, {POLL}, {PUBLISH, RECOVER}}},
    {"one dies while it replaces the latest", .capacity = 1, .latest = true, .mortal = true,
     .before = 1, .program = {{PUBLISH}, {PUBLISH, RECOVER, POLL}}},
    {"two publish and take, a third takes", .larger = true, .capacity = 2,
     .program = {{PUBLISH, PUBLISH}, {PUBLISH, POLL}, {POLL, POLL}}},
    {"two publish round a ring of one, a third takes", .larger = true, .capacity = 1,
     .program = {{PUBLISH, POLL}, {PUBLISH, PUBLISH}, {POLL, POLL}}},
    {"two sleep, one publishes and closes", .larger = true, .capacity = 1,
     .program = {{PUBLISH, CLOSE}, {WAIT, WAIT}, {WAIT}}},
    {"the latest is replaced by two and taken twice", .larger = true, .capacity = 1, .latest = true,
     .before = 1, .program = {{PUBLISH, PUBLISH}, {PUBLISH}, {POLL, POLL}}},
    {"one dies while it publishes, two go on", .larger = true, .capacity = 1, .mortal = true,
     .before = 1, .program = {{POLL, PUBLISH}, {PUBLISH, POLL}, {RECOVER, PUBLISH, POLL}}},
    {"one dies while it replaces the latest, two go on", .larger = true, .capacity = 1,
     .latest = true, .mortal = true, .before = 1,
     .program = {{PUBLISH}, {POLL}, {RECOVER, PUBLISH, POLL}}},
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---- What the checks remember --------------------------------------------------------------- */

/* Sets of messages: bit n is message n. */
typedef uint32_t messages;

/* Of each thread: its current call, and how things were when it began. */
typedef struct caller {
  uint32_t kind, next; /* next: the number of the message that it publishes next */
  messages waiting, taken;
  uint32_t was_closed, was_told;
} caller;

typedef struct observed {
  messages begun, published, refused, taken;
  messages older[MESSAGES]; /* published before this one's publishing began */
  uint32_t closing, closed; /* a close has begun, has returned */
  uint32_t told;            /* somebody knows of the end */
  uint32_t recovered;
  caller callers[EXPLORE_THREADS_MAX];
} observed;

static const scenario *current;
static walloc_queue *queue;
static walloc_ref refs[MESSAGES];
static observed now;
static queue_fault chosen;

static uint32_t size_of(messages set) { return (uint32_t)__builtin_popcount(set); }

static bool takes(const caller *c) {
  return c->kind == POLL || c->kind == WAIT || (c->kind == PUBLISH && current->latest);
}

/* Others who may have taken messages of which the checks do not know yet; a dead one for good. */
static uint32_t others_taking(const caller *own) {
  uint32_t count = 0;
  for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++)
    count += &now.callers[i] != own && takes(&now.callers[i]);
  return count;
}

/* ---- The promises --------------------------------------------------------------------------- */

static void check_order(uint32_t n, const caller *own) {
  for (uint32_t i = 0; i < MESSAGES; i++) {
    if ((own->taken >> i & 1) != 0 && (now.older[i] >> n & 1) != 0)
      explore_violation("a message was taken before an older one");
  }
  if (!current->latest && size_of(now.older[n] & ~now.taken) > others_taking(own))
    explore_violation("a message was passed over");
}

static void note_taken(const walloc_ref *ref, uint32_t n, const caller *own) {
  if (n >= MESSAGES || (now.begun >> n & 1) == 0 || (now.refused >> n & 1) != 0) {
    explore_violation("a message was taken that nobody has published");
    return;
  }
  if (memcmp(ref, &refs[n], sizeof *ref) != 0)
    explore_violation("a message was taken that is not whole");
  if ((now.taken >> n & 1) != 0)
    explore_violation("a message was taken twice");
  if (own->was_told != 0)
    explore_violation("a message was taken after the end");
  check_order(n, own);
  now.taken |= 1u << n;
}

/* Empty, or at its end: what was published before the call began has been taken. */
static void check_nothing_left(const caller *own) {
  if (!current->latest && size_of(own->waiting & ~now.taken) > others_taking(own))
    explore_violation("the queue was said to be empty, and was not");
}

static void take(call_kind kind, const caller *own) {
  walloc_ref ref;
  uint32_t n = 0;
  walloc_error error = kind == POLL ? walloc_queue_poll(queue, &ref, &n)
                                    : walloc_queue_wait(queue, &ref, &n, WALLOC_FOREVER);
  if (error == WALLOC_OK)
    note_taken(&ref, n, own);
  else
    check_nothing_left(own);
  if (error == WALLOC_ERROR_CLOSED)
    now.told = 1;
  if ((error == WALLOC_ERROR_CLOSED) > now.closing || (error == WALLOC_ERROR_EMPTY && kind == WAIT))
    explore_violation("a queue was said to be what it was not");
}

static void check_refusal(walloc_error error, const caller *own) {
  uint32_t most = size_of(now.begun & ~now.refused) - size_of(own->taken);
  if (error == WALLOC_ERROR_FULL && (current->latest || most < current->capacity))
    explore_violation("the queue was said to be full, and was not");
  if (error == WALLOC_ERROR_CLOSED && now.closing == 0)
    explore_violation("the queue was said to be closed, and was not");
}

static void publish(caller *own) {
  uint32_t n = own->next++;
  now.older[n] = now.published;
  now.begun |= 1u << n;
  walloc_error error = walloc_queue_publish(queue, refs[n], n);
  if (error == WALLOC_OK && own->was_closed != 0)
    explore_violation("a closed queue has taken a message");
  if (error == WALLOC_OK) {
    now.published |= 1u << n;
    return;
  }
  now.begun &= ~(1u << n); /* it must not be counted as in the queue below */
  check_refusal(error, own);
  now.begun |= 1u << n;
  now.refused |= 1u << n;
}

static void close_queue(void) {
  now.closing = 1;
  if (walloc_queue_close(queue) != WALLOC_OK)
    explore_violation("the queue cannot be closed");
  now.closed = 1;
}

static void carry_out(call_kind kind, caller *own) {
  if (kind == PUBLISH)
    publish(own);
  else if (kind == CLOSE)
    close_queue();
  else if (kind != RECOVER)
    take(kind, own);
  else if (explore_await_death()) {
    walloc_queue_thread_lost(explore_number_of(0));
    now.recovered = 1;
  }
}

static void run_program(unsigned thread) {
  caller *own = &now.callers[thread];
  for (size_t i = 0; i < CALLS_MAX && current->program[thread][i] != END; i++) {
    own->kind = current->program[thread][i];
    own->waiting = now.published & ~now.taken;
    own->taken = now.taken;
    own->was_closed = now.closed;
    own->was_told = now.told;
    carry_out(current->program[thread][i], own);
    *own = (caller){.kind = END, .next = own->next};
    explore_call_ended();
  }
}

/* ---- When all have ended --------------------------------------------------------------------- */

static bool is_in_a_cell(uint32_t n) {
  for (uint32_t i = 0; i <= queue->mask; i++) {
    if ((uint32_t)queue->cells[i] == n + 1)
      return true;
  }
  return false;
}

/* Nodes in cells. */
static uint32_t check_nodes(bool all_are_back) {
  uint32_t in_cells = 0;
  for (uint32_t n = 0; n < queue->nodes; n++) {
    uint32_t thread = state_thread(queue->node[n].state);
    bool is_in_cell = is_in_a_cell(n);
    if (is_in_cell && thread == QUEUE_NOBODY)
      explore_violation("a published node is free");
    if (!is_in_cell && thread != QUEUE_NOBODY && all_are_back)
      explore_violation("a node is lost");
    in_cells += is_in_cell && (thread & QUEUE_TAKEN) == 0;
  }
  return in_cells;
}

static void end_run(void) {
  call_kind unfinished = (call_kind)now.callers[0].kind;
  uint32_t in_cells = check_nodes(unfinished == END || now.recovered != 0);
  if (current->latest) {
    if (in_cells > current->capacity)
      explore_violation("there is more in the queue than fits");
    return;
  }
  uint32_t found = in_cells + size_of(now.taken), least = size_of(now.published);
  if (found < least - (unfinished == POLL) || found > least + (unfinished == PUBLISH))
    explore_violation("a message was lost");
  if (now.told != 0 && in_cells != 0)
    explore_violation("something is left behind the end");
}

/* Messages are written by ordinary stores; which message a node holds is part of the state. */
static uint64_t state_of_checks(void) {
  uint32_t numbers[sizeof now / sizeof(uint32_t)];
  uint64_t state = 0;
  memcpy(numbers, &now, sizeof now);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    state = explore_mix(state, numbers[i]);
  for (uint32_t n = 0; n < queue->nodes; n++) {
    if (state_thread(queue->node[n].state) != QUEUE_NOBODY)
      state = explore_mix(state, (uint64_t)n << 32 | queue->node[n].tag);
  }
  return state;
}

/* ---- Words and faults ------------------------------------------------------------------------- */

static bool is_in(const volatile void *at, const volatile void *begin, size_t size) {
  return (uintptr_t)at - (uintptr_t)begin < size;
}

static bool is_cell(const volatile void *at) {
  return is_in(at, queue->cells, (queue->mask + 1) * sizeof(queue_cell));
}

static bool is_state(const volatile void *at) {
  return is_in(at, queue->node, queue->nodes * sizeof(queue_node));
}

static bool stops_at(const volatile void *at) {
  return is_in(at, queue->ends, queue->pages * WALLOC_PAGE_SIZE) || at == &queue->event;
}

static call_kind running_call(void) { return (call_kind)now.callers[explore_thread()].kind; }

/* Of a thread: the cell it has read last, and whether a state after it; the event word it read first. */
enum { NOTE_CELL, NOTE_STATE_READ, NOTE_EVENT, NOTE_EVENT_READ };

static uint64_t faulty_cell(uint64_t value) {
  uint64_t *note = explore_notes();
  call_kind kind = running_call();
  bool is_second = note[NOTE_STATE_READ] != 0 && kind != PUBLISH;
  note[NOTE_STATE_READ] = 0;
  if (chosen == FAULT_NO_SECOND_LOOK && is_second)
    return note[NOTE_CELL];
  if (chosen == FAULT_RECOVERS_PUBLISHED && kind == RECOVER)
    return value & ~(uint64_t)UINT32_MAX;
  if (chosen == FAULT_NOT_SEALED && (kind == POLL || kind == WAIT) &&
      (queue->event & QUEUE_CLOSED) != 0 && (uint32_t)value == QUEUE_NOTHING)
    return value | QUEUE_SEALED;
  return note[NOTE_CELL] = value;
}

static uint64_t faulty_load(const volatile void *at, uint64_t value) {
  uint64_t *note = explore_notes();
  if (is_cell(at))
    return faulty_cell(value);
  if (is_state(at))
    note[NOTE_STATE_READ] = 1;
  if (at != &queue->event)
    return value;
  if (chosen == FAULT_LOOKS_FIRST && note[NOTE_EVENT_READ] != 0 && running_call() == PUBLISH)
    return note[NOTE_EVENT];
  note[NOTE_EVENT_READ] = 1;
  return note[NOTE_EVENT] = value;
}

static explore_swapping faulty_swap(const volatile void *at, uint64_t *desired) {
  bool is_claim = is_state(at) && (*desired & QUEUE_TAKEN) != 0;
  bool replaces = current->latest && running_call() == PUBLISH;
  if (is_claim && (chosen == FAULT_BLIND_CLAIM || (chosen == FAULT_BLIND_REPLACE && replaces)))
    return SWAPS_BLINDLY;
  if (chosen == FAULT_BLIND_PUBLISH && is_cell(at) && (uint32_t)*desired != QUEUE_NOTHING)
    return SWAPS_BLINDLY;
  if (chosen == FAULT_CELL_NOT_MOVED_ON && is_cell(at) && (uint32_t)*desired == QUEUE_NOTHING)
    return SWAPS_NOT;
  if (chosen == FAULT_TAIL_RAISED_TWICE && at == &queue->ends->tail)
    ++*desired;
  if (chosen == FAULT_WORD_NOT_CHANGED && at == &queue->event)
    *desired -= QUEUE_CHANGE;
  return SWAPS_AS_EVER;
}

/* ---- Running -------------------------------------------------------------------------------- */

/* By one thread, which nobody interrupts. A thread that may not sleep is told so. */
static void prepare(void) {
  walloc_config config = {.maximum = 4 << 20, .reserve = 196608, .share = {1, 1, 1}};
  walloc_queue_config queue_config = {current->capacity, current->latest};
  explore_require(walloc_init(&config) == WALLOC_OK, "walloc_init");
  queue = walloc_queue_create_at(&queue_config, ((queue_position)1 << 32) - 2);
  explore_require(queue != NULL, "walloc_queue_create_at");
  walloc_ref ref;
  explore_require(walloc_queue_wait(queue, &ref, NULL, WALLOC_FOREVER) == WALLOC_ERROR_BUSY,
                  "a thread that may not sleep");
  now = (observed){.begun = 0};
  for (uint32_t n = 0; n < MESSAGES; n++)
    refs[n] = walloc_alloc_ref(walloc_tier(WALLOC_ENTITY), 8);
  for (uint32_t n = 0; n < current->before; n++) {
    explore_require(walloc_queue_publish(queue, refs[n], n) == WALLOC_OK, "walloc_queue_publish");
    now.older[n] = now.published;
    now.begun = now.published |= 1u << n;
  }
  for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++)
    now.callers[i].next = BEFORE_MAX + i * CALLS_MAX;
}

static unsigned threads_of(const scenario *s) {
  unsigned count = 0;
  while (count < EXPLORE_THREADS_MAX && s->program[count][0] != END)
    count++;
  return count;
}

/* The number of states; 0 when a promise was broken. */
static uint64_t explore_scenario(const scenario *s, queue_fault fault) {
  current = s;
  chosen = FAULT_NONE;
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
                      .faulty_load = faulty_load,
                      .faulty_swap = faulty_swap,
                      .memory = {{queue->ends, queue->pages * WALLOC_PAGE_SIZE}}};
  uint64_t states = explore(&what);
  explore_require(walloc_shutdown() == WALLOC_OK, "walloc_shutdown");
  return states;
}

static uint64_t explore_nth(size_t n, int fault) {
  return explore_scenario(&scenarios[n], (queue_fault)fault);
}

static const char *name_of(size_t n) { return scenarios[n].name; }

static bool is_larger(size_t n) { return scenarios[n].larger; }

int main(int count, char **values) {
  static const explorer e = {SCENARIOS, name_of, is_larger, explore_nth, FAULT_NONE + 1, FAULTS};
  return explore_main(&e, count, values);
}
