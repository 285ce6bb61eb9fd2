/* The whole heap back to empty. Alone. */
#include "heap/large.h"
#include "heap/part.h"
#include "malloc/replaces.h"
#include "pages/pages.h"
#include "reference/hooks.h"

static void forget(heap_part *part) {
  for (uint32_t c = 0; c < CLASSES; c++)
    atomic_store_explicit(&part->incoming[c], 0, memory_order_relaxed);
  __builtin_memset(part->lists, 0, sizeof part->lists);
  __builtin_memset(part->pending, 0, sizeof part->pending);
  __builtin_memset(part->outbox, 0, sizeof part->outbox);
  __builtin_memset(part->scraps, 0, sizeof part->scraps);
}

walloc_error walloc_heap_reset(void) {
  heap_part *part;
  page_index top = walloc_pages_top();
  if (&walloc_replaces_malloc != NULL)
    return WALLOC_ERROR_STATE;
  if (walloc_references_forget != NULL)
    walloc_references_forget();
  walloc_large_forget();
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL; n++)
    forget(part);
  for (page_index page = 0, first; page < top; page++) {
    for (first = page; page < top && page_mark_is_heap(page_entry(page));)
      page++;
    if (page != first && !walloc_pages_give(first, page - first))
      return WALLOC_ERROR_BUSY;
  }
  return WALLOC_OK;
}
