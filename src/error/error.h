/* The reason of a thread's last failure. Each thread reads and writes only its own. */
#ifndef WALLOC_ERROR_H
#define WALLOC_ERROR_H

#include "walloc.h"

/* Remembers the reason and returns NULL, so that a failing function can end in one line. */
void *walloc_fail(walloc_error error);

#endif
