/* See sweep.h. For one class of a part:
 *
 *     1. merge   all its lists into one       pending ──► list
 *     2. count   free blocks of each span     the list ──► counts[span]
 *                where no count is full, they are taken back, and that was it
 *     3. sort    blocks of full counts are dropped, one of each such span is put into a chain;
 *                all others are pending again, as one list, and their counts are cleared
 *     4. give    the pages of the spans in the chain
 *
 * The counts are one static table, a window over the pages: in larger heaps each sweep looks at another
 * window. The sweep lock guards it; who finds it taken does without a sweep.
 *
 * What a kill leaves behind: each step takes a block or a span from one place and commits it to the next by one
 * store. Between the two it is in hand, and lost: a block in steps 1 and 3, a span in step 4 and where step 3 has
 * found one that is empty. As long as the chain is empty no block was dropped, and all lists are good as they are;
 * else recovery (walloc_sweep_thread_lost) finishes steps 3 and 4, for which chain and counts are static. Then it
 * forgets the counts. */
#include "heap/sweep.h"

#include "heap/obtain.h"
#include "heap/part.h"
#include "lock/lock.h"

#define WINDOW ((page_index)32768) /* pages: 128 MiB */

/* Guarded by the lock. All 0 between sweeps, but for where they look, and whose class was the last. */
static struct {
  walloc_lock lock;
  page_index begin;
  heap_part *part; /* whose class c is swept, where there is a chain */
  uint32_t c;
  /* span_alignment(c) and span_blocks(c), which are divisions: once, not for each block. */
  uint32_t alignment, full;
  block_offset chain; /* of each empty span one block */
  uint16_t counts[WINDOW];
} sweep;

/* The first page of a block's span. */
static inline page_index span_of(block_offset block) {
  page_index page = page_of_block(block);
  return sweep.alignment == 1 ? page : page - page % sweep.alignment;
}

/* The count of a block's span. NULL: it is outside of the window. */
static inline uint16_t *count_of(block_offset block) {
  page_index i = span_of(block) - sweep.begin;
  return i < WINDOW ? &sweep.counts[i] : NULL;
}

/* The first block of the first list goes, and the one below it, if there is one, becomes the first of that list. */
static void merge_pending(heap_part *part, uint32_t c) {
  block_offset *pending = &part->pending[c];
  for (block_offset block; (block = *pending) != 0;) {
    block_offset below = list_below(block), next = next_list(block);
    if (below != 0)
      set_next_list(below, next);
    stores_in_order();
    *pending = below != 0 ? below : next;
    stores_in_order(); /* killed here: the block is lost */
    part->lists[c] = list_pushed(part->lists[c], block);
    stores_in_order();
  }
}

static void merge(heap_part *part, uint32_t c) {
  do
    merge_pending(part, c);
  while (walloc_part_receive(part, part, c));
}

/* Counts each free block, or with -1 takes that back. True: a span has come to be full of them. Killed in here: counts,
 * which recovery clears. */
static bool count_all(heap_part *part, uint32_t c, int step) {
  bool any = false;
  for (block_offset block = part->lists[c]; block != 0; block = list_below(block)) {
    uint16_t *counted = count_of(block);
    if (counted == NULL)
      continue;
    *counted = (uint16_t)(*counted + step);
    any |= *counted == sweep.full;
  }
  return any;
}

#define DROPPED UINT16_MAX /* a span that is in the chain */

/* Of each empty span one block goes into the chain. The other spans' blocks are pending, where they are the only
 * list; their counts are cleared at the first of them, which no other takes for full. */
static void sort(heap_part *part, uint32_t c) {
  block_offset *list = &part->lists[c], *pending = &part->pending[c], below;
  for (block_offset block = *list; block != 0; block = below) {
    uint16_t *counted = count_of(block);
    below = list_below(block);
    *list = below;
    stores_in_order(); /* killed here: the block is lost, if its span is not empty */
    if (counted == NULL || *counted < sweep.full) {
      if (counted != NULL)
        *counted = 0;
      block_offset kept = list_pushed(*pending, block);
      set_next_list(block, 0);
      stores_in_order();
      *pending = kept;
    } else if (*counted != DROPPED) {
      *counted = DROPPED;
      stores_in_order(); /* killed here: the span is lost, or if the chain is empty, the block */
      set_next_list(block, sweep.chain);
      stores_in_order();
      sweep.chain = block;
    }
    stores_in_order();
  }
}

/* Killed behind the store: the span is lost, or has been given. The other way round it could be given twice. */
static page_index next_in_chain(void) {
  block_offset block = sweep.chain;
  sweep.chain = next_list(block);
  *count_of(block) = 0;
  stores_in_order();
  return span_of(block);
}

/* Where the provider cannot take the pages now (BUSY), their blocks go back into the list. */
static bool give_spans(heap_part *part, uint32_t c) {
  bool any = false;
  for (; sweep.chain != 0; any = true) {
    page_index first = next_in_chain();
    if (!walloc_pages_give(first, span_pages(c)))
      walloc_part_cut(part, c, first);
  }
  return any;
}

static bool sweep_class(heap_part *part, uint32_t c) {
  sweep.part = part;
  sweep.c = c;
  sweep.alignment = span_alignment(c);
  sweep.full = span_blocks(c);
  stores_in_order();
  merge(part, c);
  if (!count_all(part, c, 1)) {
    (void)count_all(part, c, -1);
    return false;
  }
  stores_in_order();
  sort(part, c);
  return give_spans(part, c);
}

bool walloc_sweep_is_due(const heap_part *part) {
  page_index grown = atomic_load_explicit(&walloc_heap_grown, memory_order_relaxed);
  return grown - part->swept_at >= walloc_pages_of_heap() / 8 + 4;
}

#define LONG_AGO ((page_index)1 << 31)

void walloc_sweep_soon(heap_part *part) {
  part->swept_at = atomic_load_explicit(&walloc_heap_grown, memory_order_relaxed) - LONG_AGO;
}

/* Under the lock. */
static bool sweep_part(heap_part *part, bool forced) {
  bool given = false;
  uint32_t c = EAGER_CLASS;
  if (forced || walloc_sweep_is_due(part)) {
    c = 0;
    part->swept_at = atomic_load_explicit(&walloc_heap_grown, memory_order_relaxed);
    atomic_fetch_add_explicit(&walloc_heap_sweeps, 1, memory_order_relaxed);
  }
  for (; c < CLASSES; c++)
    given |= sweep_class(part, c);
  return given;
}

/* The next sweep looks at the next window of a heap that is larger than one. */
static void move_window(void) {
  page_index end = walloc_platform_end_page();
  sweep.begin = sweep.begin + WINDOW < end ? sweep.begin + WINDOW : 0;
}

bool walloc_sweep(heap_part *own, bool idle_too, bool forced) {
  bool given = false;
  heap_part *part;
  if (!walloc_lock_try(&sweep.lock))
    return false;
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL; n++) {
    bool borrowed = idle_too && walloc_part_borrow(part);
    if (borrowed || part == own)
      given |= sweep_part(part, forced);
    if (borrowed)
      walloc_part_return(part);
  }
  move_window();
  walloc_lock_release(&sweep.lock);
  return given;
}

/* ---- When a thread has died ------------------------------------------------------------------ */

/* Under the page lock. Killed in here: as in what is called. Where all was sorted already there is nothing in the
 * list, or what could not be given, whose counts are clear. */
static void mend(void) {
  if (sweep.chain != 0)
    sort(sweep.part, sweep.c);
  while (sweep.chain != 0)
    walloc_pages_give_held(next_in_chain(), span_pages(sweep.c));
  __builtin_memset(sweep.counts, 0, sizeof sweep.counts);
}

void walloc_sweep_thread_lost(uint32_t thread) {
  if (!walloc_lock_take_over(&sweep.lock, thread))
    return;
  if (sweep.part != NULL)
    mend();
  walloc_lock_release(&sweep.lock);
}
