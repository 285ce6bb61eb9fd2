/* Publishing and taking. See queue.h for the picture and the invariants.
 *
 * Orderings. The publishing swap of a cell releases what its thread has written, the load of the cell acquires
 * it. Giving a node back releases the reading of its message, taking a node acquires it. The ends are raised
 * by release and read by acquire: who sees an end sees the cells before it as whoever raised it did (Q3).
 *
 * Nobody sleeps for ever. A sleeper first sets the bit QUEUE_SLEEPERS, then looks at the queue, then sleeps
 * as long as the event word is what it was with the bit; a publisher first swaps the cell, then looks for the
 * bit. All four are sequentially consistent: either the sleeper finds the message, or the publisher the bit.
 * Then the publisher changes the word and wakes all: a sleeper that was not asleep yet finds the word changed.
 * The bit is cleared with the change, and whoever finds nothing sets it again before it sleeps. All are
 * woken, not one: the one could be killed before it takes the message, and nobody else would come.
 *
 * A thread killed between its swap and the wake leaves sleepers behind who do not know of its message: they
 * look again after QUEUE_SLICE, or when the thread's loss is told. */
#include "queue/queue.h"

#define NO_NODE UINT32_MAX

static _Atomic queue_cell *cell_at(walloc_queue *queue, queue_position position) {
  return &queue->cells[(uint32_t)position & queue->mask];
}

/* Acquire: pairs with the release in raise. */
static queue_position end_of(_Atomic queue_position *end) {
  return atomic_load_explicit(end, memory_order_acquire);
}

/* From `seen`, whose cell the caller has seen done with. Release: pairs with end_of. Where it fails,
 * somebody else has raised it. */
static void raise(_Atomic queue_position *end, queue_position seen) {
  atomic_compare_exchange_strong_explicit(end, &seen, seen + 1, memory_order_release,
                                          memory_order_relaxed);
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* Acquire: pairs with give_node, so that the message may be overwritten. */
static bool take_node(queue_node *node, uint32_t thread) {
  uint64_t state = atomic_load_explicit(&node->state, memory_order_relaxed);
  return state_thread(state) == QUEUE_NOBODY &&
         atomic_compare_exchange_strong_explicit(&node->state, &state,
                                                 node_state(state_life(state) + 1, thread),
                                                 memory_order_acquire, memory_order_relaxed);
}

/* Each position has a node of its own, which is free unless its last user still has it or was killed. Then
 * the spare ones, from the last, and then all others. */
static uint32_t find_node(walloc_queue *queue, uint32_t thread) {
  uint32_t own = (uint32_t)end_of(&queue->ends->tail) & queue->mask;
  if (take_node(&queue->node[own], thread))
    return own;
  for (uint32_t n = queue->nodes; n-- > 0;)
    if (take_node(&queue->node[n], thread))
      return n;
  return NO_NODE;
}

/* By the thread that has it. Release: pairs with take_node; and with the load of the state in take_message, so that
 * who reads this state finds the node's last cell moved on (Q2). */
static void give_node(queue_node *node) {
  uint64_t state = atomic_load_explicit(&node->state, memory_order_relaxed);
  atomic_store_explicit(&node->state, node_state(state_life(state), QUEUE_NOBODY),
                        memory_order_release);
}

/* ---- Publishing ------------------------------------------------------------------------------ */

/* Into the cell at the tail. A cell that is not free there is a full turn behind (the queue is full), sealed,
 * or published by somebody who has not raised the tail yet. Where the swap fails it must be looked at again:
 * the cell may have been sealed, and then the tail stays.
 *
 * Sequentially consistent: the publisher's half of the argument above; as release it publishes. */
static walloc_error put(walloc_queue *queue, uint32_t n) {
  for (;;) {
    queue_position at = end_of(&queue->ends->tail);
    _Atomic queue_cell *cell = cell_at(queue, at);
    queue_cell seen = atomic_load_explicit(cell, memory_order_acquire);
    if (cell_sequence(seen) == (uint32_t)(at - queue->mask - 1))
      return WALLOC_ERROR_FULL;
    if (seen == cell_of(at, QUEUE_SEALED))
      return WALLOC_ERROR_CLOSED;
    bool is_free = seen == cell_of(at, QUEUE_NOTHING);
    if (is_free && !atomic_compare_exchange_strong_explicit(
                       cell, &seen, cell_of(at, n + 1), memory_order_seq_cst, memory_order_relaxed))
      continue;
    /* Killed here: the message is published, the next comer raises the tail. */
    raise(&queue->ends->tail, at);
    if (is_free)
      return WALLOC_OK;
  }
}

static uint32_t claim(walloc_queue *queue, uint32_t thread, walloc_error *error);

/* A queue of the latest throws its oldest message away as often as it must. */
static walloc_error put_or_replace(walloc_queue *queue, uint32_t n, uint32_t thread) {
  walloc_error error = put(queue, n), unused;
  while (error == WALLOC_ERROR_FULL && queue->latest) {
    uint32_t oldest = claim(queue, thread, &unused);
    if (oldest != NO_NODE)
      give_node(&queue->node[oldest]);
    error = put(queue, n);
  }
  return error;
}

/* Sequentially consistent: as release it pairs with event_of, for those who find the queue closed. */
void walloc_queue_wake(walloc_queue *queue, uint32_t closed) {
  uint32_t seen = atomic_load_explicit(&queue->event, memory_order_relaxed), next;
  do {
    next = ((seen + QUEUE_CHANGE) & ~QUEUE_SLEEPERS) | closed;
  } while (!atomic_compare_exchange_weak_explicit(&queue->event, &seen, next, memory_order_seq_cst,
                                                  memory_order_relaxed));
  /* Killed here: as between swap and wake, above. */
  walloc_platform_wake_all(&queue->event);
}

/* Sequentially consistent: the publisher's other half; as acquire it pairs with walloc_queue_wake. */
static uint32_t event_of(walloc_queue *queue) {
  return atomic_load_explicit(&queue->event, memory_order_seq_cst);
}

/* Killed before find_node or after its load: nothing has happened. After its swap, and until put has swapped
 * the cell: the node is lost until recovery. After that: see put; sleepers look again after a while. */
walloc_error walloc_queue_publish(walloc_queue *queue, walloc_ref ref, uint32_t tag) {
  walloc_error error = walloc_queue_check(queue);
  if (error != WALLOC_OK)
    return error;
  if ((event_of(queue) & QUEUE_CLOSED) != 0)
    return WALLOC_ERROR_CLOSED;
  if (!walloc_ref_valid(ref))
    return WALLOC_ERROR_STALE;
  uint32_t thread = walloc_platform_thread(), n = find_node(queue, thread);
  if (n == NO_NODE)
    return WALLOC_ERROR_FULL;
  queue->node[n].tag = tag;
  queue->node[n].ref = ref;
  error = put_or_replace(queue, n, thread);
  if (error != WALLOC_OK)
    give_node(&queue->node[n]);
  else if ((event_of(queue) & QUEUE_SLEEPERS) != 0)
    walloc_queue_wake(queue, 0);
  return error;
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* True when the message of the cell at the head is now this thread's; its cell has moved on in any case.
 *
 * The state's load is acquire, and pairs with give_node: if it is of a later life, the cell has changed (Q2).
 * The swaps are relaxed: the message came with the cell, and a free cell carries nothing. */
static bool take_message(walloc_queue *queue, queue_position at, queue_cell seen, uint32_t thread) {
  _Atomic queue_cell *cell = cell_at(queue, at);
  queue_node *node = &queue->node[(uint32_t)seen - 1];
  uint64_t state = atomic_load_explicit(&node->state, memory_order_acquire);
  if (atomic_load_explicit(cell, memory_order_acquire) != seen)
    return false;
  bool is_mine = (state_thread(state) & QUEUE_TAKEN) == 0 &&
                 atomic_compare_exchange_strong_explicit(
                     &node->state, &state, node_state(state_life(state), thread + QUEUE_TAKEN),
                     memory_order_relaxed, memory_order_relaxed);
  /* Killed here: the message is lost, and the node until recovery; the next comer moves the cell on. */
  atomic_compare_exchange_strong_explicit(cell, &seen, cell_of(at + queue->mask + 1, QUEUE_NOTHING),
                                          memory_order_relaxed, memory_order_relaxed);
  return is_mine;
}

/* The end of a closed queue is sealed before anybody is told of it, so that no publisher who has not seen yet
 * that it is closed comes later. Relaxed: a seal carries nothing. */
static bool is_at_its_end(walloc_queue *queue, queue_position at) {
  if ((event_of(queue) & QUEUE_CLOSED) == 0)
    return false;
  queue_cell nothing = cell_of(at, QUEUE_NOTHING);
  atomic_compare_exchange_strong_explicit(cell_at(queue, at), &nothing, cell_of(at, QUEUE_SEALED),
                                          memory_order_relaxed, memory_order_relaxed);
  return true;
}

/* The oldest message's node, which is now this thread's; NO_NODE: EMPTY or CLOSED. The load of the cell is
 * sequentially consistent: the sleeper's half of the argument above; as acquire it pairs with put. */
static uint32_t claim(walloc_queue *queue, uint32_t thread, walloc_error *error) {
  for (;;) {
    queue_position at = end_of(&queue->ends->head);
    queue_cell seen = atomic_load_explicit(cell_at(queue, at), memory_order_seq_cst);
    *error = seen == cell_of(at, QUEUE_SEALED) ? WALLOC_ERROR_CLOSED : WALLOC_ERROR_EMPTY;
    if (*error == WALLOC_ERROR_CLOSED)
      return NO_NODE;
    if (seen == cell_of(at, QUEUE_NOTHING)) {
      if (!is_at_its_end(queue, at))
        return NO_NODE;
      continue; /* sealed, or somebody was just in time */
    }
    bool is_mine = cell_sequence(seen) == (uint32_t)at && take_message(queue, at, seen, thread);
    raise(&queue->ends->head, at);
    if (is_mine)
      return (uint32_t)seen - 1;
  }
}

/* Killed before claim's swap of the state: nothing has happened. After it, until the node is given back: the
 * message is lost, and the node until recovery. */
walloc_error walloc_queue_poll(walloc_queue *queue, walloc_ref *ref, uint32_t *tag) {
  walloc_error error = walloc_queue_check(queue);
  if (error != WALLOC_OK)
    return error;
  uint32_t n = claim(queue, walloc_platform_thread(), &error);
  if (n == NO_NODE)
    return error;
  *ref = queue->node[n].ref;
  if (tag != NULL)
    *tag = queue->node[n].tag;
  give_node(&queue->node[n]);
  return walloc_ref_valid(*ref) ? WALLOC_OK : WALLOC_ERROR_STALE;
}

/* Sequentially consistent: the sleeper's other half. */
uint32_t walloc_queue_arm(walloc_queue *queue) {
  return atomic_fetch_or_explicit(&queue->event, QUEUE_SLEEPERS, memory_order_seq_cst) |
         QUEUE_SLEEPERS;
}

/* A message can have been taken before the tail was raised for it. */
size_t walloc_queue_count(walloc_queue *queue) {
  if (walloc_queue_check(queue) != WALLOC_OK)
    return 0;
  queue_position head = end_of(&queue->ends->head), tail = end_of(&queue->ends->tail);
  uint64_t count = tail > head ? tail - head : 0, capacity = (uint64_t)queue->mask + 1;
  return (size_t)(count < capacity ? count : capacity);
}

/* The word changes with the bit, so nobody falls asleep behind it. */
walloc_error walloc_queue_close(walloc_queue *queue) {
  walloc_error error = walloc_queue_check(queue);
  if (error == WALLOC_OK && (event_of(queue) & QUEUE_CLOSED) == 0)
    walloc_queue_wake(queue, QUEUE_CLOSED);
  return error;
}
