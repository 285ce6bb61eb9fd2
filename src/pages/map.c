/* The page map's entries: marking runs and searching for them. Under the page lock. */
#include "pages/map.h"

_Atomic page_mark walloc_page_map[PAGE_COUNT];

/* Relaxed: see page_entry. */
static void write_entry(page_index page, page_mark entry) {
  atomic_store_explicit(&walloc_page_map[page], entry, memory_order_relaxed);
}

bool walloc_map_take(page_index first, page_index count, page_mark owner) {
  page_mark others = owner < PAGE_SPAN ? owner | PAGE_NOT_FIRST : owner;
  bool fresh = true;
  for (page_index page = first + count - 1; page > first; page--) {
    fresh &= page_entry(page) == PAGE_FRESH;
    write_entry(page, others);
  }
  fresh &= page_entry(first) == PAGE_FRESH;
  write_entry(first, owner);
  return fresh;
}

void walloc_map_give(page_index first, page_index count, page_mark as) {
  for (page_index page = first; page < first + count; page++)
    write_entry(page, as);
  page_mark behind = page_entry(first + count);
  if (behind < PAGE_SPAN && (behind & PAGE_NOT_FIRST) != 0)
    write_entry(first + count, behind & (page_mark)~PAGE_NOT_FIRST);
}

void walloc_map_rewrite(page_index first, page_index count, page_mark owner) {
  for (page_index page = first + count - 1; page > first; page--)
    write_entry(page, owner | PAGE_NOT_FIRST);
  write_entry(first, owner);
}

/* Pages that are not free are passed over one by one; where a run does not fit, the next place that is
 * aligned behind its end. */
page_index walloc_map_find(page_index begin, page_index end, page_index count, page_index alignment,
                           page_index *lowest) {
  page_index page = begin;
  while (page < end && !page_is_free(page))
    page++;
  *lowest = page;
  page_index run = 0;
  for (; page < end; page++) {
    bool fits = page_is_free(page) && (run > 0 || page % alignment == 0);
    run = fits ? run + 1 : 0;
    if (run == count)
      return page + 1 - count;
  }
  return end;
}

page_index walloc_map_free_before(page_index end) {
  page_index page = end;
  while (page > 0 && page_is_free(page - 1))
    page--;
  return end - page;
}
