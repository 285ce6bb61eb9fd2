/* A front for programs that can be linked anew: the linker's --wrap leads every call of malloc and its family
 * here (see CMakeLists.txt), and __real_malloc is whatever malloc the program has. Native or Emscripten.
 *
 * Calls that the linker does not see are not recorded: those within the malloc itself, those of shared
 * libraries, and those that JavaScript makes of exports. */
#include "front.h"
#include "recorder.h"
#include <errno.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_memalign(size_t alignment, size_t size);
int __real_posix_memalign(void **block, size_t alignment, size_t size);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_memalign(size_t alignment, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);
void __wrap_free(void *block);

__attribute__((constructor)) static void begin(void) { begin_from_environment(); }

void *__wrap_malloc(size_t size) {
  void *block = __real_malloc(size);
  trace_took(TRACE_MALLOC, block, size, 0);
  return block;
}

void *__wrap_calloc(size_t count, size_t size) {
  void *block = __real_calloc(count, size);
  trace_took(TRACE_CALLOC, block, count * size, 0);
  return block;
}

void *__wrap_realloc(void *block, size_t size) {
  if (block == NULL)
    return __wrap_malloc(size);
  if (size == 0) {
    __wrap_free(block);
    return NULL;
  }
  trace_move move = trace_leaves(block);
  void *moved = __real_realloc(block, size);
  trace_arrives(move, moved, block, size);
  return moved;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  void *block = __real_aligned_alloc(alignment, size);
  trace_took(TRACE_ALIGNED, block, size, alignment);
  return block;
}

void *__wrap_memalign(size_t alignment, size_t size) {
  void *block = __real_memalign(alignment, size);
  trace_took(TRACE_ALIGNED, block, size, alignment);
  return block;
}

int __wrap_posix_memalign(void **block, size_t alignment, size_t size) {
  int error = __real_posix_memalign(block, alignment, size);
  if (error == 0)
    trace_took(TRACE_ALIGNED, *block, size, alignment);
  return error;
}

void __wrap_free(void *block) {
  trace_gives(block);
  __real_free(block);
}
