/* The table of slots: see slot.h. Taking one is done under the lock of heap_reference.c, all else by any
 * thread. */
#ifndef WALLOC_REFERENCE_SLOTS_H
#define WALLOC_REFERENCE_SLOTS_H

#include "reference/slot.h"

#define SLOTS_IN_PAGE ((uint32_t)(WALLOC_PAGE_SIZE / SLOT_SIZE))
#define GENERATION_ONE ((uint64_t)1 << GENERATION_SHIFT)

typedef struct free_slots {
  uint32_t spare, pages;  /* written under the lock; a page's first slot names the page before */
  _Atomic uint32_t ended; /* written by whoever pushes, and by who has the lock and takes all */
} free_slots;

/* Only for slots.c, and for tests that look at it after every step. */
extern free_slots walloc_free_slots;

/* A free slot, 0 for none: `error` tells why. Under the lock. */
uint32_t walloc_slot_take(walloc_error *error);

/* The slot is the block's: its word, a reference's place. Under the lock. */
uint64_t walloc_slot_use(uint32_t slot, const void *block);

/* Back, unused. Under the lock. */
void walloc_slot_give(uint32_t slot);

/* Ends what a word stands for. True for one caller only. */
bool walloc_slot_end(uint64_t word);

/* The word of the slot if it is this block's, else 0. The number may be anything. */
uint64_t walloc_slot_word(uint32_t slot, const void *block);

/* Ends all. Alone. */
void walloc_slots_end(void);

/* For recovery, under the lock of the dead thread: what it left in two lists is in one. */
void walloc_slots_mend(void);

#endif
