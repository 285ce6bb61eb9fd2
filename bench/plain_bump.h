/* See plain_bump.c. One thread. */
#ifndef PLAIN_BUMP_H
#define PLAIN_BUMP_H

#include <stddef.h>

void plain_bump_begin(char *memory, size_t size);

/* `size` bytes, aligned to 8; NULL when there is no room. */
void *plain_bump(size_t size);

#endif
