/* Whether this program's malloc is walloc's: true where src/malloc is linked, else not there. */
#ifndef WALLOC_MALLOC_REPLACES_H
#define WALLOC_MALLOC_REPLACES_H

#include <stdbool.h>

extern const bool walloc_replaces_malloc __attribute__((weak));

#endif
