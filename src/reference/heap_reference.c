/* References to blocks of the heap. Any thread. For whoever only checks references this file is not needed.
 *
 *     block  | asked for .............. | rounding | slot : 32 | 32 unused |   end of what is usable
 *
 * Blocks with references are ordinary blocks, but for where they lie: small ones in spans of the first part, which no
 * thread has, larger ones in pages of their own. So a free by the block's address is never the short way of a
 * thread's own block; on the longer one the heap asks here (hooks.h), and the slot's number at the block's end
 * leads to its slot. That number is not believed: the slot must name the block. Where a program has written over
 * it, the block is freed all the same, and its reference is not stale before it is freed by it; where it is
 * something else's block, the number is its owner's bytes, and no slot names it.
 *
 * Blocks of the part's spans may also go to threads as ordinary blocks, when those look for some (remote.c):
 * they come back the same way, as nobody adopts these spans. The other way round never: the part is only given its own.
 *
 * What a kill leaves behind, with the lock, which names the dead thread: a block and its slot in hand, leaked, or a
 * span; the part as a thread's own would be (mend.c), which recovery mends in the same way. Behind the lock being left,
 * and in freeing: the block in hand, and its slot. */
#include "walloc_reference.h"

#include "error/error.h"
#include "heap/part.h"
#include "heap/poison.h"
#include "heap/sweep.h"
#include "lock/lock.h"
#include "reference/hooks.h"
#include "reference/slots.h"

#define SLOT_ROOM ((size_t)8)
#define UNIT ((size_t)16)
#define GUARD_ROOM ((size_t)(BLOCKS_HAVE_GUARDS ? 8 : 0))

/* Guards the part and the taking of slots. */
static walloc_lock lock;

/* ---- Small blocks, under the lock ----------------------------------------------------------- */

static bool sweep(heap_part *part, uint32_t c) {
  return walloc_sweep_is_due(part) && walloc_sweep(part, false, false) && part->lists[c] != 0;
}

/* The part has a block of the class before malloc is told to take one from it; so it takes none elsewhere. */
static void *take_small(size_t bytes, walloc_error *error) {
  heap_part *part = walloc_part_apart(), *own = walloc_own_part;
  uint32_t c = class_of(bytes + GUARD_ROOM);
  *error = WALLOC_ERROR_OUT_OF_MEMORY;
  if (part == NULL)
    return NULL;
  if (part->lists[c] == 0 && !walloc_part_take_sent(part, c) && !sweep(part, c)) {
    *error = walloc_part_add_span(part, c, span_pages(c));
    if (*error != WALLOC_OK)
      return NULL;
  }
  walloc_own_part = part;
  void *block = walloc_malloc(bytes);
  walloc_own_part = own;
  return block;
}

/* ---- The slot's number ---------------------------------------------------------------------- */

/* NULL: the hardened build says what was asked for, which with a reference is whole units. */
static uint32_t *number_at_end(void *block) {
  size_t usable = walloc_usable_size(block);
  if (usable % UNIT != 0)
    return NULL;
  return (uint32_t *)(void *)((char *)block + usable - SLOT_ROOM);
}

/* Whether there can be a block with a reference at the address. */
static bool may_have_reference(const void *block, page_mark mark) {
  if (mark == PAGE_HUGE)
    return block == page_address(page_of(block));
  uint32_t c = mark % (1 << PART_SHIFT);
  if (mark >> PART_SHIFT != PART_APART)
    return false;
  return offset_of(block) % span_bytes(c) % class_size(c) == 0;
}

void walloc_reference_freed(void *block, page_mark mark) {
  uint32_t *number = may_have_reference(block, mark) ? number_at_end(block) : NULL;
  if (number == NULL)
    return;
  memory_unpoison(number, SLOT_ROOM);
  uint64_t word = walloc_slot_word(*number, block);
  if (word != 0)
    (void)walloc_slot_end(word);
}

void walloc_references_forget(void) { walloc_slots_end(); }

/* ---- When a thread has died ------------------------------------------------------------------ */

/* Killed in here: the same again, under the recoverer's name. */
void walloc_references_thread_lost(uint32_t thread) {
  if (!walloc_lock_take_over(&lock, thread))
    return;
  heap_part *part = walloc_part(0);
  if (part != NULL)
    walloc_part_mend(part);
  walloc_slots_mend();
  walloc_lock_release(&lock);
}

/* ---- The public functions ------------------------------------------------------------------- */

/* Under the lock. Above the small sizes an alignment makes it pages of its own. */
static void *take(size_t bytes, walloc_error *error) {
  if (bytes + GUARD_ROOM <= SMALL_MAX)
    return take_small(bytes, error);
  void *block = walloc_aligned_alloc(2 * UNIT, bytes);
  *error = block != NULL ? WALLOC_OK : WALLOC_ERROR_OUT_OF_MEMORY;
  return block;
}

/* Under the lock. */
static walloc_error take_with_slot(size_t size, walloc_ref *ref) {
  walloc_error error;
  uint32_t slot = walloc_slot_take(&error);
  if (slot == 0)
    return error;
  size_t bytes = (size + (size == 0) + SLOT_ROOM + UNIT - 1) & ~(UNIT - 1);
  void *block = take(bytes, &error);
  if (block == NULL) {
    walloc_slot_give(slot);
    return error;
  }
  uint32_t *number = number_at_end(block);
  *number = slot;
  if (!BLOCKS_HAVE_GUARDS)
    memory_poison(block, (size_t)((char *)number - (char *)block) + SLOT_ROOM);
  memory_unpoison(block, size);
  *ref = (walloc_ref){REFERENCES_OF_HEAP, block, size, walloc_slot_use(slot, block)};
  return WALLOC_OK;
}

walloc_ref walloc_malloc_ref(size_t size) {
  walloc_ref ref = {NULL, NULL, 0, 0};
  walloc_error error = WALLOC_ERROR_OUT_OF_MEMORY;
  if (size <= WALLOC_SPACE_SIZE - WALLOC_PAGE_SIZE - SLOT_ROOM - UNIT) {
    error = WALLOC_ERROR_BUSY;
    if (walloc_lock_acquire(&lock)) {
      error = take_with_slot(size, &ref);
      walloc_lock_release(&lock);
    }
  }
  if (error != WALLOC_OK)
    walloc_fail(error);
  return ref;
}

walloc_error walloc_free_ref(walloc_ref ref) {
  if (ref.arena != REFERENCES_OF_HEAP)
    return WALLOC_ERROR_ARENA;
  if (!walloc_slot_end(ref.place))
    return WALLOC_ERROR_STALE;
  walloc_free(ref.address);
  return WALLOC_OK;
}
