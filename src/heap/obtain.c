/* See obtain.h. */
#include "heap/obtain.h"

#include "heap/large.h"
#include "heap/part.h"
#include "heap/sweep.h"

_Atomic page_index walloc_heap_grown;
_Atomic uint64_t walloc_heap_sweeps;

/* The ways to a free run, in the order in which they are tried; a sweep of everything only when the
 * memory can grow no more. False: this way leads nowhere. */
static bool make_room(int way, const page_request *wanted) {
  heap_part *own = walloc_own_part;
  switch (way) {
  case 1:
    return walloc_large_give_pages(wanted->count + wanted->alignment - 1);
  case 2:
    return walloc_sweep(own, true, false);
  case 4:
    return walloc_sweep(own, true, true);
  default:
    return true;
  }
}

walloc_error walloc_heap_take(page_request wanted, page_run *run) {
  walloc_error error = WALLOC_ERROR_OUT_OF_MEMORY;
  for (int way = 0; way <= 4 && error == WALLOC_ERROR_OUT_OF_MEMORY; way++) {
    wanted.may_grow = way >= 3;
    if (make_room(way, &wanted))
      error = walloc_pages_take(&wanted, run);
  }
  if (error == WALLOC_OK && wanted.may_grow)
    atomic_fetch_add_explicit(&walloc_heap_grown, wanted.count, memory_order_relaxed);
  return error;
}
