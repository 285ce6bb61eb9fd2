/* How the heap comes to pages: from what is free, from its own idle memory, and only then by growth.
 *
 *     free pages  ─►  others' blocks are sent, empty spans (sweep.h)  ─►  growth  ─►  all empty spans there are
 *
 * Any thread, also with a shard's lock. Tries the sweep lock and takes the page lock. */
#ifndef WALLOC_HEAP_OBTAIN_H
#define WALLOC_HEAP_OBTAIN_H

#include "pages/pages.h"

/* Pages that the heap has obtained by growth, ever. Relaxed: it tells how much happened meanwhile. */
extern _Atomic page_index walloc_heap_grown;

/* Sweeps of parts. Statistics. */
extern _Atomic uint64_t walloc_heap_sweeps;

/* Takes a run for the heap: see walloc_pages_take. OUT_OF_MEMORY or BUSY. */
walloc_error walloc_heap_take(page_index count, page_index alignment, page_mark owner,
                              page_run *run);

#endif
