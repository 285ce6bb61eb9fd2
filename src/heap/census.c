/* Statistics of the heap: the cheap ones from counters and the map, the full ones by a walk. */
#include "heap/large.h"
#include "heap/obtain.h"
#include "heap/part.h"
#include "pages/pages.h"
#include "state/state.h"

/* ---- Cheap ---------------------------------------------------------------------------------- */

walloc_error walloc_get_heap_stats(walloc_heap_stats *stats) {
  walloc_pages_sums sums = walloc_pages_count();
  *stats = (walloc_heap_stats){.held = (size_t)sums.heap * WALLOC_PAGE_SIZE,
                               .peak = (size_t)sums.heap_peak * WALLOC_PAGE_SIZE,
                               .sweeps =
                                   atomic_load_explicit(&walloc_heap_sweeps, memory_order_relaxed)};
  page_index top = walloc_pages_top();
  for (page_index page = 0; page < top; page++) {
    page_mark entry = page_entry(page);
    if (entry >= PAGE_SPAN)
      stats->spans += WALLOC_PAGE_SIZE;
    else if (page_mark_is_heap(entry))
      stats->large += WALLOC_PAGE_SIZE;
  }
  heap_part *part;
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL; n++)
    stats->parts += atomic_load_explicit(&part->thread, memory_order_relaxed) > NOBODY;
  return WALLOC_OK;
}

/* ---- Full ----------------------------------------------------------------------------------- */

static bool is_in_span(const walloc_heap_range *range) { return range->part != 0; }

/* A block from a scrap counts as one of the class that it would be of in a span. */
static void count_class(const walloc_heap_range *range, walloc_heap_census *census) {
  if (!is_in_span(range)) {
    if (range->live && range->size <= SMALL_MAX)
      census->of_class[class_of(range->size)].live++;
    return;
  }
  uint32_t c = page_entry(page_of(range->address)) % (1 << PART_SHIFT);
  if (range->live)
    census->of_class[c].live++;
  else
    census->of_class[c].free += range->size / class_size(c);
}

static bool count(const walloc_heap_range *range, void *user) {
  walloc_heap_census *census = user;
  if (range->live) {
    census->live_bytes += range->size;
    census->live_blocks++;
  } else {
    census->free_bytes += range->size;
    census->free_ranges++;
    if (range->size > census->largest_free)
      census->largest_free = range->size;
  }
  count_class(range, census);
  return true;
}

walloc_error walloc_take_heap_census(walloc_heap_census *census) {
  *census = (walloc_heap_census){0};
  for (uint32_t c = 0; c < CLASSES; c++)
    census->of_class[c].size = class_size(c);
  walloc_error error = walloc_heap_walk(count, census);
  if (census->free_bytes != 0)
    census->fragmentation = 1 - (double)census->largest_free / (double)census->free_bytes;
  return error;
}
