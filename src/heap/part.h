/* A thread's part of the heap: its lists of free blocks, one for each size class.
 *
 *     part ── lists[c] ──► block ──► block        free blocks of its spans
 *       │     pending[c] ► list ► list            lists that came back from other threads
 *       ├──── outbox[..]   lists of others' blocks, not sent yet
 *       └──── incoming[c] ◄── list ◄── list       sent by others: stacks
 *
 *     page map entry of a span = key of its part + class
 *
 * A span belongs to one part. So a free compares the entry with its own key and knows at once that the block is its
 * own, and of which class it is. Blocks of other parts are collected by (part, class) and sent as whole lists. Which part
 * that is says only where a free block goes: any part's lists may hold blocks of any span of the class. A part that
 * takes what was sent to another adopts spans of it (span.c). When a thread ends, its part waits for the next
 * thread as it is; meanwhile whoever is about to grow the memory takes empty spans out of it (sweep.h).
 *
 * The first part is no thread's: blocks with references are in its spans, and nobody adopts them (heap_reference.c).
 *
 * A page for each class of each thread would be much in a small program. So the first few blocks of a class, which may
 * be all there ever are, are taken from scraps: what is left between large blocks, and too small for one. How many
 * is counted for ever, so that it is a few slow calls for each class of a part, and a few blocks, and never more.
 *
 * Everything but `incoming`, `taker` and `thread` is read and written only by the thread whose number is in
 * `thread`. What a kill leaves behind: a list is changed by one store, so at most the block in hand, or
 * the list that is just being sent (4 KiB at most, or one block), or the span that is just being added. Where
 * other lists go from one place to another they are in both for a moment, and never in neither: see mend.c. */
#ifndef WALLOC_HEAP_PART_H
#define WALLOC_HEAP_PART_H

#include <stdalign.h>
#include <stdatomic.h>

#include "heap/classes.h"
#include "heap/list.h"

/* The key is the part's number above 7 bits of class; the numbers below 4 are other owners of pages. */
#define PART_SHIFT 7
#define PARTS_FIRST ((uint32_t)(PAGE_SPAN >> PART_SHIFT))
#define PARTS_END ((uint32_t)508)
#define PARTS (PARTS_END - PARTS_FIRST)
#define NO_PART ((uint32_t)1 << 31) /* a key to which no entry of the page map belongs */
#define PART_APART PARTS_FIRST      /* the number of the first part */
#define NOBODY ((uint32_t)1) /* in its `thread`: no thread's number, so that no other takes it */
#define EAGER_CLASS 27u      /* 4 KiB */
#define OUTBOX 16            /* a power of two */

_Static_assert(CLASSES <= 1 << PART_SHIFT, "a class fits below the part's number");
_Static_assert(PARTS_END << PART_SHIFT <= 1 << 16, "an entry of the page map has 16 bits");
_Static_assert(0 - NO_PART >= CLASSES, "a free knows that it has no part");

typedef struct outgoing {
  block_offset blocks; /* a list */
  page_mark mark;      /* the entry of the pages of all these blocks, when they were freed */
  uint16_t room;       /* blocks until it is sent */
} outgoing;

typedef struct heap_part {
  block_offset lists[CLASSES]; /* free blocks */
  uint32_t key;
  page_index swept_at; /* walloc_heap_grown when it was swept last, or long ago */
  block_offset pending[CLASSES];
  outgoing outbox[OUTBOX];
  uint8_t scraps[CLASSES]; /* blocks that came from scraps */

  /* Stacks of lists. Written by every thread that sends, and by whoever needs blocks and takes all. */
  alignas(64) _Atomic block_offset incoming[CLASSES];
  /* The key of the part that lists are taken for from `incoming` at this moment, 0: none. Written by whoever takes
   * them, and by recovery: see remote.c. */
  _Atomic uint32_t taker;
  /* The thread that has it, 0: none. Written by whoever takes it, and by its owner who leaves it; the first part's once,
   * before it is known. */
  _Atomic uint32_t thread;
} heap_part;

/* The calling thread's part. Two stand for none: the one until the thread needs one, the other when it has
 * ended, and gets none any more. */
extern _Thread_local heap_part *walloc_own_part;
extern heap_part walloc_no_part, walloc_ended_part;

static inline bool is_no_part(const heap_part *part) { return part->key == NO_PART; }

/* Gives the calling thread a part. walloc_no_part when there are none left, or no memory for one. */
heap_part *walloc_part_enter(void);

/* Part number `n`, from 0 to PARTS; NULL when there is none yet, nor any of a higher number. */
heap_part *walloc_part(uint32_t n);

/* The first part; NULL: there is no memory for it. */
heap_part *walloc_part_apart(void);

/* The part that an entry of the page map names. */
static inline heap_part *part_of_mark(page_mark mark) {
  return walloc_part((mark >> PART_SHIFT) - PARTS_FIRST);
}

/* The number that the entries of its pages and people know it by: from PARTS_FIRST. */
static inline uint32_t part_number(const heap_part *part) { return part->key >> PART_SHIFT; }

/* For a while: a part that no thread has. False: some thread has it. */
bool walloc_part_borrow(heap_part *part);
void walloc_part_return(heap_part *part);

/* ---- Spans: span.c, remote.c --------------------------------------------------------------- */

/* The list of class c of this part gets at least one block. False when out of memory. */
bool walloc_part_refill(heap_part *part, uint32_t c);

/* Its first step: the list, which is empty, becomes one of those that others have sent back. False: there is none. */
bool walloc_part_take_sent(heap_part *part, uint32_t c);

/* A block of a span whose pages have this mark, which is not the calling thread's. */
void walloc_part_send(heap_part *own, block_offset block, page_mark mark);

/* Sends what has been collected: when no page is free, and when the thread ends or its loss is told. */
void walloc_part_send_all(heap_part *own);

/* A span of the class, from a page that is a multiple of this, on top of the part's list. OUT_OF_MEMORY, BUSY. */
walloc_error walloc_part_add_span(heap_part *part, uint32_t c, page_index alignment);

/* Cuts a span of the class into blocks on top of the part's list. */
void walloc_part_cut(heap_part *part, uint32_t c, page_index span);

/* What others have sent to a part becomes what another, or the same, has pending; it had nothing. False: nor has
 * it now; also where somebody else is taking at this moment. */
bool walloc_part_receive(heap_part *part, heap_part *from, uint32_t c);

/* The list gets blocks of the class from those who do not need them: what was sent to others who have not looked yet, or
 * a block that is free in a part that no thread has. They serve as well as own ones, and go to where they came from
 * when they are freed. The class has no free block of its own. False: nobody has any. */
bool walloc_part_borrow_blocks(heap_part *part, uint32_t c);

/* Classes of which a few blocks are much memory: their empty spans are looked for before every growth. */
static inline bool class_is_eager(uint32_t c) { return c >= EAGER_CLASS; }

/* For recovery: the thread has died. What it had in two places at once stays in one, and its parts wait for the next
 * thread. Nobody else may be recovering: mend.c. */
void walloc_parts_thread_lost(uint32_t thread);

/* The same for a part that is no thread's own, in which the dead thread was at work. */
void walloc_part_mend(heap_part *part);

#endif
