/* Where a part's lists get their blocks from when they are empty. By the part's own thread.
 *
 *     what others have sent back  ─►  what others do not need  ─►  a new span
 *
 * One span at a time, though a program with many blocks takes the page lock more often for it: a page that is
 * alone between others is free memory too, and rows of spans would pass it by.
 *
 * Adopting. Blocks that one thread allocated and others replace would be the first one's for ever: each free would collect
 * them, each allocation take back what was sent. So who takes a list adopts the span of the list's first block: the
 * pages get the part's mark.
 *
 * Argument. The block is in the list of the thread that writes, so the span is not empty, and stays a span meanwhile: only
 * who has all of its blocks in one list gives it back. A free that still reads the other mark, or the old one of another
 * page of the span, sends the block where it says, to a part whose lists may hold any block of the class. Two that adopt
 * at once leave one mark or both. Relaxed: see page_entry_at_once. Killed in between: as if two had. */
#include "heap/obtain.h"
#include "heap/part.h"

static void adopt(const heap_part *part, uint32_t c, block_offset block) {
  page_mark mark = (page_mark)(part->key + c), now = page_entry(page_of_block(block));
  if (now != mark && now >> PART_SHIFT != PART_APART)
    (void)walloc_map_take(span_first(c, page_of_block(block)), span_pages(c), mark);
}

/* Killed between the stores: the list is in both. */
bool walloc_part_take_sent(heap_part *part, uint32_t c) {
  if (part->pending[c] == 0 && !walloc_part_receive(part, part, c))
    return false;
  block_offset first = part->pending[c], next = next_list(first);
  part->lists[c] = first;
  stores_in_order();
  part->pending[c] = next;
  adopt(part, c, first);
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
  page_run run;
  walloc_error error = walloc_heap_take(span_pages(c), alignment, (page_mark)(part->key + c), &run);
  if (error == WALLOC_OK)
    walloc_part_cut(part, c, run.first);
  return error;
}

/* A sweep on the way to a new span may have found blocks of this class: they lie below the new ones. */
bool walloc_part_refill(heap_part *part, uint32_t c) {
  return walloc_part_take_sent(part, c) || walloc_part_borrow_blocks(part, c) ||
         walloc_part_add_span(part, c, span_alignment(c)) == WALLOC_OK;
}
