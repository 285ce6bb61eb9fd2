/* See sweep.h. For one class of a part:
 *
 *     1. merge   all its lists into one
 *     2. count   free blocks of each span     the list and the uncut rest ──► counts[span]
 *     3. sort    blocks of full counts are dropped, one of each such span is kept in a chain;
 *                all others make the new list
 *     4. clear   the counts that were used
 *     5. give    the pages of the spans in the chain
 *
 * The counts are one static table, a window over the pages: in larger heaps each sweep looks at another
 * window. The sweep lock guards it; who finds it taken does without a sweep.
 *
 * What a kill leaves behind: the list of one class of one part, leaked. */
#include "heap/sweep.h"

#include "heap/obtain.h"
#include "heap/part.h"
#include "lock/lock.h"

#define WINDOW ((page_index)8192) /* pages: 128 MiB */

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
  bool found;       /* such a span */
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

static void merge(const sweeping *s) {
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

static void count(sweeping *s, block_offset block, uint32_t blocks) {
  uint16_t *counted = count_of_span(span_of(s, block));
  if (counted == NULL)
    return;
  *counted = (uint16_t)(*counted + blocks);
  s->found |= *counted == s->full;
}

static void count_all(sweeping *s) {
  const uncut *rest = &s->part->uncut[s->c];
  count(s, rest->next, (rest->end - rest->next) / class_size(s->c));
  block_offset block = list_first(s->part->lists[s->c]);
  for (; block != 0; block = list_first(list_below(block)))
    count(s, block, 1);
}

#define DROPPED UINT16_MAX /* a span that is in the chain */

/* Blocks that stay make the new list; of each empty span one block goes into the chain. */
static block_offset sort(const sweeping *s) {
  block_list kept = 0;
  block_offset chain = 0, block = list_first(s->part->lists[s->c]);
  for (block_offset below; block != 0; block = below) {
    below = list_first(list_below(block));
    uint16_t *counted = count_of_span(span_of(s, block));
    if (counted != NULL && *counted == s->full) {
      *counted = DROPPED;
      set_next_list(block, chain);
      chain = block;
    } else if (counted == NULL || *counted != DROPPED) {
      add_to(&kept, s, block);
    }
  }
  s->part->lists[s->c] = kept;
  return chain;
}

static void clear_count(const sweeping *s, block_offset block) {
  uint16_t *counted = count_of_span(span_of(s, block));
  if (counted != NULL)
    *counted = 0;
}

static void clear_counts(const sweeping *s) {
  block_offset block = list_first(s->part->lists[s->c]);
  clear_count(s, s->part->uncut[s->c].next);
  for (; block != 0; block = list_first(list_below(block)))
    clear_count(s, block);
}

/* A span whose rest is still to be cut is that no longer. Where the provider cannot take the pages now
 * (BUSY), they become the span to be cut. */
static void give_span(const sweeping *s, page_index first) {
  page_index pages = span_pages(s->c);
  uncut *rest = &s->part->uncut[s->c];
  if (rest->next != rest->end && span_of(s, rest->next) == first)
    *rest = (uncut){0, 0};
  if (walloc_pages_give(first, pages)) {
    s->part->pages -= pages;
  } else if (rest->next == rest->end) {
    block_offset start = first * (block_offset)WALLOC_PAGE_SIZE;
    *rest = (uncut){start, start + s->full * class_size(s->c)};
  }
}

static void give_spans(const sweeping *s, block_offset chain) {
  for (block_offset next; chain != 0; chain = next) {
    next = next_list(chain);
    clear_count(s, chain);
    give_span(s, span_of(s, chain));
  }
}

static bool sweep_class(heap_part *part, uint32_t c) {
  sweeping s = {part, c, span_blocks(c), false};
  merge(&s);
  if (list_first(part->lists[c]) == 0)
    return false;
  count_all(&s);
  block_offset chain = s.found ? sort(&s) : 0;
  clear_counts(&s);
  give_spans(&s, chain);
  return chain != 0;
}

/* Under the lock. */
static bool sweep_part(heap_part *part) {
  bool given = false;
  part->swept_at = atomic_load_explicit(&walloc_heap_grown, memory_order_relaxed);
  walloc_part_receive(part);
  for (uint32_t c = 0; c < CLASSES; c++)
    given |= sweep_class(part, c);
  atomic_fetch_add_explicit(&walloc_heap_sweeps, 1, memory_order_relaxed);
  return given;
}

bool walloc_sweep_is_due(const heap_part *part) {
  page_index grown = atomic_load_explicit(&walloc_heap_grown, memory_order_relaxed);
  return grown - part->swept_at >= part->pages / 8 + 4;
}

/* The next sweep looks at the next window of a heap that is larger than one. */
static void move_window(void) {
  page_index end = (page_index)(walloc_platform_end() / WALLOC_PAGE_SIZE);
  sweep.begin = sweep.begin + WINDOW < end ? sweep.begin + WINDOW : 0;
}

static bool sweep_idle_parts(bool even_if_not_due) {
  bool given = false;
  heap_part *part;
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL; n++) {
    if (!walloc_part_borrow(part))
      continue;
    if (even_if_not_due || walloc_sweep_is_due(part))
      given |= sweep_part(part);
    walloc_part_return(part);
  }
  return given;
}

bool walloc_sweep(heap_part *own, bool idle_too, bool even_if_not_due) {
  bool given = false;
  if (!walloc_lock_try(&sweep.lock))
    return false;
  if (!is_no_part(own) && (even_if_not_due || walloc_sweep_is_due(own)))
    given = sweep_part(own);
  if (idle_too)
    given |= sweep_idle_parts(even_if_not_due);
  move_window();
  walloc_lock_release(&sweep.lock);
  return given;
}
