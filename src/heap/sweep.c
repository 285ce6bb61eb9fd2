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
 * What a kill leaves behind: the list of one class of one part, leaked. */
#include "heap/sweep.h"

#include "heap/obtain.h"
#include "heap/part.h"
#include "lock/lock.h"

#define WINDOW ((page_index)32768) /* pages: 128 MiB */

/* Guarded by the lock. All 0 between sweeps. */
static struct {
  walloc_lock lock;
  page_index begin;
  uint16_t counts[WINDOW];
} sweep;

/* A class of a part that is being swept. */
typedef struct sweeping {
  heap_part *part;
  uint32_t c, full; /* full: the count of a span that is empty */
} sweeping;

static uint16_t *count_of_span(page_index first) {
  page_index i = first - sweep.begin;
  return i < WINDOW ? &sweep.counts[i] : NULL;
}

static page_index span_of(const sweeping *s, block_offset block) {
  return span_first(s->c, page_of_block(block));
}

/* Pushes a block; where the list is out of room, it is given more. */
static void add_to(block_list *list, const sweeping *s, block_offset block) {
  if (list_room(*list) == 0)
    *list = list_with_room(*list, room_of_class(s->c));
  *list = list_pushed(*list, block);
}

static void merge_pending(const sweeping *s) {
  block_offset *pending = &s->part->pending[s->c];
  while (*pending != 0) {
    block_offset block = *pending;
    *pending = next_list(block);
    for (block_offset below; block != 0; block = below) {
      below = list_first(list_below(block));
      add_to(&s->part->lists[s->c], s, block);
    }
  }
}

static void merge(const sweeping *s) {
  do
    merge_pending(s);
  while (walloc_part_receive(s->part, s->part, s->c));
}

static void count_all(const sweeping *s) {
  block_offset block = list_first(s->part->lists[s->c]);
  for (; block != 0; block = list_first(list_below(block))) {
    uint16_t *counted = count_of_span(span_of(s, block));
    if (counted != NULL)
      ++*counted;
  }
}

#define DROPPED UINT16_MAX /* a span that is in the chain */

/* Of each empty span one block goes into the chain. The other spans' blocks make the new list; their counts
 * are cleared at the first of them, which no other takes for full. */
static block_offset sort(const sweeping *s) {
  block_list kept = 0;
  block_offset chain = 0, block = list_first(s->part->lists[s->c]);
  for (block_offset below; block != 0; block = below) {
    below = list_first(list_below(block));
    uint16_t *counted = count_of_span(span_of(s, block));
    if (counted != NULL && *counted == DROPPED)
      continue;
    if (counted != NULL && *counted == s->full) {
      *counted = DROPPED;
      set_next_list(block, chain);
      chain = block;
      continue;
    }
    if (counted != NULL)
      *counted = 0;
    add_to(&kept, s, block);
  }
  s->part->lists[s->c] = kept;
  return chain;
}

static bool give(const sweeping *s, page_index first, uint32_t spans) {
  heap_part *owner = part_of_mark(page_entry(first));
  page_index pages = span_pages(s->c) * spans;
  if (!walloc_pages_give(first, pages))
    return false;
  atomic_fetch_add_explicit(&owner->pages, 0 - pages, memory_order_relaxed);
  return true;
}

/* Where the provider cannot take the pages now (BUSY), their blocks go back into the list. */
static void give_spans(const sweeping *s, block_offset chain) {
  for (block_offset next; chain != 0; chain = next) {
    next = next_list(chain);
    page_index first = span_of(s, chain);
    *count_of_span(first) = 0;
    if (!give(s, first, 1))
      walloc_part_cut(s->part, s->c, first);
  }
}

static bool give_uncut(const sweeping *s) {
  span_row row = s->part->uncut[s->c];
  s->part->uncut[s->c] = 0;
  if (row == 0 || give(s, span_row_first(row), span_row_count(row)))
    return row != 0;
  s->part->uncut[s->c] = row;
  return false;
}

static bool sweep_class(heap_part *part, uint32_t c) {
  sweeping s = {part, c, span_blocks(c)};
  bool given = give_uncut(&s);
  merge(&s);
  count_all(&s);
  block_offset chain = sort(&s);
  give_spans(&s, chain);
  return given || chain != 0;
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
