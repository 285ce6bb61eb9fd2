/* Where a part's lists get their blocks from when they are empty. By the part's own thread.
 *
 *     what others have sent back  ─►  what others do not need  ─►  a new span
 *
 * One span at a time, though a program with many blocks takes the page lock more often for it: a page that is
 * alone between others is free memory too, and rows of spans would pass it by. */
#include "heap/obtain.h"
#include "heap/part.h"

/* Killed between the stores: the list is in both. */
static bool take_pending(heap_part *part, uint32_t c) {
  block_offset first = part->pending[c];
  if (first == 0)
    return false;
  block_offset next = next_list(first);
  part->lists[c] = first;
  stores_in_order();
  part->pending[c] = next;
  return true;
}

/* From the last to the first, so that they are handed out by ascending address. */
void walloc_part_cut(heap_part *part, uint32_t c, page_index span) {
  uint32_t size = class_size(c), begin = span * (uint32_t)WALLOC_PAGE_SIZE;
  block_offset list = part->lists[c];
  for (block_offset block = begin + span_blocks(c) * size; block != begin;) {
    block -= size;
    list = list_pushed(list, block);
  }
  part->lists[c] = list;
}

/* Killed before the last store, in the cut: the span is lost; it is in no list, and keeps the part's mark. */
walloc_error walloc_part_add_span(heap_part *part, uint32_t c, page_index alignment) {
  page_index pages = span_pages(c);
  page_run run;
  walloc_error error = walloc_heap_take(pages, alignment, (page_mark)(part->key + c), &run);
  if (error != WALLOC_OK)
    return error;
  atomic_fetch_add_explicit(&part->pages, pages, memory_order_relaxed);
  walloc_part_cut(part, c, run.first);
  return WALLOC_OK;
}

/* A sweep on the way to a new span may have found blocks of this class: they lie below the new ones. */
bool walloc_part_refill(heap_part *part, uint32_t c) {
  if (take_pending(part, c))
    return true;
  if (walloc_part_receive(part, part, c))
    return take_pending(part, c);
  if (walloc_part_borrow_blocks(part, c))
    return part->lists[c] != 0 || take_pending(part, c);
  return walloc_part_add_span(part, c, span_alignment(c)) == WALLOC_OK;
}
