/* Large blocks: above SMALL_MAX, up to HUGE_MIN, out of regions of pages that split and coalesce.
 *
 * Any thread; all under one lock, the large lock. */
#ifndef WALLOC_HEAP_LARGE_H
#define WALLOC_HEAP_LARGE_H

#include <stdbool.h>

#include "heap/strategy.h"
#include "walloc.h"

/* From here on a block is a run of pages of its own: at most an eighteenth of it is lost to rounding. */
#define HUGE_MIN ((size_t)8 << 20)

/* Aligned to 16 bytes. NULL: `error` tells why. *zero: all but its first
 * LARGE_DIRTY bytes are known to be zero. */
#define LARGE_DIRTY ((size_t)16)
void *walloc_large_allocate(size_t size, bool *zero, walloc_error *error);

/* False: the address is not that of a live large block. Where the lock cannot be had (see lock.h), the block
 * is lost. */
bool walloc_large_free(void *block);

/* Hardened. Of any address in a page of large blocks. */
bool walloc_large_is_live(void *block);

/* Makes the block at least `size` bytes where it is. */
bool walloc_large_resize(void *block, size_t size);

static inline size_t large_usable_size(void *block) {
  return tag_size(tag_of_block(block)) - TAG_SIZE;
}

/* Counts the free blocks and their bytes. Zeros where the lock cannot be had. */
void walloc_large_measure(size_t *blocks, size_t *bytes);

/* Sorts the free blocks anew. BUSY. */
walloc_error walloc_large_choose(const strategy *next);

/* For recovery: mends what the dead thread left, if it held the large lock. Under the page lock. */
void walloc_large_thread_lost(uint32_t thread);

/* Forgets all blocks; their pages are given back by the caller. Alone. */
void walloc_large_forget(void);

#endif
