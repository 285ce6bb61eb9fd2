/* The page provider: owns all memory that walloc has ever obtained, in runs of 4 KiB pages.
 *
 * Runs are searched first fit in the page map, which keeps old (touched) memory in use before fresh
 * memory is asked for. What is given back joins its free neighbours and may go to any owner.
 *
 * All functions may be called from any thread. They take the page lock, the innermost one: nothing
 * else is acquired while it is held. Cost: a walk over the map's bytes below the highest page obtained,
 * and a growth of the memory when there is no free run. */
#ifndef WALLOC_PAGES_H
#define WALLOC_PAGES_H

#include "pages/map.h"
#include "walloc.h"

/* Sets the limit for what may be obtained. Alone, at walloc_init. */
void walloc_pages_start(size_t maximum);

typedef struct page_run {
  page_index first;
  bool fresh; /* all zero; else whatever its last owner left */
} page_run;

/* A run that begins at a multiple of `alignment` pages, any number but 0. If it may not grow, only what is free is
 * looked at. OUT_OF_MEMORY or BUSY when there is no such run. */
walloc_error walloc_pages_take(page_index count, page_index alignment, page_mark owner,
                               bool may_grow, page_run *run);

/* Takes exactly these pages, if they are all free, or else nothing. `first` must not be below the pages
 * of an owner that calls this. Grows the memory if they lie at its end. */
walloc_error walloc_pages_take_at(page_index first, page_index count, page_mark owner, bool *fresh);

/* Gives back a run, or a part of one whose other part stays valid. False (BUSY): nothing happened. */
bool walloc_pages_give(page_index first, page_index count);

/* Obtains memory until there is a free run of `count` pages. */
walloc_error walloc_pages_prepare(page_index count);

/* Records memory that walloc's own part of the program has obtained by itself. */
bool walloc_pages_adopt(page_index first, page_index count);

/* For recovery. Takes the page lock, which the dead thread may hold: then what it left half done is mended. False:
 * a living thread has it, or another dead one; does not sleep. While it is held, runs are given back without
 * it, and nobody else takes or gives any. */
bool walloc_pages_hold(uint32_t dead);
void walloc_pages_give_held(page_index first, page_index count);
void walloc_pages_leave(void);

/* The page behind the last one that was ever obtained. */
page_index walloc_pages_top(void);

/* How many pages are the heap's at this moment. */
page_index walloc_pages_of_heap(void);

/* Sums. `headroom` is what could still be obtained within the maximum. */
typedef struct walloc_pages_sums {
  page_index maximum, obtained, free, own;
  page_index heap, heap_peak; /* see walloc_heap_stats */
  page_index headroom;
} walloc_pages_sums;

walloc_pages_sums walloc_pages_count(void);

#endif
