/* The queue: a ring of cells, each of which names a node that holds a message.
 *
 *                      head                tail                        positions count up for ever;
 *                       v                   v                          position p uses cell p % capacity
 *     cells   | p+8,  - | p+1,n3 | p+2,n0 | p+3,  - | ...              sequence : 32 | what : 32
 *                          │        └───────────────┐
 *     nodes   | n0 | n1 | n2 | n3 | ... | spare |...|                  state, tag, reference
 *
 *     cell    {p, nothing} free for position p   {p, node} published   {p, sealed} the end of a closed queue
 *     node    {life, nobody} free   {life, thread} filled or published by it   {life, thread + 1} taken by it
 *
 *     publish    state: free -> mine      message      cell: {p, nothing} -> {p, node}      tail + 1
 *     poll       state: published -> mine      cell: -> {p + capacity, nothing}      head + 1      message
 *                state: mine -> free
 *
 * Invariants
 *
 *  Q1. A node belongs to one at a time: only a compare-and-swap of its state takes it, from nobody, or out of
 *      a published cell. Its message is written and read only by whom the state names. So each message is
 *      taken once, and nobody sees one that is half written.
 *  Q2. A node is free again only after its cell has moved on. So whoever finds the cell unchanged after he
 *      has read the state has read the state of this publication, not of a later life of the node.
 *  Q3. Each end is never ahead of the cells: all positions before `tail` have been published, all before
 *      `head` taken. They are raised by one, by anybody who has seen that it is so. Hence messages come out in
 *      the order in which they were published, and a cell at an end is at most one turn behind.
 *  Q4. No position is claimed before it is published: a message becomes visible by one compare-and-swap, and
 *      is taken by one. Nobody ever waits for another thread's next step: what the other has begun (a taken
 *      message whose cell has not moved on, an end not raised) is finished by whoever comes next.
 *  Q5. Every node that is neither free nor published names the thread that has it, at every instruction. So
 *      what a dead thread had in hand can be given back: walloc_queue_thread_lost.
 *
 * What wraps. The ends are 64 bits wide. A cell's sequence is the position's lower half: a thread that is
 * stopped between reading a cell and its compare-and-swap for exactly a multiple of 2^32 publications meets
 * the same word in it. If it publishes, the cell is free all the same, and the message is taken in its turn;
 * if it takes a message, the node's life must be what it was too, which counts the times this one node was
 * taken. What is left: it may move on a cell whose message it took 2^32 publications ago, if the same node
 * lies there; that message is lost, its node until recovery. At ten million messages in a second the thread
 * would have to be stopped for seven minutes, to the message.
 *
 * What a kill leaves behind is written beside the stores in queue.c and lifetime.c. */
#ifndef WALLOC_QUEUE_QUEUE_H
#define WALLOC_QUEUE_QUEUE_H

#include <stdalign.h>
#include <stdatomic.h>

#include "pages/map.h"
#include "walloc_queue.h"

typedef uint64_t queue_cell;
typedef uint64_t queue_position;

/* A cell's lower half; above QUEUE_NOTHING: the number of a node, plus 1. */
#define QUEUE_NOTHING ((uint32_t)0)
#define QUEUE_SEALED UINT32_MAX

/* Nodes beyond the capacity, at least: so many messages can be in hands while the queue is full. */
#define QUEUE_SPARE 16

#define QUEUE_NOBODY ((uint32_t)0)
/* Added to the number of a thread, which is even: it has taken the message. */
#define QUEUE_TAKEN ((uint32_t)1)

static inline queue_cell cell_of(queue_position position, uint32_t what) {
  return (queue_cell)(uint32_t)position << 32 | what;
}

static inline uint32_t cell_sequence(queue_cell cell) { return (uint32_t)(cell >> 32); }

static inline uint64_t node_state(uint32_t life, uint32_t thread) {
  return (uint64_t)life << 32 | thread;
}

static inline uint32_t state_life(uint64_t state) { return (uint32_t)(state >> 32); }

static inline uint32_t state_thread(uint64_t state) { return (uint32_t)state; }

typedef struct queue_node {
  _Atomic uint64_t state; /* life : 32 | thread : 32; written by those of Q1 */
  uint32_t tag;
  walloc_ref ref;
} queue_node;

/* Each alone in its cache line: producers and consumers write them all the time. */
typedef struct queue_ends {
  alignas(64) _Atomic queue_position tail; /* raised by all, see Q3 */
  alignas(64) _Atomic queue_position head;
} queue_ends;

/* The event word: | changes : 30 | closed : 1 | somebody may be asleep : 1 |. See wait in queue.c. */
#define QUEUE_SLEEPERS ((uint32_t)1)
#define QUEUE_CLOSED ((uint32_t)2)
#define QUEUE_CHANGE ((uint32_t)4)

/* The holder of a queue's entry in the table: nobody (there is no queue), all (there is), or the thread that
 * is making or ending it. */
#define QUEUE_OF_ALL ((uint32_t)1)

/* Entries are fixed memory: a stale handle meets no queue or another one, never somebody else's data. */
struct walloc_queue {
  alignas(64) _Atomic uint32_t holder; /* written by who makes and ends it */
  _Atomic uint32_t serial; /* of its handle: another, and odd, in each life; by its maker */
  _Atomic uint32_t event;  /* written by sleepers, wakers, close */

  /* Written by who makes it, before there is a queue. */
  uint32_t mask;  /* capacity - 1 */
  uint32_t nodes; /* their number */
  bool latest;
  page_index first_page, pages;
  queue_ends *ends;
  _Atomic queue_cell *cells;
  queue_node *node;
};

extern walloc_queue walloc_queues[WALLOC_QUEUES_MAX];

/* OK when it may be used, else the error to return. Acquire: pairs with the release in make, lifetime.c. */
walloc_error walloc_queue_check(const walloc_queue *queue);

/* The same as walloc_queue_create with another first position: for tests of what wraps. */
walloc_queue *walloc_queue_create_at(const walloc_queue_config *config, queue_position first);

/* Announces a sleeper: the value of the event word to sleep on, if the queue is still empty after this
 * call. Who is woken, or has looked for QUEUE_SLICE, looks again. */
uint32_t walloc_queue_arm(walloc_queue *queue);

/* What a sleeper sleeps at most before it looks again, in nanoseconds: whoever should have woken it may have
 * been killed between publishing and waking. */
#define QUEUE_SLICE ((uint64_t)250000000)

/* Changes the event word, with QUEUE_CLOSED or 0, and wakes all. */
void walloc_queue_wake(walloc_queue *queue, uint32_t closed);

/* Gives back what a thread had in hand when it died, in all queues: nodes it was filling or reading, entries
 * of the table that it was making or ending, sleepers it had not woken. What it has published stays. Death
 * must be certain, and no living thread may have its number yet. Under the page lock, so that queues that others
 * destroy keep their pages until then. Cost: a look at each node, and at each cell for those that the thread had. */
void walloc_queue_thread_lost(uint32_t thread);

/* Ends all queues. Alone, at walloc_shutdown. BUSY: some may be left. */
walloc_error walloc_queues_end(void);

#endif
