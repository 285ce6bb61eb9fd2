/* Lists of free blocks: the offset of the first, and in each block that of the next.
 *
 *     list ──► block: | the list before this block was pushed | ... |
 *
 * A push writes the list into the block and then makes the block the list; a pop makes the list what the block
 * holds. So each takes one load and one store beside the list's, and is committed by one store.
 *
 * How many blocks a list has is not known: a count would be one store more for each free.
 *
 * Blocks are named by their offset from the platform's base, in WebAssembly the address. 0: none.
 * A list is written by one thread only: the one that has the part that it belongs to. */
#ifndef WALLOC_HEAP_LIST_H
#define WALLOC_HEAP_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "heap/hardened.h"
#include "pages/map.h"

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

static inline block_link *link_of(block_offset block) {
  return (block_link *)(void *)block_address(block);
}

/* The list without its first block. */
static inline block_offset list_below(block_offset block) {
  return read_link(link_of(block), block);
}

/* The list with the block on top. */
static inline block_offset list_pushed(block_offset list, block_offset block) {
  *link_of(block) = make_link(list, block);
  return block;
}

/* Lists of lists: another word in the first block of each, behind the link. */
static inline block_offset next_list(block_offset first) {
  return ((const block_offset *)(const void *)block_address(first))[2];
}

static inline void set_next_list(block_offset first, block_offset next) {
  ((block_offset *)(void *)block_address(first))[2] = next;
}

#endif
