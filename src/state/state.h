/* Whether walloc runs.
 *
 *     STOPPED --walloc_init--> CHANGING --> RUNNING --walloc_shutdown--> STOPPED
 *                                 `--> STOPPED, when it cannot start
 *
 * Read by every thread; written by walloc_init and walloc_shutdown, which are called alone. */
#ifndef WALLOC_STATE_H
#define WALLOC_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "walloc.h"

typedef enum walloc_state { STOPPED, CHANGING, RUNNING } walloc_state;

extern _Atomic uint32_t walloc_current_state;

/* Acquire: pairs with state_enter's release, so that the tiers are visible. */
static inline bool state_is_running(void) {
  return atomic_load_explicit(&walloc_current_state, memory_order_acquire) == RUNNING;
}

/* From `from` to CHANGING; false when it is in another state. Acquire: as above. */
static inline bool state_leave(uint32_t from) {
  return atomic_compare_exchange_strong_explicit(&walloc_current_state, &from, CHANGING,
                                                 memory_order_acquire, memory_order_relaxed);
}

static inline void state_enter(walloc_state to) {
  atomic_store_explicit(&walloc_current_state, to, memory_order_release);
}

#endif
