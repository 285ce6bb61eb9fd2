/* What heap and recovery tell references, in programs that use them: elsewhere these are not there, and where they
 * are called the linker finds nothing. Any thread, but for forget. */
#ifndef WALLOC_REFERENCE_HOOKS_H
#define WALLOC_REFERENCE_HOOKS_H

#include "pages/map.h"

/* The block, at a page of this mark, is about to be freed by its address: if it has a reference, that is
 * stale from here on. For anything else nothing happens. */
void walloc_reference_freed(void *block, page_mark mark) __attribute__((weak));

/* All references to the heap are stale. Alone. */
void walloc_references_forget(void) __attribute__((weak));

/* The thread has died: the lock under which blocks with references are allocated is open again, and what is
 * behind it in order. Never waits. One thread recovers at a time, with the sweep mended before. */
void walloc_references_thread_lost(uint32_t thread) __attribute__((weak));

#endif
