/* See slots.h.
 *
 *     free slots:   spare ──► slot ──► slot          under the lock
 *                   ended ──► slot ──► slot          a stack: whoever frees a block pushes
 *
 * Argument. The stack is only ever taken whole, so what comes back in between (ABA) does no harm;
 * release and acquire: who takes it sees the links. A word goes from odd to even by one compare-and-swap: of
 * several who free by the same reference, one succeeds, and pushes. From even to odd it is taken by who has the
 * slot out of a list, so alone.
 *
 * All slots of the spare list are used before the stack is taken: so they take turns.
 *
 * What a kill leaves behind: the slot in hand, of 16 bytes, or the page whose slots were being added. With the lock,
 * which names the dead thread: the stack in the place of the spare list, too, by which recovery knows
 * (walloc_slots_mend). */
#include "reference/slots.h"

#include "pages/pages.h"

free_slots walloc_free_slots;

static void push_ended(uint32_t slot) {
  uint32_t top = atomic_load_explicit(&walloc_free_slots.ended, memory_order_relaxed);
  do {
    slot_at(slot)->next = top;
  } while (!atomic_compare_exchange_weak_explicit(&walloc_free_slots.ended, &top, slot,
                                                  memory_order_release, memory_order_relaxed));
}

/* The stack becomes the spare list, which is empty. Killed between the store and the swap: slots are in both. */
static void take_ended(void) {
  uint32_t top = atomic_load_explicit(&walloc_free_slots.ended, memory_order_relaxed);
  do {
    walloc_free_slots.spare = top;
    stores_in_order();
  } while (top != 0 &&
           !atomic_compare_exchange_weak_explicit(&walloc_free_slots.ended, &top, 0,
                                                  memory_order_acquire, memory_order_relaxed));
}

/* All zero, and with its own number in each word. Killed before the last store: its slots are lost. */
static walloc_error add_page(void) {
  page_run run;
  walloc_error error = walloc_pages_take(1, 1, PAGE_SLOTS, true, &run);
  if (error != WALLOC_OK)
    return error;
  uint32_t first = run.first * SLOTS_IN_PAGE, next = 0;
  slot_at(first)->next = walloc_free_slots.pages;
  for (uint32_t slot = first + SLOTS_IN_PAGE - 1; slot > first; slot--) {
    atomic_store_explicit(&slot_at(slot)->word, slot, memory_order_relaxed);
    slot_at(slot)->next = next;
    next = slot;
  }
  stores_in_order();
  walloc_free_slots.pages = first;
  stores_in_order();
  walloc_free_slots.spare = next;
  return WALLOC_OK;
}

uint32_t walloc_slot_take(walloc_error *error) {
  *error = WALLOC_OK;
  if (walloc_free_slots.spare == 0)
    take_ended();
  if (walloc_free_slots.spare == 0)
    *error = add_page();
  uint32_t slot = walloc_free_slots.spare;
  if (slot != 0)
    walloc_free_slots.spare = slot_at(slot)->next;
  return slot;
}

void walloc_slot_give(uint32_t slot) {
  slot_at(slot)->next = walloc_free_slots.spare;
  walloc_free_slots.spare = slot;
}

uint64_t walloc_slot_use(uint32_t slot, const void *block) {
  reference_slot *s = slot_at(slot);
  uint32_t offset = (uint32_t)((uintptr_t)block - walloc_platform_base());
  atomic_store_explicit(&s->block, offset, memory_order_relaxed);
  uint64_t word = atomic_load_explicit(&s->word, memory_order_relaxed) + GENERATION_ONE;
  atomic_store_explicit(&s->word, word, memory_order_relaxed);
  return word;
}

/* The last generation is followed by 0, and the slot is in no list any more. */
bool walloc_slot_end(uint64_t word) {
  uint32_t slot = slot_of(word);
  if (!atomic_compare_exchange_strong_explicit(&slot_at(slot)->word, &word, word + GENERATION_ONE,
                                               memory_order_relaxed, memory_order_relaxed))
    return false;
  if (place_generation(word) != GENERATION_MASK)
    push_ended(slot);
  return true;
}

uint64_t walloc_slot_word(uint32_t slot, const void *block) {
  if (slot % SLOTS_IN_PAGE == 0 || page_entry(slot / SLOTS_IN_PAGE) != PAGE_SLOTS)
    return 0;
  const reference_slot *s = slot_at(slot);
  uint64_t word = atomic_load_explicit(&s->word, memory_order_relaxed);
  uint32_t offset = atomic_load_explicit(&s->block, memory_order_relaxed);
  bool is_its = offset == (uint32_t)((uintptr_t)block - walloc_platform_base());
  return is_its && (place_generation(word) & 1) != 0 ? word : 0;
}

void walloc_slots_end(void) {
  for (uint32_t first = walloc_free_slots.pages; first != 0; first = slot_at(first)->next)
    for (uint32_t slot = first + 1; slot < first + SLOTS_IN_PAGE; slot++) {
      uint64_t word = atomic_load_explicit(&slot_at(slot)->word, memory_order_relaxed);
      if ((place_generation(word) & 1) != 0)
        (void)walloc_slot_end(word);
    }
}

/* Nobody else takes from the stack, so its links stay; acquire: they are seen. A free slot is in one list only, so
 * that this is where the dead thread was. */
void walloc_slots_mend(void) {
  uint32_t slot = atomic_load_explicit(&walloc_free_slots.ended, memory_order_acquire);
  while (slot != 0 && slot != walloc_free_slots.spare)
    slot = slot_at(slot)->next;
  if (slot != 0)
    walloc_free_slots.spare = 0;
}
