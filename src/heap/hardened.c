/* The hardened build's public functions: the plain ones, and behind each block a guard.
 *
 *     | asked for ................ | fill: 0xFD ... | size asked for : 32 | seal : 32 |
 *     block                                                              end of what is usable
 *
 * The seal is made of address, size and a secret; when the block is freed it becomes another one. So a free
 * finds that something was written behind the end, that the block is free already, or that there never was
 * one. Asking for the usable size gives the size asked for: what is behind it is not the program's.
 *
 * Any thread: the guard belongs to who owns the block. */
#include "heap/hardened.h"

#ifdef WALLOC_HARDENED

#include <stdatomic.h>

#include "error/error.h"
#include "heap/large.h"
#include "heap/misuse.h"
#include "heap/part.h"

#define FILL 0xFD
#define LEAST ((size_t)16) /* so that links of a free block and its guard do not meet */

typedef struct guard {
  uint32_t size, seal;
} guard;

/* ---- The secret ----------------------------------------------------------------------------- */

static _Atomic uint64_t secret;

uint64_t walloc_hardened_secret(void) {
  uint64_t now = atomic_load_explicit(&secret, memory_order_relaxed);
  if (now != 0)
    return now;
  uint64_t made = walloc_platform_random() | 1;
  return atomic_compare_exchange_strong_explicit(&secret, &now, made, memory_order_relaxed,
                                                 memory_order_relaxed)
             ? made
             : now;
}

/* ---- The guard ------------------------------------------------------------------------------ */

static uint32_t seal_of(const void *block, size_t size, uint64_t state) {
  uint64_t mixed = (offset_of(block) ^ walloc_hardened_secret() ^ state) * 0x9E3779B97F4A7C15u;
  return (uint32_t)((mixed ^ size) * 0xBF58476D1CE4E5B9u >> 32);
}

enum { LIVE = 1, FREED = 2 };

/* What must be asked of the plain functions; 0 when that is more than there can be. */
static size_t with_guard(size_t size) {
  size_t least = size < LEAST ? LEAST : size;
  return least > SIZE_MAX - sizeof(guard) ? 0 : least + sizeof(guard);
}

static guard *guard_of(void *block) {
  return (guard *)(void *)((char *)block + walloc_plain_usable_size(block)) - 1;
}

/* Nothing is one byte, as blocks of no size would be hard to tell from none. */
static void *put_guard(void *block, size_t size) {
  if (block == NULL)
    return NULL;
  if (size == 0)
    size = 1;
  guard *g = guard_of(block);
  __builtin_memset((char *)block + size, FILL, (size_t)((char *)g - (char *)block) - size);
  *g = (guard){(uint32_t)size, seal_of(block, size, LIVE)};
  return block;
}

static bool is_filled(const char *from, const guard *to) {
  for (; from != (const char *)to; from++)
    if ((unsigned char)*from != FILL)
      return false;
  return true;
}

static bool report(walloc_misuse_kind kind, void *block, size_t size) {
  page_mark mark = page_entry(page_of(block));
  walloc_misuse_report(kind, block, size, mark >= PAGE_SPAN ? mark >> PART_SHIFT : 0);
  return false;
}

/* Large blocks lose their ends when free neighbours become one; so they are marked at their start too, behind
 * the links of a free block. */
static guard *freed_mark(void *block) { return (guard *)(void *)((char *)block + 8); }

static bool was_freed_large(void *block) {
  if (!page_mark_is_large(page_entry(page_of(block))) || offset_of(block) % 16 != 0)
    return false;
  guard *mark = freed_mark(block);
  return mark->seal == seal_of(block, mark->size, FREED);
}

static void mark_freed(void *block) {
  guard *g = guard_of(block);
  g->seal = seal_of(block, g->size, FREED);
  if (page_mark_is_large(page_entry(page_of(block))))
    *freed_mark(block) = *g;
}

/* Whether there can be a block at the address. */
static bool begins_block(void *block) {
  page_mark mark = page_entry(page_of(block));
  if (mark >= PAGE_SPAN) {
    uint32_t c = mark % (1 << PART_SHIFT);
    page_index first = span_first(c, page_of(block));
    uint32_t offset = offset_of(block) - first * (uint32_t)WALLOC_PAGE_SIZE;
    return offset % class_size(c) == 0 && offset / class_size(c) < span_blocks(c);
  }
  if (page_mark_is_large(mark))
    return walloc_large_is_live(block);
  return mark == PAGE_HUGE && block == page_address(page_of(block));
}

/* False after a report. */
static bool check(void *block) {
  page_mark owner = page_owner(page_of(block));
  if (!page_mark_is_heap(owner))
    return report(WALLOC_MISUSE_FOREIGN, block, 0);
  if (was_freed_large(block) && !walloc_large_is_live(block))
    return report(WALLOC_MISUSE_DOUBLE_FREE, block, freed_mark(block)->size);
  if (!begins_block(block))
    return report(WALLOC_MISUSE_INTERIOR, block, 0);
  guard *g = guard_of(block);
  if (g->seal == seal_of(block, g->size, FREED))
    return report(WALLOC_MISUSE_DOUBLE_FREE, block, g->size);
  if (g->seal != seal_of(block, g->size, LIVE))
    return report(WALLOC_MISUSE_OVERRUN, block, 0);
  if (!is_filled((char *)block + g->size, g))
    return report(WALLOC_MISUSE_OVERRUN, block, g->size);
  return true;
}

bool walloc_hardened_check_link(uint32_t block, const block_link *link) {
  page_mark mark = page_entry(page_of_block(block));
  uint64_t next = make_link(*link, block);
  page_mark other = page_entry(page_of_block((block_offset)next));
  bool leads_on = next == 0 || (next <= UINT32_MAX && other >= PAGE_SPAN &&
                                (mark ^ other) % (1 << PART_SHIFT) == 0);
  return leads_on || report(WALLOC_MISUSE_CORRUPTION, block_address(block), 0);
}

/* ---- The public functions ------------------------------------------------------------------- */

static void *too_large(void) {
  walloc_platform_set_errno(true);
  return walloc_fail(WALLOC_ERROR_OUT_OF_MEMORY);
}

void *walloc_malloc(size_t size) {
  size_t all = with_guard(size);
  return all == 0 ? too_large() : put_guard(walloc_plain_malloc(all), size);
}

void *walloc_calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) || with_guard(bytes) == 0)
    return too_large();
  return put_guard(walloc_plain_calloc(1, with_guard(bytes)), bytes);
}

void *walloc_aligned_alloc(size_t alignment, size_t size) {
  size_t all = with_guard(size);
  return all == 0 ? too_large() : put_guard(walloc_plain_aligned_alloc(alignment, all), size);
}

void walloc_free(void *block) {
  if (block == NULL || !check(block))
    return;
  mark_freed(block);
  walloc_plain_free(block);
}

size_t walloc_usable_size(const void *block) {
  void *mine = (void *)(uintptr_t)block;
  return block == NULL || walloc_plain_usable_size(block) == 0 ? 0 : guard_of(mine)->size;
}

/* The old block counts as freed while its place is decided; where there is none, it is live again. */
void *walloc_realloc(void *block, size_t size) {
  if (block == NULL)
    return walloc_malloc(size);
  if (size == 0) {
    walloc_free(block);
    return NULL;
  }
  if (!check(block))
    return NULL;
  if (with_guard(size) == 0)
    return too_large();
  guard *g = guard_of(block);
  size_t before = g->size;
  g->seal = seal_of(block, before, FREED);
  void *moved = walloc_plain_realloc(block, with_guard(size));
  if (moved == NULL)
    put_guard(block, before);
  return put_guard(moved, size);
}

#endif
