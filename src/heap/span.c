/* Where a part's lists get their blocks from when they are empty. By the part's own thread.
 *
 *     what others have sent back  ─►  the uncut rest of its newest span  ─►  a new span */
#include "heap/obtain.h"
#include "heap/part.h"

/* Blocks are cut from a span this many bytes at a time: the rest is not touched before it is needed. */
#define CUT_BYTES ((uint32_t)4096)

static bool take_pending(heap_part *part, uint32_t c) {
  block_offset first = part->pending[c];
  if (first == 0)
    return false;
  part->pending[c] = next_list(first);
  part->lists[c] = list_with_room(first, room_of_class(c));
  return true;
}

/* From the last to the first, so that they are handed out by ascending address. They are no longer uncut
 * before they are in the part's list, on top of what a sweep may just have put there. */
static bool cut(heap_part *part, uint32_t c) {
  uncut *rest = &part->uncut[c];
  uint32_t size = class_size(c), begin = rest->next;
  if (begin == rest->end)
    return false;
  uint32_t count = CUT_BYTES > size ? CUT_BYTES / size : 1;
  if (count > (rest->end - begin) / size)
    count = (rest->end - begin) / size;
  block_list list = list_with_room(part->lists[c], room_of_class(c) + count);
  for (block_offset block = begin + count * size; block != begin;) {
    block -= size;
    list = list_pushed(list, block);
  }
  rest->next = begin + count * size;
  part->lists[c] = list;
  return true;
}

static bool add_span(heap_part *part, uint32_t c) {
  page_index pages = span_pages(c);
  page_run run;
  page_request wanted = {pages, pages, (page_mark)(part->key + c), true};
  if (walloc_heap_take(wanted, &run) != WALLOC_OK)
    return false;
  part->pages += pages;
  block_offset start = run.first * (uint32_t)WALLOC_PAGE_SIZE;
  part->uncut[c] = (uncut){start, start + span_blocks(c) * class_size(c)};
  return true;
}

/* A sweep on the way to a new span may have found blocks of this class: then they are taken first. */
bool walloc_part_refill(heap_part *part, uint32_t c) {
  if (take_pending(part, c))
    return true;
  walloc_part_receive(part);
  if (take_pending(part, c) || cut(part, c))
    return true;
  walloc_part_send_all(part);
  return add_span(part, c) && cut(part, c);
}
