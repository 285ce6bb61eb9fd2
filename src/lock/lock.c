/* The lock. See lock.h for its word.
 *
 * Argument. The word names nobody when the lock is free; only a compare-and-swap from such a word takes it,
 * only an exchange to 0 by its holder leaves it: so at most one thread holds it. Taking is `acquire` and pairs
 * with the `release` of the exchange that left it: all that the previous holder did is visible.
 *
 * Nobody sleeps for ever: a thread sets the sleeper bit before it sleeps, and sleeps only while the
 * word still is what it then was; the holder's exchange returns the bit and wakes one sleeper. Who finds
 * the bit on a free lock takes it along. The one
 * woken cannot know whether others sleep, so a thread that has slept takes the lock with the bit set,
 * and its own release wakes the next.
 *
 * What a kill leaves behind: before the compare-and-swap nothing; after it the word, naming the dead
 * thread; after the exchange a free lock whose sleeper was not woken, if the kill hits between the two
 * instructions of release. Of a thread that was woken and killed before it took the lock: the same. Recovery
 * takes the lock over, or wakes the next: take_over.c. */
#include "lock/lock.h"

#include "platform/platform.h"

/* Before a first sleep: some 50 to 100 us, as long as it takes V8 to wake a sleeper. Critical sections are shorter,
 * but for those in which memory grows or is touched for the first time. With 2000, and threads that ask for
 * large blocks all the time, two took 1.5 times as long. */
#define SPINS_BEFORE_SLEEP 50000

/* Where sleeping is forbidden: some milliseconds, which covers a holder that lost its processor. */
#define SPINS_AT_MOST 2000000

#define TRIES_WHEN_INSISTING 256

static bool is_free(uint32_t word) { return (word & ~LOCK_SLEEPERS) == 0; }

static bool try_take(walloc_lock *lock, uint32_t taken) {
  uint32_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);
  return is_free(seen) &&
         atomic_compare_exchange_strong_explicit(&lock->word, &seen, taken | seen,
                                                 memory_order_acquire, memory_order_relaxed);
}

static bool spin(walloc_lock *lock, uint32_t taken, uint32_t times) {
  for (uint32_t i = 0; i < times; i++) {
    if (try_take(lock, taken))
      return true;
    walloc_platform_pause();
  }
  return false;
}

/* Relaxed: the bit announces the sleeper to whoever releases, and carries no data. Where the lock was left
 * in between, the bit says so to nobody, and the next turn takes the lock. */
static void sleep_until_taken(walloc_lock *lock, uint32_t taken) {
  while (!try_take(lock, taken | LOCK_SLEEPERS)) {
    uint32_t seen = atomic_fetch_or_explicit(&lock->word, LOCK_SLEEPERS, memory_order_relaxed);
    if (!is_free(seen))
      walloc_platform_wait(&lock->word, seen | LOCK_SLEEPERS);
  }
}

bool walloc_lock_acquire(walloc_lock *lock) {
  uint32_t thread = walloc_platform_thread();
  if (spin(lock, thread, SPINS_BEFORE_SLEEP))
    return true;
  if (!walloc_platform_can_wait())
    return spin(lock, thread, SPINS_AT_MOST);
  sleep_until_taken(lock, thread);
  return true;
}

bool walloc_lock_insist(walloc_lock *lock) {
  for (int tries = 0; tries < TRIES_WHEN_INSISTING; tries++)
    if (walloc_lock_acquire(lock))
      return true;
  return false;
}

bool walloc_lock_try(walloc_lock *lock) { return try_take(lock, walloc_platform_thread()); }

void walloc_lock_release(walloc_lock *lock) {
  uint32_t held = atomic_exchange_explicit(&lock->word, 0, memory_order_release);
  if ((held & LOCK_SLEEPERS) != 0)
    walloc_platform_wake(&lock->word);
}
