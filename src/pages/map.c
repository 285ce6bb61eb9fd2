/* The page map's entries: marking runs and searching for them. Under the page lock. */
#include "pages/map.h"

#define NOINLINE __attribute__((noinline)) /* where it only makes the code larger */

map_entry walloc_map_low[MAP_LOW];

_Atomic high_map walloc_map_high;

static high_map high_entries(void) {
  return atomic_load_explicit(&walloc_map_high, memory_order_acquire);
}

/* NULL: there is none. */
static NOINLINE map_entry *find_entry(page_index page) {
  if (page < MAP_LOW)
    return &walloc_map_low[page];
  high_map entries = high_entries();
  return entries == NULL ? NULL : &entries[page - MAP_LOW];
}

page_mark walloc_map_entry(page_index page) {
  const map_entry *entry = find_entry(page);
  return entry == NULL ? PAGE_FOREIGN : atomic_load_explicit(entry, memory_order_relaxed);
}

/* Of the next page, which the map reaches. Loops go from entry to entry so, as they are long and the lock is held; the
 * map is in two pieces. */
static map_entry *next_entry(map_entry *entry, page_index page) {
  return page == MAP_LOW ? find_entry(page) : entry + 1;
}

/* Relaxed: see page_entry_at_once. */
static page_mark read_entry(const map_entry *entry) {
  return atomic_load_explicit(entry, memory_order_relaxed);
}

static void write_entry(map_entry *entry, page_mark mark) {
  atomic_store_explicit(entry, mark, memory_order_relaxed);
}

bool walloc_map_reaches(page_index end) { return end <= MAP_LOW || high_entries() != NULL; }

void walloc_map_extend(page_index first) {
  atomic_store_explicit(&walloc_map_high, (high_map)(void *)page_address(first),
                        memory_order_release);
}

bool walloc_map_take(page_index first, page_index count, page_mark owner) {
  page_mark others = owner < PAGE_SPAN ? owner | PAGE_NOT_FIRST : owner;
  bool fresh = true;
  map_entry *entry = NULL;
  for (page_index page = first + count; page-- > first;) {
    entry = entry == NULL || page == MAP_LOW - 1 ? find_entry(page) : entry - 1;
    fresh &= read_entry(entry) == PAGE_FRESH;
    write_entry(entry, page == first ? owner : others);
  }
  return fresh;
}

void walloc_map_give(page_index first, page_index count, page_mark as) {
  map_entry *entry = find_entry(first);
  page_index page = first;
  for (; page < first + count; entry = next_entry(entry, ++page))
    write_entry(entry, as);
  page_mark behind = page_entry(page);
  if (behind < PAGE_SPAN && (behind & PAGE_NOT_FIRST) != 0)
    write_entry(entry, behind & (page_mark)~PAGE_NOT_FIRST);
}

/* Looks at a place from its last page on: where one is in use, the next place begins behind it, so that of used pages
 * only one in `length` is looked at. The first run of that length is where to begin next time. */
page_index walloc_map_find(run_begins from, page_index end, page_index count,
                           page_index alignment) {
  uint32_t level = 0;
  while (level + 1 < RUN_LEVELS && run_length(level + 1) <= count)
    level++;
  page_index length = run_length(level), lowest = end, first = from[level];
  while (first + length <= end) {
    page_index free = walloc_map_free_before(first + length, length);
    if (free < length) {
      first += length - free;
      continue;
    }
    if (lowest == end)
      lowest = first;
    first = (first + alignment - 1) / alignment * alignment;
    if (first + count > end)
      break;
    free = walloc_map_free_before(first + count, count);
    if (free == count) {
      from[level] = lowest;
      return first;
    }
    first += count - free;
  }
  from[level] = lowest;
  return end;
}

page_index walloc_map_free_before(page_index end, page_index most) {
  page_index page = end, least = most < end ? end - most : 0;
  const map_entry *entry = NULL;
  for (; page > least; page--) {
    entry = page == end || page == MAP_LOW ? find_entry(page - 1) : entry - 1;
    if (entry == NULL || !page_mark_is_free(read_entry(entry)))
      break;
  }
  return end - page;
}
