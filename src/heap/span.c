/* Where a part's lists get their blocks from when they are empty. By the part's own thread.
 *
 *     what others have sent back  ─►  the uncut rest of its newest span  ─►  a new span */
#include "heap/obtain.h"
#include "heap/part.h"

/* A part that has many pages takes several spans at a time, one behind the other. */
#define PAGES_AT_ONCE_PART 256 /* of those that it has */
#define PAGES_AT_ONCE ((page_index)16)

/* Killed between the stores: the list is in both. */
static bool take_pending(heap_part *part, uint32_t c) {
  block_offset first = part->pending[c];
  if (first == 0)
    return false;
  block_offset next = next_list(first);
  part->lists[c] = list_with_room(first, room_of_class(c));
  stores_in_order();
  part->pending[c] = next;
  return true;
}

/* From the last to the first, so that they are handed out by ascending address. */
void walloc_part_cut(heap_part *part, uint32_t c, page_index span) {
  uint32_t size = class_size(c), begin = span * (uint32_t)WALLOC_PAGE_SIZE;
  block_list list = list_with_room(part->lists[c], room_of_class(c) + span_blocks(c));
  for (block_offset block = begin + span_blocks(c) * size; block != begin;) {
    block -= size;
    list = list_pushed(list, block);
  }
  part->lists[c] = list;
}

/* Killed between the stores: the span's blocks are on top of the list, and the span is still among the uncut. */
static bool cut_next(heap_part *part, uint32_t c) {
  span_row row = part->uncut[c];
  if (row == 0)
    return false;
  walloc_part_cut(part, c, span_row_first(row));
  stores_in_order();
  part->uncut[c] = span_row_behind_first(row, c);
  return true;
}

static uint32_t spans_at_once(const heap_part *part, uint32_t c) {
  page_index pages = atomic_load_explicit(&part->pages, memory_order_relaxed) / PAGES_AT_ONCE_PART;
  if (pages > PAGES_AT_ONCE)
    pages = PAGES_AT_ONCE;
  return pages < 2 * span_pages(c) || class_is_eager(c) ? 1 : pages / span_pages(c);
}

/* Killed before the last store: the spans are lost, 64 KiB at most; they are in no list, and keep the part's mark. */
static bool add_spans(heap_part *part, uint32_t c, uint32_t count) {
  page_index pages = span_pages(c);
  page_run run;
  if (walloc_heap_take(pages * count, pages, (page_mark)(part->key + c), &run) != WALLOC_OK)
    return false;
  atomic_fetch_add_explicit(&part->pages, pages * count, memory_order_relaxed);
  part->uncut[c] = span_row_of(run.first, count);
  return true;
}

/* A sweep on the way to a new span may have found blocks of this class: they lie below the new ones. */
bool walloc_part_refill(heap_part *part, uint32_t c) {
  if (take_pending(part, c))
    return true;
  if (walloc_part_receive(part, part, c))
    return take_pending(part, c);
  if (cut_next(part, c))
    return true;
  if (walloc_part_borrow_blocks(part, c))
    return list_first(part->lists[c]) != 0 || take_pending(part, c);
  walloc_part_send_all(part);
  return (add_spans(part, c, spans_at_once(part, c)) || add_spans(part, c, 1)) && cut_next(part, c);
}
