/* See fallback.h. Each arena has a stack of its blocks:
 *
 *     arena->fallback ──► | next | place | padding | block ... ──► | next | place | ...
 *                         head, as large as the alignment
 *
 * Argument. Blocks are pushed by compare-and-swap and only ever taken all at once, by exchange: so whoever
 * takes them has them alone, and what is on top may come back in between (ABA) without harm. Release and
 * acquire: who takes a block sees its head.
 *
 * A block's place is the cursor's when it was taken from the heap. When its generation ends in between, it is
 * stale before its owner has it, as any other block may be; it goes back with the next generation that ends.
 * Those that end generations come here after that; of two at the same time one may find the stack empty, and the
 * other puts back what is still good.
 *
 * What a kill leaves behind: the blocks in the hands of who died, leaked. */
#include "fallback/fallback.h"

#include "arena/history.h"

typedef struct head {
  struct head *next;
  place at;
} head;

_Static_assert(sizeof(head) <= 16, "a head fits the least alignment of a heap's block");

static size_t head_room(const request *r) {
  return r->alignment < sizeof(head) ? sizeof(head) : (size_t)r->alignment;
}

static void push(walloc_arena *arena, head *h) {
  uintptr_t top = atomic_load_explicit(&arena->fallback, memory_order_relaxed);
  do {
    h->next = (head *)top;
  } while (!atomic_compare_exchange_weak_explicit(&arena->fallback, &top, (uintptr_t)h,
                                                  memory_order_release, memory_order_relaxed));
}

block walloc_fallback_take(walloc_arena *arena, const request *r) {
  place at = walloc_arena_clip(arena, arena_cursor(arena));
  size_t room = head_room(r);
  head *h = r->bytes > SIZE_MAX - room
                ? NULL
                : walloc_aligned_alloc((size_t)r->alignment, (size_t)r->bytes + room);
  if (h == NULL)
    return (block){NULL, 0};
  h->at = at;
  push(arena, h);
  return (block){(char *)h + room, at};
}

void walloc_fallback_give(walloc_arena *arena, bool all) {
  if (atomic_load_explicit(&arena->fallback, memory_order_relaxed) == 0)
    return;
  head *h = (head *)atomic_exchange_explicit(&arena->fallback, 0, memory_order_acquire);
  for (head *next; h != NULL; h = next) {
    next = h->next;
    if (!all && walloc_history_holds(arena, h->at))
      push(arena, h);
    else
      walloc_free(h);
  }
}
