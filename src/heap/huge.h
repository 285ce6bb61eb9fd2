/* Huge blocks: above HUGE_MIN, or aligned and not small. Each is a run of pages and nothing else: the
 * page map says where it begins and ends. Any thread. */
#ifndef WALLOC_HEAP_HUGE_H
#define WALLOC_HEAP_HUGE_H

#include <stdbool.h>
#include <stddef.h>

#include "walloc.h"

/* NULL: `error` tells why. *zero: all bytes are known to be zero. */
void *walloc_huge_allocate(size_t size, size_t alignment, bool *zero, walloc_error *error);

/* False: the address is not that of a live huge block. Where the page lock cannot be had (see lock.h), the
 * block is lost. */
bool walloc_huge_free(void *block);

/* Makes it at least `size` bytes where it is, with as few pages as that takes. */
bool walloc_huge_resize(void *block, size_t size);

/* Counts its pages. */
size_t walloc_huge_usable_size(const void *block);

#endif
