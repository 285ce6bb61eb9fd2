/* The page map's bytes: marking runs and searching for them. Under the page lock. */
#include "pages/map.h"

_Atomic uint8_t walloc_page_map[PAGE_COUNT];

/* Relaxed: see page_entry. */
static void write_entry(page_index page, uint8_t entry) {
  atomic_store_explicit(&walloc_page_map[page], entry, memory_order_relaxed);
}

void walloc_map_take(page_index first, page_index count, uint8_t owner) {
  for (page_index page = first + count - 1; page > first; page--)
    write_entry(page, owner | PAGE_NOT_FIRST);
  write_entry(first, owner);
}

void walloc_map_give(page_index first, page_index count) {
  for (page_index page = first; page < first + count; page++)
    write_entry(page, PAGE_FREE);
}

page_index walloc_map_find(page_index begin, page_index end, page_index count) {
  page_index run = 0;
  for (page_index page = begin; page < end; page++) {
    run = page_is_free(page) ? run + 1 : 0;
    if (run == count)
      return page + 1 - count;
  }
  return end;
}

page_index walloc_map_free_before(page_index begin, page_index end) {
  page_index page = end;
  while (page > begin && page_is_free(page - 1))
    page--;
  return end - page;
}
