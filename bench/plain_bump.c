/* The least that an allocator can do: move a pointer, in memory of one thread, without any other care.
 * A file of its own, so that it is called as walloc_alloc is, and not dissolved into the loop. */
#include "plain_bump.h"

static char *next, *end;

void plain_bump_begin(char *memory, size_t size) {
  next = memory;
  end = memory + size;
}

void *plain_bump(size_t size) {
  size_t bytes = (size + 7) & ~(size_t)7;
  if ((size_t)(end - next) < bytes)
    return NULL;
  char *block = next;
  next += bytes;
  return block;
}
