/* The table of queues: making and ending them, and giving back what dead threads had in hand.
 *
 *     entry:  nobody ──CAS──► its maker ──store──► all ──CAS──► who ends it ──store──► nobody
 *     pages:  | ends | cells | nodes ... |    as many spare nodes as the last page has room for
 *
 * There is no lock: an entry is taken by a compare-and-swap that names the thread, so that what a dead one was
 * making or ending is found. Queues may be made and ended by any thread; walloc_queues_end is called alone. */
#include "error/error.h"
#include "pages/pages.h"
#include "queue/queue.h"
#include "state/state.h"

#define DEFAULT_CAPACITY ((size_t)64)

walloc_queue walloc_queues[WALLOC_QUEUES_MAX];

static uint32_t holder_of(const walloc_queue *queue) {
  return atomic_load_explicit(&queue->holder, memory_order_acquire);
}

/* Release: pairs with holder_of: who finds a queue finds its fields; and with hold. */
static void leave_to(walloc_queue *queue, uint32_t next) {
  atomic_store_explicit(&queue->holder, next, memory_order_release);
}

/* Acquire: pairs with leave_to. */
static bool hold(walloc_queue *queue, uint32_t from) {
  return atomic_compare_exchange_strong_explicit(&queue->holder, &from, walloc_platform_thread(),
                                                 memory_order_acquire, memory_order_relaxed);
}

walloc_error walloc_queue_check(const walloc_queue *queue) {
  uintptr_t offset = (uintptr_t)queue - (uintptr_t)walloc_queues;
  if (!state_is_running())
    return WALLOC_ERROR_NOT_INITIALIZED;
  if (offset >= sizeof walloc_queues || offset % sizeof *queue != 0 ||
      holder_of(queue) != QUEUE_OF_ALL)
    return WALLOC_ERROR_HANDLE;
  return WALLOC_OK;
}

/* ---- Making ---------------------------------------------------------------------------------- */

/* A power of two; 0 when it is out of range. */
static uint32_t capacity_of(const walloc_queue_config *config) {
  size_t wanted = config->capacity;
  if (wanted == 0)
    wanted = config->latest ? 1 : DEFAULT_CAPACITY;
  if (wanted > WALLOC_QUEUE_CAPACITY_MAX)
    return 0;
  uint32_t capacity = 1;
  while (capacity < wanted)
    capacity *= 2;
  return capacity;
}

/* Zeros are free nodes. Relaxed: nobody else looks at them before there is a queue. */
static void fill(walloc_queue *queue, queue_position first) {
  __builtin_memset((void *)queue->ends, 0, queue->pages * WALLOC_PAGE_SIZE);
  for (uint32_t i = 0; i <= queue->mask; i++) {
    queue_position position = first + i;
    atomic_store_explicit(&queue->cells[(uint32_t)position & queue->mask],
                          cell_of(position, QUEUE_NOTHING), memory_order_relaxed);
  }
  atomic_store_explicit(&queue->ends->tail, first, memory_order_relaxed);
  atomic_store_explicit(&queue->ends->head, first, memory_order_relaxed);
}

/* Relaxed: the event word goes on from the life before, whose sleepers may just be waking up. */
static void begin_life(walloc_queue *queue) {
  uint32_t event = atomic_load_explicit(&queue->event, memory_order_relaxed) + QUEUE_CHANGE;
  atomic_store_explicit(&queue->event, event & ~(QUEUE_SLEEPERS | QUEUE_CLOSED),
                        memory_order_relaxed);
  uint32_t serial = atomic_load_explicit(&queue->serial, memory_order_relaxed);
  atomic_store_explicit(&queue->serial, (serial + 2) | 1, memory_order_relaxed);
}

/* Killed before `pages` is written: a run of pages of nobody's. After it and before leave_to: recovery gives
 * pages and entry back. */
static walloc_error make(walloc_queue *queue, uint32_t capacity, queue_position first) {
  uint64_t ahead = sizeof(queue_ends) + (uint64_t)capacity * sizeof(queue_cell);
  page_index pages = pages_holding(ahead + (capacity + QUEUE_SPARE) * sizeof(queue_node));
  page_run run;
  walloc_error error = walloc_pages_take(pages, 1, PAGE_OWN, true, &run);
  if (error != WALLOC_OK)
    return error;
  queue->first_page = run.first;
  queue->pages = pages;
  char *memory = page_address(run.first);
  queue->mask = capacity - 1;
  queue->nodes = (uint32_t)((pages * WALLOC_PAGE_SIZE - ahead) / sizeof(queue_node));
  queue->ends = (queue_ends *)(void *)memory;
  queue->cells = (_Atomic queue_cell *)(void *)(memory + sizeof(queue_ends));
  queue->node = (queue_node *)(void *)(memory + ahead);
  fill(queue, first);
  begin_life(queue);
  return WALLOC_OK;
}

walloc_queue *walloc_queue_create_at(const walloc_queue_config *config, queue_position first) {
  uint32_t capacity = capacity_of(config), slot = 0;
  if (!state_is_running())
    return walloc_fail(WALLOC_ERROR_NOT_INITIALIZED);
  if (capacity == 0)
    return walloc_fail(WALLOC_ERROR_CONFIG);
  while (slot < WALLOC_QUEUES_MAX && !hold(&walloc_queues[slot], QUEUE_NOBODY))
    slot++;
  if (slot == WALLOC_QUEUES_MAX)
    return walloc_fail(WALLOC_ERROR_LIMIT);
  walloc_queue *queue = &walloc_queues[slot];
  queue->latest = config->latest;
  walloc_error error = make(queue, capacity, first);
  leave_to(queue, error == WALLOC_OK ? QUEUE_OF_ALL : QUEUE_NOBODY);
  return error == WALLOC_OK ? queue : walloc_fail(error);
}

walloc_queue *walloc_queue_create(const walloc_queue_config *config) {
  static const walloc_queue_config defaults;
  return walloc_queue_create_at(config == NULL ? &defaults : config, 0);
}

/* ---- Ending ---------------------------------------------------------------------------------- */

/* Of an entry that the thread holds. Killed after `pages` is cleared: a run of pages of nobody's; never one that is
 * given back twice. */
static bool give_pages(walloc_queue *queue) {
  page_index pages = queue->pages;
  queue->pages = 0;
  if (pages == 0 || walloc_pages_give(queue->first_page, pages))
    return true;
  queue->pages = pages;
  return false;
}

/* Killed before leave_to: recovery gives the entry back. */
walloc_error walloc_queue_destroy(walloc_queue *queue) {
  walloc_error error = walloc_queue_check(queue);
  if (error != WALLOC_OK)
    return error;
  if (!hold(queue, QUEUE_OF_ALL))
    return WALLOC_ERROR_HANDLE;
  if (!give_pages(queue)) {
    leave_to(queue, QUEUE_OF_ALL);
    return WALLOC_ERROR_BUSY;
  }
  walloc_queue_wake(queue, QUEUE_CLOSED);
  leave_to(queue, QUEUE_NOBODY);
  return WALLOC_OK;
}

walloc_error walloc_queues_end(void) {
  walloc_error error = WALLOC_OK;
  for (uint32_t slot = 0; slot < WALLOC_QUEUES_MAX && error == WALLOC_OK; slot++)
    if (holder_of(&walloc_queues[slot]) == QUEUE_OF_ALL)
      error = walloc_queue_destroy(&walloc_queues[slot]);
  return error;
}

/* ---- Threads that have died ------------------------------------------------------------------- */

/* The cell that names a node, most likely that of the positions whose own it is; NULL when there is none. A
 * published node stays in its cell until its state changes, so a cell that is not found was not there. */
static _Atomic queue_cell *cell_naming(walloc_queue *queue, uint32_t n, queue_cell *seen) {
  for (uint32_t i = 0; i <= queue->mask; i++) {
    _Atomic queue_cell *cell = &queue->cells[(n + i) & queue->mask];
    *seen = atomic_load_explicit(cell, memory_order_acquire);
    if ((uint32_t)*seen == n + 1)
      return cell;
  }
  return NULL;
}

/* A node that the dead thread had filled and published is the queue's; one that it had taken has its cell moved
 * on first, as ever (Q2). Killed in between: the next who is told of the loss finds the node as it is.
 *
 * Acquire and release: in the place of the dead thread's own, see give_node. */
static void recover_node(walloc_queue *queue, uint32_t n, uint32_t thread) {
  queue_node *node = &queue->node[n];
  uint64_t state = atomic_load_explicit(&node->state, memory_order_acquire);
  if ((state_thread(state) & ~QUEUE_TAKEN) != thread)
    return;
  queue_cell seen;
  _Atomic queue_cell *cell = cell_naming(queue, n, &seen);
  if (cell != NULL && (state & QUEUE_TAKEN) == 0)
    return;
  if (cell != NULL)
    atomic_compare_exchange_strong_explicit(
        cell, &seen, cell_of((queue_position)cell_sequence(seen) + queue->mask + 1, QUEUE_NOTHING),
        memory_order_relaxed, memory_order_relaxed);
  atomic_compare_exchange_strong_explicit(&node->state, &state,
                                          node_state(state_life(state), QUEUE_NOBODY),
                                          memory_order_release, memory_order_relaxed);
}

/* Under the page lock: killed as in give_pages. */
static void end_held_by_dead(walloc_queue *queue) {
  page_index pages = queue->pages;
  queue->pages = 0;
  if (pages != 0)
    walloc_pages_give_held(queue->first_page, pages);
  leave_to(queue, QUEUE_NOBODY);
}

/* Who destroys a queue meanwhile has named himself in it, or waits for the page lock before its pages go. */
void walloc_queue_thread_lost(uint32_t thread) {
  for (uint32_t slot = 0; slot < WALLOC_QUEUES_MAX; slot++) {
    walloc_queue *queue = &walloc_queues[slot];
    uint32_t holder = holder_of(queue);
    if (holder == thread)
      end_held_by_dead(queue);
    if (holder != QUEUE_OF_ALL)
      continue;
    for (uint32_t n = 0; n < queue->nodes; n++)
      recover_node(queue, n, thread);
    walloc_queue_wake(queue, 0);
  }
}
