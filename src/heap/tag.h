/* Tags: how large blocks lie one behind the other in a region of pages.
 *
 *     region:   first page                                                      end of last page
 *     | tag | block ...... | tag | block ... | tag | block .............. | end tag |
 *        size ────────────►   ◄──── before                                  size 0
 *
 *     tag:      | size of tag and block, a multiple of 16 | used | zero |  before : 32 | 64 unused |
 *
 * `before` is the size of the block before, 0 for the first: so both neighbours of a block are found in
 * one step. No two free neighbours remain when the lock is free. `zero` on a free block: all its bytes
 * behind its tag and node are zero.
 *
 * Under the shard's lock. Every change of sizes is written so that walking forward by `size` is valid
 * after each store; `before` and the index of free blocks can be made again from that walk. */
#ifndef WALLOC_HEAP_TAG_H
#define WALLOC_HEAP_TAG_H

#include <stdbool.h>
#include <stdint.h>

#include "pages/map.h"

typedef struct tag {
  uint32_t
      size_and_flags; /* of a block in use nobody but its owner changes it, so he reads it without the lock */
  uint32_t before;
  uint32_t unused[2]; /* as blocks are aligned to 16 */
} tag;

/* Behind the tag of a free block, for whoever searches: see strategy.h. */
typedef struct node {
  tag tag;
  uint32_t link[2]; /* the one before, the one behind; offsets from the base, 0: none */
} node;

#define TAG_SIZE ((uint32_t)sizeof(tag))
#define NODE_SIZE ((uint32_t)32)
#define TAG_USED ((uint32_t)1)
#define TAG_ZERO ((uint32_t)2)
#define TAG_FLAGS ((uint32_t)15)

_Static_assert(sizeof(tag) == 16, "blocks are aligned to 16");
_Static_assert(sizeof(node) <= NODE_SIZE, "a node fits the smallest block");

static inline tag *tag_at(uint32_t offset) { return (tag *)(walloc_platform_base() + offset); }

static inline uint32_t tag_offset(const tag *t) {
  return (uint32_t)((uintptr_t)t - walloc_platform_base());
}

static inline uint32_t tag_word(const tag *t) { return t->size_and_flags; }

static inline void set_tag_word(tag *t, uint32_t word) { t->size_and_flags = word; }

static inline uint32_t tag_size(const tag *t) { return tag_word(t) & ~TAG_FLAGS; }

static inline bool tag_is_used(const tag *t) { return (tag_word(t) & TAG_USED) != 0; }

static inline bool tag_is_zero(const tag *t) { return (tag_word(t) & TAG_ZERO) != 0; }

static inline bool tag_is_end(const tag *t) { return tag_size(t) == 0; }

static inline tag *tag_after_size(tag *t, uint32_t size) { return (tag *)((uintptr_t)t + size); }

static inline tag *tag_after(tag *t) { return tag_after_size(t, tag_size(t)); }

/* NULL for a region's first. */
static inline tag *tag_before(tag *t) {
  return t->before == 0 ? NULL : (tag *)((uintptr_t)t - t->before);
}

static inline char *tag_block(tag *t) { return (char *)t + TAG_SIZE; }

static inline tag *tag_of_block(void *block) { return (tag *)((uintptr_t)block - TAG_SIZE); }

#endif
