/* See obtain.h. */
#include "heap/obtain.h"

#include "heap/part.h"
#include "heap/sweep.h"

_Atomic page_index walloc_heap_grown;
_Atomic uint64_t walloc_heap_sweeps;

/* What is done before each try; a sweep of everything only when the memory can grow no more. False: then
 * this try would end as the one before. What the thread has collected for others is sent first, as their spans are
 * not empty without it. */
static bool make_room(int try) {
  if (try % 2 == 0)
    return true;
  walloc_part_send_all(walloc_own_part);
  return walloc_sweep(walloc_own_part, true, try == 3);
}

walloc_error walloc_heap_take(page_index count, page_index alignment, page_mark owner,
                              page_run *run) {
  walloc_error error = WALLOC_ERROR_OUT_OF_MEMORY;
  for (int try = 0; try < 4 && error == WALLOC_ERROR_OUT_OF_MEMORY; try++) {
    bool may_grow = try >= 2;
    if (make_room(try))
      error = walloc_pages_take(count, alignment, owner, may_grow, run);
    if (error == WALLOC_OK && may_grow)
      atomic_fetch_add_explicit(&walloc_heap_grown, count, memory_order_relaxed);
  }
  return error;
}
