/* Large blocks: above SMALL_MAX, up to HUGE_MIN, out of regions of pages that split and coalesce; and the few small ones
 * that come from what is left between them (part.h).
 *
 *     shard 0   [ lock | index ]   [ region ][ region ]                      threads 0, 4, 8, ...
 *     shard 1   [ lock | index ]              [ region ]   [ region ]        threads 1, 5, 9, ...
 *
 *     page map entry of a region = PAGE_LARGE + its shard
 *
 * Each shard has regions of its own, so that threads seldom ask for the same lock. A thread allocates from the
 * shard of its part, but takes what is free in another before memory grows. A block is freed to where it came
 * from.
 *
 * Any thread. */
#ifndef WALLOC_HEAP_LARGE_H
#define WALLOC_HEAP_LARGE_H

#include <stdbool.h>

#include "heap/strategy.h"
#include "walloc.h"

/* From here on a block is a run of pages of its own: at most an eighteenth of it is lost to rounding. */
#define HUGE_MIN ((size_t)8 << 20)

/* Aligned to 16 bytes, from this shard (any number) if it has room. NULL: `error` tells why. *zero: all but its first
 * LARGE_DIRTY bytes are known to be zero. A small size comes from a scrap, or a page more: see part.h. */
#define LARGE_DIRTY ((size_t)16)
void *walloc_large_allocate(uint32_t own, size_t size, bool *zero, walloc_error *error);

/* Of an address in a page of large blocks, as the next two. False: it is not that of a live one, and *kind says why.
 * Where the lock cannot be had (see lock.h), the block is lost. */
bool walloc_large_free(void *block, walloc_misuse_kind *kind);

/* Hardened. */
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

/* For recovery: mends what the dead thread left, where it held a shard's lock. Under the page lock. */
void walloc_large_thread_lost(uint32_t thread);

/* Forgets all blocks; their pages are given back by the caller. Alone. */
void walloc_large_forget(void);

#endif
