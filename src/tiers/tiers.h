/* Whether walloc runs. Any thread. */
#ifndef WALLOC_TIERS_H
#define WALLOC_TIERS_H

#include <stdbool.h>

bool walloc_is_initialized(void);

#endif
