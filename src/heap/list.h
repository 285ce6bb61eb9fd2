/* Lists of free blocks: one 64-bit word, and one in each block.
 *
 *     list   | room : 32 | first block : 32 |
 *                              |
 *                 block: | the list before this block was pushed : 64 | ... |
 *
 * A push writes the list into the block and then a new list word, with one less room; a pop writes back
 * what the block holds. So each takes one load and one store beside the list's, is committed by one
 * store, and the count of the room costs nothing: when it is used up, the pusher looks around (sweep.h).
 *
 * Blocks are named by their offset from the platform's base, in WebAssembly the address. 0: none.
 * A list is written by one thread only: the one that has the part that it belongs to. */
#ifndef WALLOC_HEAP_LIST_H
#define WALLOC_HEAP_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "heap/hardened.h"
#include "pages/map.h"

typedef uint64_t block_list;
typedef uint32_t block_offset;

static inline char *block_address(block_offset block) {
  return (char *)(walloc_platform_base() + block);
}

/* Of an address within the 4 GiB. */
static inline block_offset offset_of(const void *address) {
  return (block_offset)((uintptr_t)address - walloc_platform_base());
}

static inline page_index page_of_block(block_offset block) {
  return block / (uint32_t)WALLOC_PAGE_SIZE;
}

static inline block_offset list_first(block_list list) { return (block_offset)list; }

static inline uint32_t list_room(block_list list) { return (uint32_t)(list >> 32); }

static inline block_list list_with_room(block_list list, uint32_t room) {
  return (uint64_t)room << 32 | list_first(list);
}

static inline block_list list_below(block_offset block) {
  return harden_link(*(const block_list *)(const void *)block_address(block), block);
}

/* The list with the block on top; it has room. */
static inline block_list list_pushed(block_list list, block_offset block) {
  *(block_list *)(void *)block_address(block) = harden_link(list, block);
  return ((list & ~(block_list)UINT32_MAX) - ((block_list)1 << 32)) | block;
}

/* Lists of lists: a second word in the first block of each, behind the list's. */
static inline block_offset next_list(block_offset first) {
  return ((const block_offset *)(const void *)block_address(first))[2];
}

static inline void set_next_list(block_offset first, block_offset next) {
  ((block_offset *)(void *)block_address(first))[2] = next;
}

#endif
