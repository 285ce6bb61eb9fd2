/* Slots: a word for each block of the heap that has a reference, by which the reference knows whether the block
 * is there.
 *
 *     ref.place = the word while the block is there
 *               = | generation : 24, odd | 12 unused | slot, its offset from the base / 16 : 28 |
 *
 * Freeing the block adds one to the generation: which is even, and no reference's. The slot's next block has the
 * next one. A slot whose generations are used up, after eight million blocks, is not used again: so no two
 * references are ever the same, and a stale one is stale for ever.
 *
 * Pages of slots are never given back, and nothing but slots ever lies in them: so a check, also of a
 * reference that has been stale for long, reads a word that was never anything else and is only accessed by
 * atomic operations. In the block's own memory such a word would race with whoever writes there now.
 *
 * Relaxed: what was done before a check, by this thread or one that it synchronised with, it sees (coherence);
 * all else is concurrent with it. The word carries no data. */
#ifndef WALLOC_REFERENCE_SLOT_H
#define WALLOC_REFERENCE_SLOT_H

#include <stdatomic.h>

#include "arena/arena.h"

typedef struct reference_slot {
  _Atomic uint64_t word; /* written by who has the lock (slots.c), and by whoever frees the block */
  _Atomic uint32_t block; /* offset of the block that was here last; written under the lock */
  uint32_t next;          /* the free slot below; written by whoever has the slot alone */
} reference_slot;

#define SLOT_SIZE 16u
#define SLOT_MASK (((uint64_t)1 << 28) - 1)

_Static_assert(sizeof(reference_slot) == SLOT_SIZE, "a slot's number is its offset by its size");

/* In place of an arena, of references to the heap: one behind the last, so that it is none. */
#define REFERENCES_OF_HEAP (walloc_arenas + WALLOC_ARENAS_MAX)

static inline reference_slot *slot_at(uint32_t slot) {
  return (reference_slot *)(walloc_platform_base() + (uintptr_t)slot * SLOT_SIZE);
}

static inline uint32_t slot_of(uint64_t word) { return (uint32_t)(word & SLOT_MASK); }

/* Of a word that was some reference's. */
static inline bool slot_holds(uint64_t word) {
  return atomic_load_explicit(&slot_at(slot_of(word))->word, memory_order_relaxed) == word;
}

#endif
