/* How a free large block is chosen: one small interface, four ways to fill it. Each shard has its index of each kind. Under
 * the shard's lock.
 *
 *     first fit, next fit   in order of address, with a tree of the largest: strategy_address.c
 *     good fit, best fit    lists by size, found by two bitmaps: strategy_lists.c
 *
 * An index holds free blocks that may be of use, and is made again from the tags when it is changed. */
#ifndef WALLOC_HEAP_STRATEGY_H
#define WALLOC_HEAP_STRATEGY_H

#include "heap/tag.h"

typedef struct strategy {
  void (*insert)(uint32_t shard, node *free, uint32_t size); /* of its tag: see split in large.c */
  void (*remove)(uint32_t shard, node *free);
  node *(*find)(uint32_t shard, uint32_t size); /* with its tag; NULL: none that large */
  void (*clear)(uint32_t shard);
} strategy;

extern const strategy walloc_first_fit, walloc_next_fit, walloc_best_fit, walloc_good_fit;

#endif
