/* What libwalloc_malloc.a offers under the C library's names, and a C library's own headers may not have:
 * Emscripten's <malloc.h> knows only the old mallinfo. */
#ifndef WALLOC_MALLOC_H
#define WALLOC_MALLOC_H

#include <malloc.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __EMSCRIPTEN__
/* As glibc has it. All in bytes, but for the counts of blocks. */
struct mallinfo2 {
  size_t arena;    /* what the heap holds */
  size_t ordblks;  /* free large blocks */
  size_t smblks;   /* 0 */
  size_t hblks;    /* 0 */
  size_t hblkhd;   /* 0 */
  size_t usmblks;  /* the most that `arena` ever was */
  size_t fsmblks;  /* free small blocks, as far as they are the calling thread's */
  size_t uordblks; /* in use: what is not known to be free */
  size_t fordblks; /* known to be free: fsmblks, and the free large blocks */
  size_t keepcost; /* 0 */
};

/* Any thread, at any time. Other threads' free small blocks count as in use, as only they can look at
 * them. Cost: a look at the page map, and a step for each large block and each free small one. */
struct mallinfo2 mallinfo2(void);
#endif

#ifdef __cplusplus
}
#endif

#endif
