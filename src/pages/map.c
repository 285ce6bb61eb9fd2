/* The page map's entries: marking runs and searching for them. Under the page lock. */
#include "pages/map.h"

#define NOINLINE __attribute__((noinline)) /* where it only makes the code larger */

map_entry walloc_map_low[MAP_LOW];

_Atomic high_map walloc_map_high;

static high_map high_entries(void) {
  return atomic_load_explicit(&walloc_map_high, memory_order_acquire);
}

/* NULL: there is none. */
static map_entry *find_entry(page_index page) {
  if (page < MAP_LOW)
    return &walloc_map_low[page];
  high_map entries = high_entries();
  return entries == NULL ? NULL : &entries[page - MAP_LOW];
}

page_mark walloc_map_entry(page_index page) {
  const map_entry *entry = find_entry(page);
  return entry == NULL ? PAGE_FOREIGN : atomic_load_explicit(entry, memory_order_relaxed);
}

/* Relaxed: see page_entry_at_once. Of a page that the map reaches. */
static NOINLINE void write_entry(page_index page, page_mark entry) {
  atomic_store_explicit(find_entry(page), entry, memory_order_relaxed);
}

bool walloc_map_reaches(page_index end) { return end <= MAP_LOW || high_entries() != NULL; }

void walloc_map_extend(page_index first) {
  atomic_store_explicit(&walloc_map_high, (high_map)(void *)page_address(first),
                        memory_order_release);
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

/* `row`: free pages in a row up to this one; `run`: the same from a page on that is aligned. */
page_index walloc_map_find(run_begins from, page_index end, page_index count,
                           page_index alignment) {
  uint32_t level = 0;
  while (level + 1 < RUN_LEVELS && run_length(level + 1) <= count)
    level++;
  page_index row = 0, run = 0, length = run_length(level), lowest = end;
  page_index page = from[level];
  for (; page < end && run != count; page++) {
    bool is_free = page_is_free(page);
    row = is_free ? row + 1 : 0;
    run = is_free && (run > 0 || page % alignment == 0) ? run + 1 : 0;
    if (row >= length && lowest == end)
      lowest = page + 1 - length;
  }
  from[level] = lowest;
  return run == count ? page - count : end;
}

page_index walloc_map_free_before(page_index end, page_index most) {
  page_index count = 0;
  while (count < most && count < end && page_is_free(end - count - 1))
    count++;
  return count;
}
