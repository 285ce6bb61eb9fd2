/* See sweep.h. For one class of a part:
 *
 *     1. merge   all its lists into one
 *     2. count   free blocks of each span     the list ──► counts[span]
 *     3. sort    blocks of full counts are dropped, one of each such span is kept in a chain;
 *                all others make the new list, and their counts are cleared
 *     4. give    the pages of the spans in the chain
 *
 * The counts are one static table, a window over the pages: in larger heaps each sweep looks at another
 * window. The sweep lock guards it; who finds it taken does without a sweep.
 *
 * What a kill leaves behind: everything that is under way is in `sweep`, which the lock guards, and each step takes
 * a block or a span from one place there and commits it to the next by one store. Between the two it is in hand,
 * and lost: a block in steps 1 and 3, a span in step 4 and where step 3 has found one that is empty. Recovery
 * (walloc_sweep_thread_lost) finishes 1, 3 and 4 from where they stopped, and forgets the counts. */
#include "heap/sweep.h"

#include "heap/obtain.h"
#include "heap/part.h"
#include "lock/lock.h"

#define WINDOW ((page_index)32768) /* pages: 128 MiB */

typedef enum sweep_step { COUNTING, SORTING, GIVING } sweep_step;

/* Guarded by the lock. All 0 between sweeps, but for where they look. */
static struct {
  walloc_lock lock;
  page_index begin;
  heap_part *part; /* whose class c is swept, if anything below is not 0 */
  uint32_t c;
  sweep_step step;      /* written when the step begins; SORTING: the counts are right */
  span_row uncut;       /* is being given, and may be in the part's */
  block_offset merging; /* the rest of a list; the part's pending lists may begin with it */
  block_list kept;      /* sorted: the new list */
  block_offset chain;   /* sorted: of each empty span one block */
  uint16_t counts[WINDOW];
} sweep;

static uint16_t *count_of_span(page_index first) {
  page_index i = first - sweep.begin;
  return i < WINDOW ? &sweep.counts[i] : NULL;
}

static page_index span_of(block_offset block) { return span_first(sweep.c, page_of_block(block)); }

static block_list *swept_list(void) { return &sweep.part->lists[sweep.c]; }

/* Pushes a block; where the list is out of room, it is given more. Each store leaves a good list. */
static void add_to(block_list *list, block_offset block) {
  if (list_room(*list) == 0)
    *list = list_with_room(*list, room_of_class(sweep.c));
  *list = list_pushed(*list, block);
}

static void merge_rest(void) {
  while (sweep.merging != 0) {
    block_offset block = sweep.merging;
    sweep.merging = list_first(list_below(block));
    stores_in_order(); /* killed here: the block is lost */
    add_to(swept_list(), block);
    stores_in_order();
  }
}

static void merge_pending(void) {
  block_offset *pending = &sweep.part->pending[sweep.c];
  while (*pending != 0) {
    sweep.merging = *pending;
    stores_in_order(); /* killed here: recovery finds the list in both, and does the next */
    *pending = next_list(sweep.merging);
    stores_in_order();
    merge_rest();
  }
}

static void merge(void) {
  do
    merge_pending();
  while (walloc_part_receive(sweep.part, sweep.part, sweep.c));
}

/* Killed in here: counts, which recovery clears. */
static void count_all(void) {
  block_offset block = list_first(*swept_list());
  for (; block != 0; block = list_first(list_below(block))) {
    uint16_t *counted = count_of_span(span_of(block));
    if (counted != NULL)
      ++*counted;
  }
}

#define DROPPED UINT16_MAX /* a span that is in the chain */

/* Of each empty span one block goes into the chain. The other spans' blocks make the new list; their counts
 * are cleared at the first of them, which no other takes for full. What is not sorted yet stays the part's list. */
static void sort(void) {
  uint32_t full = span_blocks(sweep.c);
  for (block_offset block; (block = list_first(*swept_list())) != 0;) {
    uint16_t *counted = count_of_span(span_of(block));
    *swept_list() = list_below(block);
    stores_in_order(); /* killed here: the block is lost, if its span is not empty */
    if (counted == NULL || *counted < full) {
      if (counted != NULL)
        *counted = 0;
      add_to(&sweep.kept, block);
    } else if (*counted != DROPPED) {
      *counted = DROPPED;
      stores_in_order(); /* killed here: the span is lost */
      set_next_list(block, sweep.chain);
      sweep.chain = block;
    }
    stores_in_order();
  }
}

/* Killed before the first store: recovery goes on sorting, with nothing left to sort. Before the third: it does
 * the second again. */
static void take_kept(void) {
  sweep.step = GIVING;
  stores_in_order();
  *swept_list() = sweep.kept;
  stores_in_order();
  sweep.kept = 0;
  stores_in_order();
}

static bool give(page_index first, uint32_t spans) {
  heap_part *owner = part_of_mark(page_entry(first));
  page_index pages = span_pages(sweep.c) * spans;
  if (!walloc_pages_give(first, pages))
    return false;
  atomic_fetch_add_explicit(&owner->pages, 0 - pages, memory_order_relaxed);
  return true;
}

/* Killed behind the store: the span is lost, or has been given. The other way round it could be given twice. */
static page_index next_in_chain(void) {
  page_index first = span_of(sweep.chain);
  sweep.chain = next_list(sweep.chain);
  stores_in_order();
  return first;
}

/* Where the provider cannot take the pages now (BUSY), their blocks go back into the list. */
static bool give_spans(void) {
  bool any = sweep.chain != 0;
  while (sweep.chain != 0) {
    page_index first = next_in_chain();
    *count_of_span(first) = 0;
    if (!give(first, 1))
      walloc_part_cut(sweep.part, sweep.c, first);
  }
  return any;
}

/* Killed while `uncut` says which spans: they are the part's as long as their pages are, and recovery gives them
 * back to it. */
static bool give_uncut(void) {
  span_row *row = &sweep.part->uncut[sweep.c];
  sweep.uncut = *row;
  stores_in_order();
  *row = 0;
  bool given = sweep.uncut != 0 && give(span_row_first(sweep.uncut), span_row_count(sweep.uncut));
  if (!given)
    *row = sweep.uncut;
  stores_in_order();
  sweep.uncut = 0;
  return given;
}

static bool sweep_class(heap_part *part, uint32_t c) {
  sweep.part = part;
  sweep.c = c;
  stores_in_order();
  bool given = give_uncut();
  merge();
  count_all();
  stores_in_order();
  sweep.step = SORTING;
  sort();
  take_kept();
  given |= give_spans();
  stores_in_order();
  sweep.step = COUNTING;
  return given;
}

bool walloc_sweep_is_due(const heap_part *part) {
  page_index grown = atomic_load_explicit(&walloc_heap_grown, memory_order_relaxed);
  return grown - part->swept_at >= atomic_load_explicit(&part->pages, memory_order_relaxed) / 8 + 4;
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

/* Under the page lock. A row that is still the part's was not given; one that was half given is all free by now. */
static void mend_uncut(void) {
  if (sweep.uncut == 0)
    return;
  bool is_own = page_entry(span_row_first(sweep.uncut)) == (page_mark)(sweep.part->key + sweep.c);
  sweep.part->uncut[sweep.c] = is_own ? sweep.uncut : 0;
  stores_in_order();
  sweep.uncut = 0;
}

static void mend_merging(void) {
  block_offset *pending = &sweep.part->pending[sweep.c];
  if (sweep.merging != 0 && *pending == sweep.merging)
    *pending = next_list(sweep.merging);
  stores_in_order();
  merge_rest();
}

/* Killed in here: as in what is called. */
static void mend_sorting(void) {
  if (sweep.step == SORTING)
    sort();
  if (sweep.step == SORTING || sweep.kept != 0)
    take_kept();
  while (sweep.chain != 0) {
    page_index first = next_in_chain();
    walloc_pages_give_held(first, span_pages(sweep.c));
  }
}

/* Pages of parts may be counted wrong by those that were just taken or given. */
static void count_pages(uint32_t thread) {
  heap_part *part;
  page_index end = walloc_pages_top();
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL; n++) {
    if (atomic_load_explicit(&part->thread, memory_order_relaxed) != thread)
      continue;
    page_index count = 0;
    for (page_index page = 0; page < end; page++)
      count += page_entry(page) >> PART_SHIFT == part->key >> PART_SHIFT;
    atomic_store_explicit(&part->pages, count, memory_order_relaxed);
  }
}

void walloc_sweep_thread_lost(uint32_t thread) {
  bool mends = walloc_lock_take_over(&sweep.lock, thread);
  if (mends && sweep.part != NULL) {
    mend_uncut();
    mend_merging();
    mend_sorting();
    __builtin_memset(sweep.counts, 0, sizeof sweep.counts);
    stores_in_order();
    sweep.step = COUNTING;
  }
  if (!mends && !walloc_lock_try(&sweep.lock))
    return; /* a sweep goes on: then the numbers stay, which only say how much to take at once */
  count_pages(thread);
  walloc_lock_release(&sweep.lock);
}
