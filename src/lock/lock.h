/* The lock: held for short stretches where memory grows or changes its owner, never on the way of an
 * ordinary allocation.
 *
 *   word:  | thread that holds it : 31 | somebody sleeps : 1 |      0 = free
 *
 * It names its holder, so that what a dead thread held can be found. Any thread may use it; it is not
 * recursive. Static zero is an open lock.
 *
 * A browser's main thread may not sleep. There, acquire spins a bounded number of times and then
 * gives up; everywhere else it always succeeds. */
#ifndef WALLOC_LOCK_H
#define WALLOC_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LOCK_SLEEPERS ((uint32_t)1)

typedef struct walloc_lock {
  _Atomic uint32_t word; /* written by whoever takes, awaits or leaves the lock */
} walloc_lock;

/* False only on a thread that may not sleep, when the holder kept it for the whole spin. */
bool walloc_lock_acquire(walloc_lock *lock);

/* The same for callers whose caller cannot try again, as free's: where it may not sleep it gives up only
 * after the time in which a living holder has long got its processor back, about a second. */
bool walloc_lock_insist(walloc_lock *lock);

/* Takes the lock if it is free. */
bool walloc_lock_try(walloc_lock *lock);

void walloc_lock_release(walloc_lock *lock);

/* For recovery: take_over.c. If the dead thread holds the lock, the calling one holds it in its place. False: it
 * does not; a sleeper that it has not woken is awake. Never waits. */
bool walloc_lock_take_over(walloc_lock *lock, uint32_t dead);

/* For recovery: takes the lock if its living holder leaves it within a millisecond or so. */
bool walloc_lock_try_for_a_while(walloc_lock *lock);

#endif
