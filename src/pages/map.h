/* The page map: one byte for each 16 KiB page of the 4 GiB, which says who owns it. It is the authority
 * on that; everything else could be derived from it.
 *
 *     byte:  | not the first page of its run : 1 | owner : 7 |
 *
 *     ... 0 0 | 2 | 65 193 193 193 | 1 1 1 | 64 192 | 1 ...
 *     foreign  own   arena 1's chunk  free   arena 0's  free
 *
 * Free pages carry no first-of-run bit: neighbouring free runs are one run without anybody having to
 * join them. 256 KiB of zeros at the start, in .bss: no bytes in the file, and pages of the system only
 * where it is written.
 *
 * Invariants: an entry is written only by the holder of the page lock; the last 64 KiB of the address
 * space stay foreign for ever, so that no block's end is 2^32.
 *
 * Reading an entry needs no lock: it is one byte. Who owns a block may rely on its entries; for any
 * other page the answer may be out of date at once. */
#ifndef WALLOC_PAGES_MAP_H
#define WALLOC_PAGES_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/platform.h"

typedef uint32_t page_index;

#define PAGE_COUNT ((page_index)(WALLOC_SPACE_SIZE / WALLOC_PAGE_SIZE))
#define PAGES_NEVER_USED ((page_index)(65536 / WALLOC_PAGE_SIZE))
#define PAGE_LIMIT (PAGE_COUNT - PAGES_NEVER_USED)

/* Owners. */
#define PAGE_FOREIGN ((uint8_t)0)
#define PAGE_FREE ((uint8_t)1)
#define PAGE_OWN ((uint8_t)2)
#define PAGE_ARENA ((uint8_t)64) /* + its slot */
#define PAGE_NOT_FIRST ((uint8_t)128)

_Static_assert(PAGE_COUNT == 262144, "the map's length is part of what JavaScript reads");
_Static_assert(PAGE_ARENA + WALLOC_ARENAS_MAX <= PAGE_NOT_FIRST, "a slot fits the owner's bits");

/* Written by the holder of the page lock. */
extern _Atomic uint8_t walloc_page_map[PAGE_COUNT];

/* Relaxed: an entry carries no data with it; the lock, or whoever handed out the block, does. */
static inline uint8_t page_entry(page_index page) {
  return atomic_load_explicit(&walloc_page_map[page], memory_order_relaxed);
}

static inline uint8_t page_owner(page_index page) {
  return page_entry(page) & (uint8_t)~PAGE_NOT_FIRST;
}

static inline bool page_is_free(page_index page) { return page_entry(page) == PAGE_FREE; }

static inline char *page_address(page_index page) {
  return (char *)(walloc_platform_base + (uintptr_t)page * WALLOC_PAGE_SIZE);
}

static inline page_index pages_holding(uint64_t bytes) {
  return (page_index)((bytes + WALLOC_PAGE_SIZE - 1) / WALLOC_PAGE_SIZE);
}

/* Writes a run's entries. Its first page is written last, and first when it is freed: after a kill in
 * between there are pages marked not-first behind a page that is not theirs, which no walk takes for a
 * run, and which recovery can give back. Under the page lock. */
void walloc_map_take(page_index first, page_index count, uint8_t owner);
void walloc_map_give(page_index first, page_index count);

/* The first run of `count` free pages within [begin, end), or `end` when there is none. */
page_index walloc_map_find(page_index begin, page_index end, page_index count);

/* How many free pages lie directly before `end`, not looking below `begin`. */
page_index walloc_map_free_before(page_index begin, page_index end);

#endif
