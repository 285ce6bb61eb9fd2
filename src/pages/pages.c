/* The page provider. See pages.h.
 *
 *     0                                                    top                    PAGE_LIMIT
 *     | foreign | runs, free runs, other people's memory    | never obtained       |
 *
 * Invariants, whenever the page lock is free: no page from `top` on is free; first_free is what map.h says of
 * run_begins; `obtained` is the number of pages that are not foreign.
 *
 * What a kill leaves behind (with the lock, which names the dead thread): the map is the truth, and
 * each of the numbers below can be counted from it again. Between the platform's grant and its
 * marking, up to one grant of memory is foreign for good.
 *
 * Where several entries of the map change, an intent says which, by one store before the first of them:
 *
 *     | first page : 32 | how many : 32 |       0: none
 *
 * Killed while there is one, these pages become free: a run that was being taken was nobody's yet, and
 * one that was being given, or had just been obtained, is to be free anyway. The intent is cleared, by one
 * store, right before the lock is left; from then on a run that was taken is its owner's. */
#include "pages/pages.h"

#include "lock/lock.h"
#include "platform/sanitizer.h"

#define NOINLINE __attribute__((noinline)) /* where it only makes the code larger */

/* Written only by the lock's holder. What others read, as statistics, is atomic, relaxed. */
static struct {
  walloc_lock lock;
  _Atomic page_index top;
  run_begins first_free;
  _Atomic page_index withheld; /* of all there can be, by the maximum */
  _Atomic page_index obtained, free, own, heap, heap_peak;
  uint64_t intent; /* see above */
} pages;

#define get(field) atomic_load_explicit(&pages.field, memory_order_relaxed)
#define set(field, value) atomic_store_explicit(&pages.field, (value), memory_order_relaxed)

void walloc_pages_start(size_t maximum) {
  uint64_t count = maximum / WALLOC_PAGE_SIZE;
  set(withheld, count > PAGE_LIMIT ? 0 : PAGE_LIMIT - (page_index)count);
}

/* ---- Under the lock ----------------------------------------------------------------------- */

/* Before the map is changed. One replaces the other, as what an earlier one was about is done by then. */
static NOINLINE void intend(page_index first, page_index count) {
  stores_in_order();
  pages.intent = (uint64_t)first << 32 | count;
  stores_in_order();
}

/* Killed before the store: as described above. Behind it: all is done, but for the lock. */
static NOINLINE void leave(void) {
  intend(0, 0);
  walloc_lock_release(&pages.lock);
}

/* The free run around the pages may begin before them, and where it goes on behind, it counts as a long one. */
static void note_free(page_index first, page_index count) {
  page_index begin = first - walloc_map_free_before(first, RUN_LENGTH_MAX);
  page_index length = page_is_free(first + count) ? RUN_LENGTH_MAX : first + count - begin;
  set(free, get(free) + count);
  for (uint32_t level = 0; level < RUN_LEVELS && run_length(level) <= length; level++)
    if (begin < pages.first_free[level])
      pages.first_free[level] = begin;
}

static NOINLINE void note_obtained(page_index first, page_index end) {
  if (end > get(top))
    set(top, end);
  set(obtained, get(obtained) + (end - first));
}

/* The pages below the limit, and below the end of the map, join the free ones. */
static void accept(page_index first, page_index end) {
  page_index limit = walloc_map_reaches(end) ? PAGE_LIMIT : MAP_LOW;
  if (end > limit)
    end = limit;
  if (first >= end)
    return;
  intend(first, end - first);
  note_obtained(first, end);
  walloc_map_give(first, end - first, PAGE_FRESH);
  note_free(first, end - first);
}

/* How many pages to ask the platform for so that the run comes out at its alignment, if nobody else grows the
 * memory at the same moment: free pages at the very end need not be obtained again. 0: the limit of the address
 * space is in the way. */
static page_index pages_missing(page_index count, page_index alignment) {
  page_index next = walloc_platform_end_page();
  page_index behind = walloc_map_free_before(next, count + alignment);
  page_index over = (next - behind) % alignment;
  count += over == 0 ? 0 : alignment - over;
  page_index missing = count > behind ? count - behind : 1;
  return next < PAGE_LIMIT && missing <= PAGE_LIMIT - next ? missing : 0;
}

/* What may still be obtained. The last growth may have gone above the maximum by less than what the
 * platform grows by at least, and an earlier walloc may have had a larger one. */
static NOINLINE page_index below_maximum(void) {
  page_index most = PAGE_LIMIT - get(withheld), now = get(obtained);
  return now < most ? most - now : 0;
}

static void adopt(page_index first, page_index end) {
  note_obtained(first, end);
  (void)walloc_map_take(first, end - first, PAGE_OWN);
  set(own, get(own) + (end - first));
}

/* The high map, out of pages of its own: one more is asked for, as another who grows at the same moment can
 * make the grant begin in the middle of a page. False when there are none. What a kill leaves behind: before
 * the map has them, its pages, foreign for good. */
static bool extend_map(void) {
  if (MAP_HIGH_PAGES >= below_maximum())
    return false;
  walloc_grant grant = walloc_platform_grow(MAP_HIGH_PAGES + 1);
  page_index first = grant.first_page, behind = first + MAP_HIGH_PAGES;
  if (grant.pages == 0)
    return false;
  walloc_map_extend(first);
  adopt(first, behind);
  accept(behind, first + grant.pages);
  return true;
}

/* One growth towards a free run. False when there can be no more. */
static bool grow_once(page_index count, page_index alignment) {
  if (!walloc_platform_start())
    return false;
  if (!walloc_map_reaches(walloc_platform_end_page() + count) && !extend_map())
    return false;
  page_index missing = pages_missing(count, alignment);
  if (missing == 0 || missing > below_maximum())
    return false;
  walloc_grant grant = walloc_platform_grow(missing);
  if (grant.pages == 0)
    return false;
  accept(grant.first_page, grant.first_page + grant.pages);
  return true;
}

static bool find_free(page_index count, page_index alignment, page_index *first) {
  page_index top = get(top);
  if (count > get(free))
    return false;
  *first = walloc_map_find(pages.first_free, top, count, alignment);
  return *first != top;
}

/* Finds a free run, growing as often as it takes: once, unless others grow too or a step is limited.
 * Each turn obtains memory, so the loop ends at the maximum at the latest. */
static bool find(page_index count, page_index alignment, bool may_grow, page_index *first) {
  while (!find_free(count, alignment, first)) {
    if (!may_grow || !grow_once(count, alignment))
      return false;
  }
  return true;
}

/* ---- The provider ------------------------------------------------------------------------- */

/* Statistics of what the heap holds, and walloc's own data. */
static void count_owner(page_mark owner, page_index change) {
  if (page_mark_is_own(owner))
    set(own, get(own) + change);
  if (!page_mark_is_heap(owner))
    return;
  page_index now = get(heap) + change;
  set(heap, now);
  if (now > get(heap_peak))
    set(heap_peak, now);
}

static bool take(page_index first, page_index count, page_mark owner) {
  intend(first, count);
  count_owner(owner, count);
  memory_unpoison(page_address(first), (size_t)count * WALLOC_PAGE_SIZE);
  bool fresh = walloc_map_take(first, count, owner);
  set(free, get(free) - count);
  return fresh;
}

walloc_error walloc_pages_take(page_index count, page_index alignment, page_mark owner,
                               bool may_grow, page_run *run) {
  if (count - 1 >= PAGE_LIMIT)
    return WALLOC_ERROR_OUT_OF_MEMORY;
  if (!walloc_lock_insist(&pages.lock))
    return WALLOC_ERROR_BUSY;
  bool found = find(count, alignment, may_grow, &run->first);
  if (found)
    run->fresh = take(run->first, count, owner);
  leave();
  return found ? WALLOC_OK : WALLOC_ERROR_OUT_OF_MEMORY;
}

/* Whether the next growth will continue our memory, as far as one can know. */
static bool nobody_grew_behind(void) { return walloc_platform_end_page() <= get(top); }

/* Whether all pages are free. *missing: how many of them, at the end, are not obtained yet. */
static bool is_free_or_beyond(page_index first, page_index count, page_index *missing) {
  page_index end = first + count, top = get(top);
  *missing = end <= top ? 0 : first >= top ? count : end - top;
  for (page_index page = first; page < end - *missing; page++)
    if (!page_is_free(page))
      return false;
  return true;
}

/* The same for exactly these pages. */
static bool find_at(page_index first, page_index count) {
  page_index missing;
  while (is_free_or_beyond(first, count, &missing)) {
    if (missing == 0)
      return true;
    if (!nobody_grew_behind() || !grow_once(count, 1))
      return false;
  }
  return false;
}

walloc_error walloc_pages_take_at(page_index first, page_index count, page_mark owner,
                                  bool *fresh) {
  if (first >= PAGE_LIMIT || count > PAGE_LIMIT - first)
    return WALLOC_ERROR_OUT_OF_MEMORY;
  if (!walloc_lock_acquire(&pages.lock))
    return WALLOC_ERROR_BUSY;
  bool found = find_at(first, count);
  if (found)
    *fresh = take(first, count, owner);
  leave();
  return found ? WALLOC_OK : WALLOC_ERROR_OUT_OF_MEMORY;
}

static void give(page_index first, page_index count) {
  intend(first, count);
  count_owner(page_entry(first), 0 - count);
  memory_poison(page_address(first), (size_t)count * WALLOC_PAGE_SIZE); /* until it is taken */
  walloc_map_give(first, count, PAGE_FREE);
  note_free(first, count);
}

bool walloc_pages_give(page_index first, page_index count) {
  if (!walloc_lock_insist(&pages.lock))
    return false;
  give(first, count);
  leave();
  return true;
}

walloc_error walloc_pages_prepare(page_index count) {
  if (count == 0)
    return WALLOC_OK;
  if (!walloc_lock_acquire(&pages.lock))
    return WALLOC_ERROR_BUSY;
  page_index first;
  bool found = count <= PAGE_LIMIT && find(count, 1, true, &first);
  leave();
  return found ? WALLOC_OK : WALLOC_ERROR_OUT_OF_MEMORY;
}

bool walloc_pages_adopt(page_index first, page_index count) {
  if (!walloc_lock_acquire(&pages.lock))
    return false;
  adopt(first, first + count);
  leave();
  return true;
}

page_index walloc_pages_top(void) { return get(top); }

page_index walloc_pages_of_heap(void) { return get(heap); }

walloc_pages_sums walloc_pages_count(void) {
  walloc_pages_sums sums = {.maximum = PAGE_LIMIT - get(withheld),
                            .obtained = get(obtained),
                            .free = get(free),
                            .own = get(own),
                            .heap = get(heap),
                            .heap_peak = get(heap_peak)};
  uint64_t limit = walloc_platform_maximum() / WALLOC_PAGE_SIZE;
  page_index next = walloc_platform_end_page();
  if (limit > PAGE_LIMIT)
    limit = PAGE_LIMIT;
  page_index space = next < limit ? (page_index)(limit - next) : 0;
  page_index allowed = below_maximum();
  sums.headroom = space < allowed ? space : allowed;
  return sums;
}

/* ---- When a thread has died: see pages.h --------------------------------------------------- */

/* Counts again what the map says. Nothing is known any more about where free runs begin. */
static void count_again(void) {
  page_index top = 0, obtained = 0, free = 0, own = 0, heap = 0, end = get(top);
  for (page_index page = 0; page < end; page++) {
    page_mark mark = page_entry(page);
    if (mark == PAGE_FOREIGN)
      continue;
    top = page + 1;
    obtained++;
    free += page_is_free(page);
    own += page_mark_is_own(mark);
    heap += page_mark_is_heap(mark);
  }
  set(top, top);
  set(obtained, obtained);
  set(free, free);
  set(own, own);
  set(heap, heap);
  __builtin_memset(pages.first_free, 0, sizeof pages.first_free);
}

/* Killed in here: the intent stays until all is done, and the same is done again. */
static void mend(void) {
  page_index first = (page_index)(pages.intent >> 32), count = (page_index)pages.intent;
  if (first + count > get(top))
    set(top, first + count);
  if (count != 0)
    walloc_map_give(first, count, PAGE_FREE);
  count_again();
}

bool walloc_pages_hold(uint32_t dead) {
  if (walloc_lock_take_over(&pages.lock, dead)) {
    mend();
    return true;
  }
  return walloc_lock_try_for_a_while(&pages.lock);
}

void walloc_pages_give_held(page_index first, page_index count) { give(first, count); }

void walloc_pages_leave(void) { leave(); }
