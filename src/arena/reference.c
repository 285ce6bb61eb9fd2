/* References: blocks that know their generation. Any thread. Those of the heap are made elsewhere, and are
 * checked here: see reference/slot.h. */
#include "arena/history.h"

#include "error/error.h"
#include "reference/slot.h"
#include "walloc_reference.h"

static walloc_ref reference(walloc_arena *arena, void *address, size_t size, place end) {
  if (address == NULL)
    return (walloc_ref){NULL, NULL, 0, 0};
  return (walloc_ref){arena, address, size, end};
}

walloc_ref walloc_alloc_ref(walloc_arena *arena, size_t size) {
  place end = 0;
  void *address = walloc_arena_allocate(arena, size, 0, &end);
  return reference(arena, address, size, end);
}

walloc_ref walloc_alloc_aligned_ref(walloc_arena *arena, size_t size, size_t alignment) {
  place end = 0;
  if (alignment == 0)
    alignment = SIZE_MAX; /* zero would be the arena's own */
  void *address = walloc_arena_allocate(arena, size, alignment, &end);
  return reference(arena, address, size, end);
}

bool walloc_ref_valid(walloc_ref ref) {
  if (ref.arena == REFERENCES_OF_HEAP)
    return slot_holds(ref.place);
  return ref.address != NULL && walloc_arena_check(ref.arena) == WALLOC_OK &&
         walloc_history_holds(ref.arena, ref.place);
}

void *walloc_ref_get(walloc_ref ref) {
  return walloc_ref_valid(ref) ? ref.address : walloc_fail(WALLOC_ERROR_STALE);
}

void *walloc_ref_get_range(walloc_ref ref, size_t offset, size_t length) {
  if (!walloc_ref_valid(ref))
    return walloc_fail(WALLOC_ERROR_STALE);
  if (offset > ref.size || length > ref.size - offset)
    return walloc_fail(WALLOC_ERROR_SIZE);
  return (char *)ref.address + offset;
}
