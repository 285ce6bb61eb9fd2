/* The page map: 16 bits for each 4 KiB page of the 4 GiB, which say who owns it. It is the authority
 * on that; everything else could be derived from it.
 *
 *     entry:  0 0 0 0 0 0 0 0 | not the first page of its run : 1 | owner : 7 |     runs
 *             | thread's part of the heap, from 4 : 9 | size class : 7 |            spans
 *
 *     ... 0 0 | 2 | 65 193 193 193 | 1 1 1 | 64 192 | 523 523 | 3 3 ...
 *     foreign  own   arena 1's chunk  free   arena 0's  span     free, fresh from the system
 *
 * Free pages carry no first-of-run bit: neighbouring free runs are one run without anybody having to
 * join them. All pages of a span have the same entry, so that a free needs no more than the one of the
 * block's own page; a span of n pages begins at a multiple of n, so that its start is known too.
 *
 *     low  | entries of the first 128 MiB |                  64 KiB, in .bss
 *     high |                              | of all above |   2 MiB, obtained when memory first reaches there
 *
 * In two, as a WebAssembly module with shared memory writes zeros over its .bss when it starts: all of the map
 * in there would be 2 MiB touched, and a millisecond, in every program.
 *
 * Invariants: an entry is written only by the holder of the page lock, or by the owner of its page as long
 * as it stays the owner's, which for a span is whoever holds one of its free blocks; the last 64 KiB of the address
 * space stay foreign for ever, so that no block's end is 2^32.
 *
 * Reading an entry needs no lock: it is one word. Who owns a block may rely on its entries; for any
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

typedef uint16_t page_mark;

/* Owners. */
#define PAGE_FOREIGN ((page_mark)0)
#define PAGE_FREE ((page_mark)1)
#define PAGE_OWN ((page_mark)2)
#define PAGE_FRESH ((page_mark)3)  /* free, and zero: never used */
#define PAGE_SLOTS ((page_mark)4)  /* references' slots: walloc's own, for ever */
#define PAGE_HUGE ((page_mark)7)   /* one huge block of the heap */
#define PAGE_LARGE ((page_mark)8)  /* + its shard: large blocks, that split and coalesce */
#define PAGE_RAW ((page_mark)12)   /* + its shard: on the way to be PAGE_LARGE */
#define PAGE_ARENA ((page_mark)64) /* + its slot */
#define PAGE_NOT_FIRST ((page_mark)128)
#define PAGE_SPAN ((page_mark)512) /* this and all above: spans */

_Static_assert(PAGE_ARENA + WALLOC_ARENAS_MAX <= PAGE_NOT_FIRST, "a slot fits the owner's bits");

#define PAGE_SHARDS 4 /* of the large blocks: see large.h */

#define MAP_LOW ((page_index)32768)
#define MAP_HIGH (PAGE_COUNT - MAP_LOW)
#define MAP_HIGH_PAGES ((page_index)(MAP_HIGH * sizeof(page_mark) / WALLOC_PAGE_SIZE))

_Static_assert(MAP_HIGH_PAGES *WALLOC_PAGE_SIZE == MAP_HIGH * sizeof(page_mark),
               "the high map fills its pages");

typedef _Atomic page_mark map_entry;

/* Written by the holder of the page lock, and by owners: see above. */
extern map_entry walloc_map_low[MAP_LOW];

/* Written once, under the page lock. Release, pairs with acquire: who sees the map sees its zeros. */
typedef map_entry *high_map;
extern _Atomic high_map walloc_map_high;

/* Foreign where the map does not reach. */
page_mark walloc_map_entry(page_index page);
static inline page_mark page_entry(page_index page) { return walloc_map_entry(page); }

/* The same, for whoever asks often. Relaxed: an entry carries no data with it; the lock, or whoever handed
 * out the block, does. */
static inline page_mark page_entry_at_once(page_index page) {
  return page < MAP_LOW ? atomic_load_explicit(&walloc_map_low[page], memory_order_relaxed)
                        : page_entry(page);
}

/* Whether all pages below this one have entries. */
bool walloc_map_reaches(page_index end);

/* Makes MAP_HIGH_PAGES of zeros the high map. Once, under the page lock. */
void walloc_map_extend(page_index first);

static inline page_mark page_owner(page_index page) {
  page_mark entry = page_entry(page);
  return entry < PAGE_SPAN ? entry & (page_mark)~PAGE_NOT_FIRST : entry;
}

static inline bool page_mark_is_own(page_mark mark) {
  page_mark owner = mark & (page_mark)~PAGE_NOT_FIRST;
  return owner == PAGE_OWN || owner == PAGE_SLOTS;
}

static inline bool page_mark_is_heap(page_mark mark) {
  page_mark owner = mark & (page_mark)~PAGE_NOT_FIRST;
  return mark >= PAGE_SPAN || (owner >= PAGE_HUGE && owner < PAGE_RAW + PAGE_SHARDS);
}

static inline bool page_mark_is_large(page_mark mark) {
  return (mark & ~(PAGE_NOT_FIRST | (PAGE_SHARDS - 1))) == PAGE_LARGE;
}

static inline bool page_mark_is_free(page_mark mark) {
  return (mark & ~(PAGE_FREE ^ PAGE_FRESH)) == PAGE_FREE;
}

static inline bool page_is_free(page_index page) { return page_mark_is_free(page_entry(page)); }

/* The page after this one belongs to the same run. */
static inline bool page_run_goes_on(page_index page) {
  return page_entry(page + 1) == (page_entry(page) | PAGE_NOT_FIRST);
}

static inline char *page_address(page_index page) {
  return (char *)(walloc_platform_base() + (uintptr_t)page * WALLOC_PAGE_SIZE);
}

/* The page that an address lies in; page 0, which is foreign, for addresses outside of the 4 GiB. */
static inline page_index page_of(const void *address) {
  uintptr_t page = ((uintptr_t)address - walloc_platform_base()) / WALLOC_PAGE_SIZE;
  return page < PAGE_COUNT ? (page_index)page : 0;
}

static inline page_index pages_holding(uint64_t bytes) {
  return (page_index)((bytes + WALLOC_PAGE_SIZE - 1) / WALLOC_PAGE_SIZE);
}

/* Writes a run's entries, also of pages whose owner makes something else of them; NOT_FIRST in `owner` joins
 * them to the run before. Its first page is written last, and first when it is freed: after a kill in
 * between there are pages marked not-first behind a page that is not theirs, which no walk takes for a
 * run, and which recovery can give back. Under the page lock; those of a span also by whoever holds one of its free
 * blocks. True: all of it was fresh. Where a part in the middle of a run is given, what is behind it becomes a run of its
 * own. */
bool walloc_map_take(page_index first, page_index count, page_mark owner);
void walloc_map_give(page_index first, page_index count, page_mark as);

/* Lengths that runs are searched by: 1, 2, 3, 4 and then four to each doubling.
 *
 *     level    0  1  2  3 | 4  5  6  7 |  8  9 10 11 | ... |   36             39
 *     length   1  2  3  4 | 5  6  7  8 | 10 12 14 16 | ... | 1280 ........ 2048
 */
#define RUN_LEVELS 40u
#define RUN_LENGTH_MAX ((page_index)2048)

/* Where free runs begin: below from[level] there is no place where so many free pages in a row do. */
typedef page_index run_begins[RUN_LEVELS];

static inline page_index run_length(uint32_t level) {
  uint32_t doubling = level < 4 ? 0 : level / 4 - 1;
  return (level - doubling * 4 + 1) << doubling;
}

/* The first run of `count` free pages below `end` that begins at a multiple of `alignment`, or `end` when there
 * is none. `from` rises to what was seen. */
page_index walloc_map_find(run_begins from, page_index end, page_index count, page_index alignment);

/* How many free pages lie directly before `end`, of `most` at most. */
page_index walloc_map_free_before(page_index end, page_index most);

#endif
