/* Locks of dead threads: apart from lock.c, so that a program that never recovers has none of it. Any thread.
 *
 * Argument. The word names the dead thread until somebody recovers, as nobody takes a lock that is not free: so
 * of two who take it over, one compare-and-swap succeeds, and from then on there is a holder like any other,
 * whose own death is found in the same way. Acquire pairs with nothing that the dead thread did: whoever
 * knows that it is dead sees all its stores.
 *
 * A lock that it does not hold may have sleepers whom it did not wake: between the two instructions of
 * release, or woken itself and killed before it took the lock. One more is woken here, for whom it is one of
 * those returns for no reason which he expects; he takes the lock with the bit set, or sleeps again behind a holder
 * who will see it. */
#include "lock/lock.h"

#include "platform/platform.h"

/* A millisecond or so, as a page may recover between two frames. */
#define TRIES 100000

bool walloc_lock_take_over(walloc_lock *lock, uint32_t dead) {
  uint32_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);
  while ((seen & ~LOCK_SLEEPERS) == dead) {
    uint32_t own = walloc_platform_thread() | (seen & LOCK_SLEEPERS);
    if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, own, memory_order_acquire,
                                                memory_order_relaxed))
      return true;
  }
  walloc_platform_wake(&lock->word);
  return false;
}

bool walloc_lock_try_for_a_while(walloc_lock *lock) {
  for (int tries = 0; tries < TRIES; tries++) {
    if (walloc_lock_try(lock))
      return true;
    walloc_platform_pause();
  }
  return false;
}
