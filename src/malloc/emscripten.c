/* What Emscripten's runtime wants of a malloc besides the C names: with -sMALLOC=none it has none of its
 * own. Its names are used where a program's replacement must not be, as for thread stacks; here they are
 * the same. sbrk goes with them.
 *
 * Any thread. */
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <emscripten/heap.h>

#include "walloc.h"
#include "walloc_malloc.h"

void *emscripten_builtin_malloc(size_t size) { return walloc_malloc(size); }
void *emscripten_builtin_calloc(size_t count, size_t size) { return walloc_calloc(count, size); }
void *emscripten_builtin_realloc(void *block, size_t size) { return walloc_realloc(block, size); }
/* Nearly always for thread-local data, aligned to little: then the program needs no more than malloc. */
void *emscripten_builtin_memalign(size_t alignment, size_t size) {
  return alignment <= 16 ? walloc_malloc(size) : walloc_aligned_alloc(alignment, size);
}

void emscripten_builtin_free(void *block) { walloc_free(block); }

void *__libc_malloc(size_t size) { return walloc_malloc(size); }
void *__libc_calloc(size_t count, size_t size) { return walloc_calloc(count, size); }
void *__libc_realloc(void *block, size_t size) { return walloc_realloc(block, size); }
void __libc_free(void *block) { walloc_free(block); }

/* The form that Emscripten's header knows, of int or of size_t. */
typedef __typeof__(((struct mallinfo *)0)->arena) mallinfo_number;

struct mallinfo mallinfo(void) {
  struct mallinfo2 now = mallinfo2();
  return (struct mallinfo){.arena = (mallinfo_number)now.arena,
                           .ordblks = (mallinfo_number)now.ordblks,
                           .usmblks = (mallinfo_number)now.usmblks,
                           .fsmblks = (mallinfo_number)now.fsmblks,
                           .uordblks = (mallinfo_number)now.uordblks,
                           .fordblks = (mallinfo_number)now.fordblks};
}

/* ---- The end of the data segment ----------------------------------------------------------- */

extern unsigned char __heap_base; /* made by the linker: where data and stack end */

/* Written by whoever moves it, by compare-and-swap. JavaScript's debugging aids read it. */
static _Atomic uintptr_t end = (uintptr_t)&__heap_base;

uintptr_t *emscripten_get_sbrk_ptr(void) { return (uintptr_t *)&end; }

/* Memory below the end is never given back, so that what is new is zero. Relaxed: the number carries no
 * data; the memory behind it is nobody's yet. */
void *sbrk(intptr_t increment) {
  const uintptr_t mask = alignof(max_align_t) - 1;
  uintptr_t length = ((uintptr_t)increment + mask) & ~mask;
  uintptr_t before = atomic_load_explicit(&end, memory_order_relaxed);
  do {
    uintptr_t after = before + length;
    if (increment < 0 || after < before ||
        (after > emscripten_get_heap_size() && !emscripten_resize_heap(after))) {
      errno = ENOMEM;
      return (void *)-1;
    }
  } while (!atomic_compare_exchange_weak_explicit(&end, &before, before + length,
                                                  memory_order_relaxed, memory_order_relaxed));
  return (void *)before;
}

int brk(void *address) {
  uintptr_t now = atomic_load_explicit(&end, memory_order_relaxed);
  return (uintptr_t)address >= now && sbrk((intptr_t)((uintptr_t)address - now)) != (void *)-1 ? 0
                                                                                               : -1;
}
