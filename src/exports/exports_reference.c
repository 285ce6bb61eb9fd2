/* What JavaScript calls of references to the heap. A reference's place goes in and out as two numbers. Each is
 * called from the thread that owns the instance, after thread_start. */
#include "exports/exported.h"
#include "pages/map.h"
#include "reference/slots.h"
#include "walloc_reference.h"

void *walloc_export_scratch(void);

static uint64_t place_from(uint32_t low, uint32_t high) { return (uint64_t)high << 32 | low; }

/* The place goes to the scratch area. */
EXPORTED("malloc_ref") void *walloc_export_malloc_ref(size_t size) {
  walloc_ref ref = walloc_malloc_ref(size);
  *(uint64_t *)walloc_export_scratch() = ref.place;
  return ref.address;
}

/* The slot's block is the reference's if its word is: which the free finds out. */
EXPORTED("free_ref") walloc_error walloc_export_free_ref(uint32_t low, uint32_t high) {
  uintptr_t block = atomic_load_explicit(&slot_at(slot_of(low))->block, memory_order_relaxed);
  return walloc_free_ref((walloc_ref){REFERENCES_OF_HEAP, (void *)block, 0, place_from(low, high)});
}

/* Whether there is such a slot, and how its block is: 0 no slot, 1 the block is gone, 2 it is there, but the
 * range is not within it, 3 it is. */
EXPORTED("ref_state")
unsigned walloc_export_ref_state(uint32_t low, uint32_t high, uint32_t address, uint32_t length) {
  uint32_t slot = slot_of(low);
  if (page_entry(slot / (uint32_t)(WALLOC_PAGE_SIZE / SLOT_SIZE)) != PAGE_SLOTS)
    return 0;
  uint64_t word = place_from(low, high);
  if (!slot_holds(word))
    return 1;
  uint32_t block = atomic_load_explicit(&slot_at(slot)->block, memory_order_relaxed);
  uint64_t end = block + (uint64_t)walloc_usable_size((void *)(uintptr_t)block) - 8;
  return address >= block && (uint64_t)address + length <= end ? 3 : 2;
}
