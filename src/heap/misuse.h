/* What happens when a program gives the heap what it should not. Any thread. */
#ifndef WALLOC_HEAP_MISUSE_H
#define WALLOC_HEAP_MISUSE_H

#include "walloc.h"

/* Tells the program, or aborts. */
void walloc_misuse_report(walloc_misuse_kind kind, void *address, size_t size, unsigned part);

#endif
