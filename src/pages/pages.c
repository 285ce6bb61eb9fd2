/* The page provider. See pages.h.
 *
 *     0        lowest                                      top                    PAGE_LIMIT
 *     | foreign  | runs, free runs, other people's memory   | never obtained       |
 *
 * Invariants, whenever the page lock is free: no page outside [lowest, top) is free; no free page lies
 * below `first_free`; `obtained` is the number of pages that are not foreign.
 *
 * What a kill leaves behind (with the lock, which names the dead thread): the map is the truth, and
 * each of the numbers below can be counted from it again. Between the platform's grant and its
 * marking, up to one grant of memory is foreign for good. */
#include "pages/pages.h"

#include "lock/lock.h"

/* Everything here but the lock itself is written only by the lock's holder, and read by others only as
 * statistics: hence atomic, relaxed. */
static struct {
  walloc_lock lock;
  _Atomic page_index lowest, top, first_free;
  _Atomic page_index maximum, obtained, free, own;
} pages = {.lowest = PAGE_LIMIT, .first_free = PAGE_LIMIT};

#define get(field) atomic_load_explicit(&pages.field, memory_order_relaxed)
#define set(field, value) atomic_store_explicit(&pages.field, (value), memory_order_relaxed)

void walloc_pages_start(size_t maximum) {
  uint64_t count = maximum / WALLOC_PAGE_SIZE;
  set(maximum, count > PAGE_LIMIT ? PAGE_LIMIT : (page_index)count);
}

/* ---- Under the lock ----------------------------------------------------------------------- */

static void note_free(page_index first, page_index count) {
  set(free, get(free) + count);
  if (first < get(first_free))
    set(first_free, first);
}

/* The grant's whole pages below the limit join the free ones. */
static void accept(walloc_grant grant) {
  page_index first = pages_holding(grant.start);
  page_index end = (page_index)((grant.start + grant.length) / WALLOC_PAGE_SIZE);
  if (end > PAGE_LIMIT)
    end = PAGE_LIMIT;
  if (first >= end)
    return;
  if (first < get(lowest))
    set(lowest, first);
  if (end > get(top))
    set(top, end);
  set(obtained, get(obtained) + (end - first));
  walloc_map_give(first, end - first);
  note_free(first, end - first);
}

/* How many bytes to ask the platform for so that `count` free pages in a row come out, if nobody else
 * grows the memory at the same moment: free pages at the very end need not be obtained again. 0: the
 * limit of the address space is in the way. */
static uint64_t bytes_missing(page_index count) {
  uint64_t end = walloc_platform_end();
  uint64_t padding = (WALLOC_PAGE_SIZE - end % WALLOC_PAGE_SIZE) % WALLOC_PAGE_SIZE;
  uint64_t next = (end + padding) / WALLOC_PAGE_SIZE;
  if (next >= PAGE_LIMIT)
    return 0;
  page_index behind = walloc_map_free_before(get(lowest), (page_index)next);
  page_index missing = count > behind ? count - behind : 1;
  if (missing > PAGE_LIMIT - next)
    return 0;
  return padding + (uint64_t)missing * WALLOC_PAGE_SIZE;
}

/* What may still be obtained. The last growth may have gone above the maximum by less than what the
 * platform grows by at least, and an earlier walloc may have had a larger one. */
static page_index below_maximum(void) {
  page_index most = get(maximum), now = get(obtained);
  return now < most ? most - now : 0;
}

/* One growth towards a free run of `count` pages. False when there can be no more. */
static bool grow_once(page_index count) {
  uint64_t missing = bytes_missing(count);
  if (missing == 0 || missing / WALLOC_PAGE_SIZE > below_maximum())
    return false;
  walloc_grant grant = walloc_platform_grow(missing);
  if (grant.length == 0)
    return false;
  accept(grant);
  return true;
}

/* Finds a free run, growing as often as it takes: once, unless others grow too or a step is limited.
 * Each turn obtains memory, so the loop ends at the maximum at the latest. */
static bool find(page_index count, page_index *first) {
  for (;;) {
    if (count <= get(free)) {
      *first = walloc_map_find(get(first_free), get(top), count);
      if (*first != get(top))
        return true;
    }
    if (!grow_once(count))
      return false;
  }
}

/* first_free may only rise to the next page that really is free. */
static void advance_first_free(void) {
  page_index page = get(first_free);
  while (page < get(top) && !page_is_free(page))
    page++;
  set(first_free, page);
}

/* ---- The provider ------------------------------------------------------------------------- */

walloc_error walloc_pages_take(page_index count, uint8_t owner, page_index *first) {
  if (count == 0 || count > PAGE_LIMIT)
    return WALLOC_ERROR_OUT_OF_MEMORY;
  if (!walloc_lock_acquire(&pages.lock))
    return WALLOC_ERROR_BUSY;
  bool found = find(count, first);
  if (found) {
    walloc_map_take(*first, count, owner);
    set(free, get(free) - count);
    advance_first_free();
  }
  walloc_lock_release(&pages.lock);
  return found ? WALLOC_OK : WALLOC_ERROR_OUT_OF_MEMORY;
}

bool walloc_pages_give(page_index first, page_index count) {
  if (!walloc_lock_acquire(&pages.lock))
    return false;
  walloc_map_give(first, count);
  note_free(first, count);
  walloc_lock_release(&pages.lock);
  return true;
}

walloc_error walloc_pages_prepare(page_index count) {
  if (count == 0)
    return WALLOC_OK;
  if (!walloc_lock_acquire(&pages.lock))
    return WALLOC_ERROR_BUSY;
  page_index first;
  bool found = count <= PAGE_LIMIT && find(count, &first);
  walloc_lock_release(&pages.lock);
  return found ? WALLOC_OK : WALLOC_ERROR_OUT_OF_MEMORY;
}

bool walloc_pages_adopt(page_index first, page_index count) {
  if (!walloc_lock_acquire(&pages.lock))
    return false;
  walloc_map_take(first, count, PAGE_OWN);
  set(obtained, get(obtained) + count);
  set(own, get(own) + count);
  walloc_lock_release(&pages.lock);
  return true;
}

walloc_pages_sums walloc_pages_count(void) {
  walloc_pages_sums sums = {
      .maximum = get(maximum), .obtained = get(obtained), .free = get(free), .own = get(own)};
  uint64_t limit = walloc_platform_maximum() / WALLOC_PAGE_SIZE;
  uint64_t next = walloc_platform_end() / WALLOC_PAGE_SIZE;
  if (limit > PAGE_LIMIT)
    limit = PAGE_LIMIT;
  page_index space = next < limit ? (page_index)(limit - next) : 0;
  page_index allowed = below_maximum();
  sums.headroom = space < allowed ? space : allowed;
  return sums;
}
