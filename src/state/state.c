/* See state.h. */
#include "state/state.h"

_Atomic uint32_t walloc_current_state;
