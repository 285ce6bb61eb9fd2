/* Size classes of small blocks: multiples of 16 to 128, then 4 to each doubling, up to 32 KiB.
 *
 *     class   0  1  2  3 |  4  5   6   7 |   8   9  10  11 | ... |    36             39
 *     size   16 32 48 64 | 80 96 112 128 | 160 192 224 256 | ... | 20480 ........ 32768
 *
 * So at most 15 bytes below 128, and at most a fifth of the block above, are lost to rounding. Each size is a
 * multiple of 16, and blocks lie one behind the other from the start of a span, so that a block is
 * aligned to the largest power of two that divides its size, up to a page. Pure functions.
 *
 * Why not 8 to each doubling: that saves a tenth of rounding, and costs twice as many spans that are partly
 * used; programs with a few megabytes need more memory with 8 than with 4. */
#ifndef WALLOC_HEAP_CLASSES_H
#define WALLOC_HEAP_CLASSES_H

#include <stddef.h>
#include <stdint.h>

#include "heap/hardened.h"
#include "pages/map.h"
#include "walloc.h"

#define CLASSES ((uint32_t)WALLOC_HEAP_CLASSES)
#define SMALL_MAX WALLOC_HEAP_SMALL

/* Sizes from 1 to SMALL_MAX. In s = size - 1 the highest bit tells the doubling and the two below it the
 * class in it; sizes up to 64 are one doubling of their own. */
static inline uint32_t class_of(size_t size) {
  uint32_t s = (uint32_t)size - 1;
  uint32_t shift = (uint32_t)(29 - __builtin_clz(s | 64)); /* 4 up to 128 */
  return (shift - 4) * 4 + (s >> shift);
}

static inline uint32_t class_size(uint32_t c) {
  uint32_t doubling = c < 4 ? 0 : c / 4 - 1;
  return (c - doubling * 4 + 1) << (doubling + 4);
}

/* Pages of a span: one where that holds two blocks, else as few as leave no more than an eighth unused behind the last
 * block. Of 1536 bytes a page has two, and a quarter of it is unused: small programs have few of them. */
extern const uint8_t walloc_span_pages[CLASSES];

static inline page_index span_pages(uint32_t c) { return walloc_span_pages[c]; }

static inline uint32_t span_bytes(uint32_t c) { return span_pages(c) * (uint32_t)WALLOC_PAGE_SIZE; }

static inline uint32_t span_blocks(uint32_t c) { return span_bytes(c) / class_size(c); }

/* Blocks that a part takes from scraps before it takes spans: none where one would fill a page. Nor in the hardened
 * build, whose reports tell more of a block in a span. */
static inline uint32_t scraps_of_class(uint32_t c) {
  uint32_t most = BLOCKS_HAVE_GUARDS ? 0 : 4;
  uint32_t in_page = ((uint32_t)WALLOC_PAGE_SIZE - 1) / class_size(c);
  return in_page < most ? in_page : most;
}

/* The pages that a span may begin at: the multiples of this. With one block in it, it may begin at any, as its
 * first page is the block's then. Where an address may be anything (hardened), the span must tell by itself. */
static inline page_index span_alignment(uint32_t c) {
  return span_blocks(c) == 1 && !BLOCKS_HAVE_GUARDS ? 1 : span_pages(c);
}

/* The first page of the span that has a block beginning in this page. */
static inline page_index span_first(uint32_t c, page_index page) {
  return page - page % span_alignment(c);
}

#endif
