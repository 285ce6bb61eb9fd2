/* What the address sanitizer is told of the heap's blocks: a free one is poisoned behind its links, before it
 * is in any list, so by the thread whose it still is; it is unpoisoned when it has been taken out of one.
 * Nothing in other builds; the hardened build looks at freed blocks' ends itself, and poisons none.
 *
 * Large blocks: under their lock; the tag and links of a free block, NODE_SIZE bytes, are never poisoned. */
#ifndef WALLOC_HEAP_POISON_H
#define WALLOC_HEAP_POISON_H

#include "heap/hardened.h"
#include "platform/sanitizer.h"

#define BLOCK_LINKS ((size_t)16)

#ifdef WALLOC_ASAN
static inline void poison_freed(void *block, size_t size) {
  memory_unpoison(block, BLOCK_LINKS); /* of a block that was taken with fewer bytes */
  if (!BLOCKS_HAVE_GUARDS)
    memory_poison((char *)block + BLOCK_LINKS, size - BLOCK_LINKS);
}

#else
#define poison_freed(block, size) ((void)0)
#endif

#endif
