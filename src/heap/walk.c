/* Walking the heap: every live block and every free range, by ascending address. Alone: no other call on
 * the heap at the same time, since other threads' lists are read.
 *
 * Small blocks do not say themselves whether they are free. So a bit for each 16 bytes of the address
 * space between the lowest and the highest page of the heap is set for those in any list, and then the
 * spans are read off:
 *
 *     bits:  | 0 1 1 0 ... | page | page | ...       32 bytes for each page
 */
#include "heap/large.h"
#include "heap/obtain.h"
#include "heap/part.h"
#include "pages/pages.h"

#define UNIT ((uint32_t)16)
#define UNITS_IN_PAGE ((uint32_t)WALLOC_PAGE_SIZE / UNIT)
#define PAGE ((uint32_t)WALLOC_PAGE_SIZE)

typedef struct walk {
  walloc_heap_visitor *visitor;
  void *user;
  page_index begin, end;
  uint8_t *bits;
  walloc_heap_range pending; /* a free range that may go on */
  bool stopped;
} walk;

/* ---- Which small blocks are free ------------------------------------------------------------ */

static void mark(const walk *w, block_offset block) {
  uint32_t unit = block / UNIT - w->begin * UNITS_IN_PAGE;
  w->bits[unit / 8] |= (uint8_t)(1u << unit % 8);
}

static bool is_marked(const walk *w, block_offset block) {
  uint32_t unit = block / UNIT - w->begin * UNITS_IN_PAGE;
  return (w->bits[unit / 8] >> unit % 8 & 1) != 0;
}

static void mark_list(const walk *w, block_offset block) {
  for (; block != 0; block = list_below(block))
    mark(w, block);
}

static void mark_lists(const walk *w, block_offset list) {
  for (; list != 0; list = next_list(list))
    mark_list(w, list);
}

static void mark_part(const walk *w, heap_part *part) {
  for (uint32_t i = 0; i < OUTBOX; i++)
    mark_list(w, part->outbox[i].blocks);
  for (uint32_t c = 0; c < CLASSES; c++) {
    mark_list(w, part->lists[c]);
    mark_lists(w, part->pending[c]);
    mark_lists(w, atomic_load_explicit(&part->incoming[c], memory_order_acquire));
  }
}

/* ---- Telling -------------------------------------------------------------------------------- */

static void tell_free(walk *w) {
  if (w->pending.size != 0 && !w->stopped)
    w->stopped = !w->visitor(&w->pending, w->user);
  w->pending.size = 0;
}

/* Free neighbours of the same owner are one range. */
static void found(walk *w, block_offset start, uint32_t size, bool live, uint32_t part) {
  char *address = block_address(start);
  if (w->pending.size != 0 &&
      (live || w->pending.part != part || (char *)w->pending.address + w->pending.size != address))
    tell_free(w);
  if (w->stopped)
    return;
  if (live) {
    walloc_heap_range range = {address, walloc_usable_size(address), true, part};
    w->stopped = !w->visitor(&range, w->user);
  } else if (w->pending.size != 0) {
    w->pending.size += size;
  } else {
    w->pending = (walloc_heap_range){address, size, false, part};
  }
}

static page_index walk_span(walk *w, page_index page, page_mark entry) {
  uint32_t c = entry % (1 << PART_SHIFT), part = entry >> PART_SHIFT, size = class_size(c);
  block_offset start = page * PAGE, end = start + span_blocks(c) * size;
  for (block_offset block = start; block != end && !w->stopped; block += size)
    found(w, block, size, !is_marked(w, block), part);
  return span_pages(c);
}

static page_index walk_region(walk *w, page_index page) {
  tag *t = tag_at(page * PAGE);
  for (; !tag_is_end(t) && !w->stopped; t = tag_after(t))
    found(w, tag_offset(t) + TAG_SIZE, tag_size(t) - TAG_SIZE, tag_is_used(t), 0);
  tell_free(w);
  page_index count = 1;
  while (page_run_goes_on(page + count - 1))
    count++;
  return count;
}

static page_index walk_huge(walk *w, page_index page) {
  page_index count = 1;
  while (page_run_goes_on(page + count - 1))
    count++;
  found(w, page * PAGE, count * PAGE, true, 0);
  return count;
}

static void walk_pages(walk *w) {
  for (page_index page = w->begin, count; page < w->end && !w->stopped; page += count) {
    page_mark entry = page_entry(page);
    count = 1;
    if (entry >= PAGE_SPAN)
      count = walk_span(w, page, entry);
    else if (page_mark_is_large(entry))
      count = walk_region(w, page);
    else if (entry == PAGE_HUGE)
      count = walk_huge(w, page);
  }
  tell_free(w);
}

/* ---- The walk ------------------------------------------------------------------------------- */

static void find_bounds(walk *w) {
  page_index top = walloc_pages_top();
  w->begin = top;
  w->end = 0;
  for (page_index page = 0; page < top; page++) {
    if (!page_mark_is_heap(page_entry(page)))
      continue;
    if (page < w->begin)
      w->begin = page;
    w->end = page + 1;
  }
}

walloc_error walloc_heap_walk(walloc_heap_visitor *visitor, void *user) {
  walk w = {.visitor = visitor, .user = user};
  page_run run;
  heap_part *part;
  find_bounds(&w);
  if (w.end == 0)
    return WALLOC_OK;
  page_index pages = pages_holding((uint64_t)(w.end - w.begin) * UNITS_IN_PAGE / 8);
  walloc_error error = walloc_heap_take(pages, 1, PAGE_OWN, &run);
  if (error != WALLOC_OK)
    return error;
  w.bits = (uint8_t *)page_address(run.first);
  __builtin_memset(w.bits, 0, (size_t)pages * PAGE);
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL; n++)
    mark_part(&w, part);
  walk_pages(&w);
  (void)walloc_pages_give(run.first, pages);
  return WALLOC_OK;
}
