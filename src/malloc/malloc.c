/* The C library's names on top of the heap, for a program whose malloc walloc is.
 *
 *     emcc -pthread -sMALLOC=none program.c libwalloc_malloc.a
 *     cc program.c libwalloc_malloc.a
 *
 * Any thread. All take and give what the C and POSIX standards say; malloc(0) gives a block. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "malloc/replaces.h"
#include "walloc.h"

/* Seen by walloc_heap_reset, which then refuses. */
const bool walloc_replaces_malloc = true;

void *malloc(size_t size) { return walloc_malloc(size); }

void free(void *block) { walloc_free(block); }

void *calloc(size_t count, size_t size) { return walloc_calloc(count, size); }

void *realloc(void *block, size_t size) { return walloc_realloc(block, size); }

void *reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return walloc_realloc(block, bytes);
}

void *memalign(size_t alignment, size_t size) { return walloc_aligned_alloc(alignment, size); }

void *aligned_alloc(size_t alignment, size_t size) { return walloc_aligned_alloc(alignment, size); }

/* Says why by its result, and leaves errno alone. */
int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  int before = errno;
  void *got = walloc_aligned_alloc(alignment, size);
  errno = before;
  if (got == NULL)
    return ENOMEM;
  *block = got;
  return 0;
}

void *valloc(size_t size) { return walloc_aligned_alloc(WALLOC_PAGE_SIZE, size); }

size_t malloc_usable_size(void *block) { return walloc_usable_size(block); }
