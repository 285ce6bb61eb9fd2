/* See huge.h. Where a block is given back or made smaller, the map is changed by the page provider, under
 * its lock; nothing of a huge block is anywhere else. */
#include "heap/huge.h"

#include "heap/obtain.h"
#include "heap/part.h"

void *walloc_huge_allocate(size_t size, size_t alignment, bool *zero, walloc_error *error) {
  *error = WALLOC_ERROR_OUT_OF_MEMORY;
  if (size > WALLOC_SPACE_SIZE - WALLOC_PAGE_SIZE || alignment > WALLOC_SPACE_SIZE / 2)
    return NULL;
  page_index pages = size == 0 ? 1 : pages_holding(size);
  page_index step = alignment <= WALLOC_PAGE_SIZE ? 1 : (page_index)(alignment / WALLOC_PAGE_SIZE);
  page_run run;
  *error = walloc_heap_take(pages, step, PAGE_HUGE, &run);
  if (*error != WALLOC_OK)
    return NULL;
  *zero = run.fresh;
  return page_address(run.first);
}

static page_index pages_of(const void *block) {
  page_index first = page_of(block), last = first;
  while (page_run_goes_on(last))
    last++;
  return last - first + 1;
}

size_t walloc_huge_usable_size(const void *block) {
  return (size_t)pages_of(block) * WALLOC_PAGE_SIZE;
}

bool walloc_huge_free(void *block) {
  page_index page = page_of(block);
  if (page_entry(page) != PAGE_HUGE || block != page_address(page))
    return false;
  (void)walloc_pages_give(page, pages_of(block));
  return true;
}

bool walloc_huge_resize(void *block, size_t size) {
  if (size > WALLOC_SPACE_SIZE - WALLOC_PAGE_SIZE)
    return false;
  page_index first = page_of(block), before = pages_of(block), after = pages_holding(size);
  bool fresh;
  if (after > before)
    return walloc_pages_take_at(first + before, after - before, PAGE_HUGE | PAGE_NOT_FIRST,
                                &fresh) == WALLOC_OK;
  return after == before || after == 0 || walloc_pages_give(first + after, before - after);
}
