/* References to blocks of the heap, and ranges within a referenced block. See walloc.h for those of arenas.
 *
 *     walloc_ref ref = walloc_malloc_ref(1000);
 *     char *text = walloc_ref_get_range(ref, 100, 50);     NULL: gone, or not within the block
 *     walloc_free_ref(ref);                                or walloc_free(ref.address)
 *     walloc_ref_valid(ref);                               false, from now on
 *
 * A reference to a block of the heap is a walloc_ref like any other: plain data, whose `arena` is none that
 * anything else may be done to. walloc_ref_valid, walloc_ref_get and queues take both kinds; walloc_pin_ref only
 * an arena's.
 *
 * It is stale as soon as its block is freed, by whom and in what way ever, and after walloc_heap_reset; it stays so
 * when the memory is used again by whomever, and has no limit in time: no two blocks ever have the same one.
 * Those of arenas have one: they count 24 bits of generations and wrap, see walloc_ref in walloc.h.
 *
 * A check tells that the block was there at a moment during the call. As with arenas, order the free after
 * the last use.
 *
 * Any thread, at any time. docs/references.md says what is caught in which build, and what it costs. */
#ifndef WALLOC_REFERENCE_H
#define WALLOC_REFERENCE_H

#include "walloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* walloc_malloc with a reference. address NULL: OUT_OF_MEMORY, BUSY. The block has `ref.size` bytes, not more
 * (walloc_usable_size counts what belongs to the reference, too), and is freed like any other, or by its
 * reference; but it may not be given to walloc_realloc. Needs no walloc_init. Cost: a lock, taken and left, 8 bytes of the
 * block and 16 beside it; above 32 KiB it is a run of pages of its own. */
walloc_ref walloc_malloc_ref(size_t size);

/* Frees the block, once: of several threads with the same reference one gets OK, the others STALE. ARENA: it is
 * not a block of the heap. Cost: that of a walloc_free to another thread, and a compare-and-swap. */
walloc_error walloc_free_ref(walloc_ref ref);

/* The address `offset` bytes into the block, if the block is there and has `length` bytes behind that. NULL:
 * STALE, SIZE. For both kinds of references. Cost: walloc_ref_valid, and two comparisons. */
void *walloc_ref_get_range(walloc_ref ref, size_t offset, size_t length);

#ifdef __cplusplus
}
#endif

#endif
