/* The heap: malloc, free and their family.
 *
 *     malloc(n) ── n small, the part's list has a block ──► pop            a few loads and stores
 *         │
 *         ├─ small: refill the list (span.c), then pop
 *         ├─ up to HUGE_MIN: large.c, under the lock of a shard
 *         └─ above: huge.c, a run of pages
 *
 *     free(p) ── the page's entry is the part's own ──► push
 *         │
 *         ├─ another part's: its outbox (remote.c)
 *         ├─ large, huge
 *         └─ nobody's: misuse
 *
 * Any thread. */
#include "heap/plain.h"

#include "error/error.h"
#include "heap/huge.h"
#include "heap/large.h"
#include "heap/misuse.h"
#include "heap/part.h"
#include "heap/poison.h"
#include "heap/sweep.h"
#include "reference/hooks.h"

#define HEAP_ALIGNMENT ((size_t)16) /* of any block */

#define FEW_BYTES ((size_t)256) /* which are stored in less time than a call takes */

/* A free of a block whose address is a multiple of this looks around: on average one in so many bytes, and nothing
 * needs to be counted. */
#define LOOK_AROUND ((uint32_t)65536)

#define NOINLINE __attribute__((noinline))

/* ---- Small blocks --------------------------------------------------------------------------- */

static inline void *pop(heap_part *part, uint32_t c) {
  block_offset block = part->lists[c];
  /* A list that was overwritten is given up: where it went on is not known. */
  part->lists[c] = walloc_hardened_check_link(block, link_of(block)) ? list_below(block) : 0;
  memory_unpoison(block_address(block), class_size(c));
  return block_address(block);
}

static heap_part *own_part(void) {
  heap_part *part = walloc_own_part;
  return part == &walloc_no_part ? walloc_part_enter() : part;
}

/* Now and then the thread looks whether it should give something back, because the heap has grown elsewhere. */
static NOINLINE void push_and_look_around(heap_part *part, uint32_t c, block_offset block) {
  if (part->lists[c] == block) {
    walloc_misuse_report(WALLOC_MISUSE_DOUBLE_FREE, block_address(block), class_size(c),
                         part_number(part));
    return;
  }
  poison_freed(block_address(block), class_size(c));
  part->lists[c] = list_pushed(part->lists[c], block);
  if (walloc_sweep_is_due(part))
    walloc_sweep(part, false, false);
}

/* ---- Allocating ----------------------------------------------------------------------------- */

static void *fail(walloc_error error) {
  walloc_platform_set_errno(error != WALLOC_ERROR_ALIGNMENT);
  return walloc_fail(error);
}

static void *allocate_beyond_small(size_t size, size_t alignment, bool *zero) {
  walloc_error error = WALLOC_OK;
  void *block = size > HUGE_MIN || alignment > HEAP_ALIGNMENT
                    ? walloc_huge_allocate(size, alignment, zero, &error)
                    : walloc_large_allocate(part_number(own_part()), size, zero, &error);
  return block == NULL ? fail(error) : block;
}

/* The first few blocks of a class: see part.h. NULL: it has had them, or there is no memory. Killed behind the count: the
 * part has one fewer. */
static void *allocate_from_scraps(heap_part *part, uint32_t c, size_t size) {
  walloc_error error;
  bool zero;
  if (part->scraps[c] >= scraps_of_class(c))
    return NULL;
  part->scraps[c]++;
  return walloc_large_allocate(part_number(part), size, &zero, &error);
}

/* A thread for which there is no part, and who finds no page for a span, get large blocks for small ones: much for
 * little, but better than nothing. */
static NOINLINE void *allocate_slowly(size_t size) {
  bool zero;
  if (size == 0)
    size = 1;
  if (size > SMALL_MAX)
    return allocate_beyond_small(size, 1, &zero);
  heap_part *part = own_part();
  uint32_t c = class_of(size);
  if (is_no_part(part))
    return allocate_beyond_small(SMALL_MAX + 1, 1, &zero);
  void *block = allocate_from_scraps(part, c, size);
  if (block != NULL)
    return block;
  return part->lists[c] != 0 || walloc_part_refill(part, c)
             ? pop(part, c)
             : allocate_beyond_small(SMALL_MAX + 1, 1, &zero);
}

void *walloc_malloc(size_t size) {
  heap_part *part = walloc_own_part;
  if (size - 1 < SMALL_MAX) {
    uint32_t c = class_of(size);
    if (part->lists[c] != 0)
      return pop(part, c);
  }
  return allocate_slowly(size);
}

/* Clears a small block, whose size is a multiple of a word's. Few words are stored one by one, as memset leaves
 * WebAssembly for a function of the engine. Volatile: else the compiler makes a memset of the loop. */
static void clear(void *block, size_t bytes) {
  volatile uint64_t *words = block;
  if (bytes > FEW_BYTES)
    __builtin_memset(block, 0, bytes);
  else
    for (size_t i = 0; i < bytes; i += sizeof *words)
      *words++ = 0;
}

void *walloc_calloc(size_t count, size_t size) {
  size_t bytes;
  bool zero = false;
  if (__builtin_mul_overflow(count, size, &bytes))
    return fail(WALLOC_ERROR_OUT_OF_MEMORY);
  if (bytes <= SMALL_MAX) {
    void *block = walloc_malloc(bytes);
    if (block != NULL)
      clear(block, bytes);
    return block;
  }
  void *block = allocate_beyond_small(bytes, 1, &zero);
  if (block != NULL)
    __builtin_memset(block, 0, zero ? LARGE_DIRTY : bytes);
  return block;
}

/* Scraps are aligned to 16 only. */
static void use_no_scraps(heap_part *part, uint32_t c) {
  if (!is_no_part(part))
    part->scraps[c] = UINT8_MAX;
}

/* A size that is a multiple of the alignment has a class whose size is one too: see classes.h. What is
 * too large for that is a run of pages. So is what malloc had to take from the large blocks. */
void *walloc_aligned_alloc(size_t alignment, size_t size) {
  bool zero;
  if (alignment == 0 || (alignment & (alignment - 1)) != 0)
    return fail(WALLOC_ERROR_ALIGNMENT);
  size_t rounded = (size + (size == 0) + alignment - 1) & ~(alignment - 1);
  if (alignment <= WALLOC_PAGE_SIZE && rounded != 0 && rounded <= SMALL_MAX) {
    if (alignment > HEAP_ALIGNMENT)
      use_no_scraps(own_part(), class_of(rounded));
    void *block = walloc_malloc(rounded);
    if ((uintptr_t)block % alignment == 0)
      return block;
    walloc_free(block);
  }
  return allocate_beyond_small(size, alignment, &zero);
}

/* ---- Freeing -------------------------------------------------------------------------------- */

static void free_beyond_small(void *block, page_mark owner) {
  walloc_misuse_kind kind = owner == PAGE_HUGE ? WALLOC_MISUSE_INTERIOR : WALLOC_MISUSE_FOREIGN;
  bool known = false;
  if (page_mark_is_large(owner))
    known = walloc_large_free(block, &kind);
  else if (owner == PAGE_HUGE)
    known = walloc_huge_free(block);
  if (!known)
    walloc_misuse_report(kind, block, 0, 0);
}

static NOINLINE void free_slowly(heap_part *part, void *block, page_mark mark) {
  if (block == NULL)
    return;
  if (walloc_reference_freed != NULL)
    walloc_reference_freed(block, mark);
  if (mark < PAGE_SPAN) {
    free_beyond_small(block, mark & (page_mark)~PAGE_NOT_FIRST);
    return;
  }
  if (part == &walloc_no_part)
    part = walloc_part_enter();
  uint32_t c = mark - part->key;
  if (c < CLASSES) {
    push_and_look_around(part, c, offset_of(block));
    return;
  }
  poison_freed(block, class_size(mark % (1 << PART_SHIFT)));
  walloc_part_send(part, offset_of(block), mark);
}

void walloc_free(void *block) {
  page_mark mark = page_entry_at_once(page_of(block));
  heap_part *part = walloc_own_part;
  uint32_t c = mark - part->key;
  if (c < CLASSES) {
    block_offset list = part->lists[c], offset = offset_of(block);
    if (list != offset && offset % LOOK_AROUND != 0) {
      poison_freed(block, class_size(c));
      part->lists[c] = list_pushed(list, offset);
      return;
    }
  }
  free_slowly(part, block, mark);
}

/* ---- Sizes ---------------------------------------------------------------------------------- */

/* 0 for what is no block of the heap. */
static size_t usable_size(void *block) {
  page_mark mark = page_entry(page_of(block));
  if (mark >= PAGE_SPAN)
    return class_size(mark % (1 << PART_SHIFT));
  if (page_mark_is_large(mark))
    return large_usable_size(block);
  return mark == PAGE_HUGE ? walloc_huge_usable_size(block) : 0;
}

size_t walloc_usable_size(const void *block) {
  return block == NULL ? 0 : usable_size((void *)(uintptr_t)block);
}

/* Whether the block can be of this size where it is. Small blocks stay unless half of them would be
 * wasted, and for large ones that have become small there is another place. */
static bool resize(void *block, size_t size, size_t usable) {
  page_mark mark = page_owner(page_of(block));
  if (usable <= SMALL_MAX)
    return size <= usable && size > usable / 2;
  if (page_mark_is_large(mark))
    return size > SMALL_MAX && walloc_large_resize(block, size);
  return size > HUGE_MIN / 2 && walloc_huge_resize(block, size);
}

static void *move(void *block, size_t size, size_t usable) {
  void *other = walloc_malloc(size);
  if (other == NULL)
    return size <= usable ? block : NULL;
  __builtin_memcpy(other, block, size < usable ? size : usable);
  walloc_free(block);
  return other;
}

void *walloc_realloc(void *block, size_t size) {
  if (block == NULL)
    return walloc_malloc(size);
  if (size == 0) {
    walloc_free(block);
    return NULL;
  }
  size_t usable = usable_size(block);
  if (usable == 0) {
    walloc_misuse_report(WALLOC_MISUSE_FOREIGN, block, 0, 0);
    return fail(WALLOC_ERROR_SIZE);
  }
  return resize(block, size, usable) ? block : move(block, size, usable);
}
