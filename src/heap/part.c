/* Parts: which thread has which, and where they are kept.
 *
 * Argument. A part is used by at most one thread at a time: only a compare-and-swap of `thread` from 0
 * takes it, and only who has it stores 0. Taking acquires, leaving releases, so the next user sees the
 * part as the last one left it.
 *
 * Parts are never freed: a finished thread's is the next one's, and there are never more of them than
 * threads have been alive at once. */
#include "heap/part.h"

#include "heap/sweep.h"
#include "pages/pages.h"

_Thread_local heap_part *walloc_own_part = &walloc_no_part;

/* Their lists are empty, and no block is theirs, so an allocation and a free both take the slow way. */
heap_part walloc_no_part = {.key = NO_PART}, walloc_ended_part = {.key = NO_PART};

/* Some to each page. Slots are filled from the first on, and once each, by compare-and-swap; release, pairs
 * with acquire: who sees a part sees its key, and zeros. The last slot stays empty. */
#define PARTS_IN_PAGE (WALLOC_PAGE_SIZE / sizeof(heap_part))
typedef heap_part *part_slot;
static _Atomic part_slot parts[PARTS + 1];

heap_part *walloc_part(uint32_t n) {
  heap_part *part = atomic_load_explicit(&parts[n], memory_order_acquire);
  if (part != NULL)
    walloc_platform_meet_growth(&part->key);
  return part;
}

bool walloc_part_borrow(heap_part *part) {
  uint32_t nobody = 0;
  return atomic_load_explicit(&part->thread, memory_order_relaxed) == 0 &&
         atomic_compare_exchange_strong_explicit(&part->thread, &nobody, walloc_platform_thread(),
                                                 memory_order_acquire, memory_order_relaxed);
}

void walloc_part_return(heap_part *part) {
  atomic_store_explicit(&part->thread, 0, memory_order_release);
}

/* Into the first empty slot from the nth on. */
static void enter_slot(uint32_t n, heap_part *part) {
  for (; n < PARTS; n++) {
    heap_part *none = NULL;
    part->key = (n + PARTS_FIRST) << PART_SHIFT;
    atomic_store_explicit(&part->thread, n + PARTS_FIRST == PART_APART ? NOBODY : 0,
                          memory_order_relaxed);
    if (atomic_compare_exchange_strong_explicit(&parts[n], &none, part, memory_order_acq_rel,
                                                memory_order_relaxed))
      return;
  }
}

/* A page of parts. Another thread may add some for the same slots: then there are more of them. */
static bool add_parts(uint32_t n) {
  page_run run;
  if (walloc_pages_take(1, 1, PAGE_OWN, true, &run) != WALLOC_OK)
    return false;
  heap_part *page = (heap_part *)(void *)page_address(run.first);
  __builtin_memset((void *)page, 0, WALLOC_PAGE_SIZE);
  for (uint32_t i = 0; i < PARTS_IN_PAGE; i++)
    enter_slot(n, &page[i]);
  return true;
}

heap_part *walloc_part_apart(void) {
  if (walloc_part(0) == NULL)
    (void)add_parts(0);
  return walloc_part(0);
}

static heap_part *find_part(void) {
  for (uint32_t n = 0; n < PARTS; n++) {
    if (walloc_part(n) == NULL && !add_parts(n))
      break;
    heap_part *part = walloc_part(n);
    if (walloc_part_borrow(part))
      return part;
  }
  return &walloc_no_part;
}

/* What has been collected goes first: it is the thread's own until then. */
static void leave(heap_part *now) {
  heap_part *part = walloc_own_part;
  if (is_no_part(part))
    return;
  walloc_own_part = now;
  walloc_part_send_all(part);
  walloc_part_return(part);
}

void walloc_thread_end(void) { leave(&walloc_no_part); }

/* Destructors may still allocate and free, but nobody would tell when they have done so last. */
static void end(void *unused) {
  (void)unused;
  leave(&walloc_ended_part);
}

/* What the part had for another thread's needs becomes pages again, as far as it is free, when this thread looks around or
 * is about to grow the memory: before, it may need just that. */
heap_part *walloc_part_enter(void) {
  heap_part *part = find_part();
  if (!is_no_part(part)) {
    walloc_own_part = part;
    walloc_platform_at_thread_end(end);
    walloc_sweep_soon(part);
  }
  return part;
}
