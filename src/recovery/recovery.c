/* Recovery: see docs/recovery.md. Each room mends what is its own (walloc_..._thread_lost); this is the order.
 *
 *     recovery lock    one thread recovers at a time
 *       page lock      taken over, or taken: the map is mended first, and kept still while others are
 *         large, arenas, sweep, references, parts       locks are taken over, never waited for
 *         queues                            without a lock of their own; their pages stay meanwhile
 *       page lock left
 *       pins, frames                        without locks of their own
 *     recovery lock left
 *
 * Argument. Nothing is done by halves: whatever a room mends it can mend again, since it finds what is to be done in
 * memory, under the dead thread's name or under its own. So a recoverer that dies leaves its own locks to the next
 * recovery, of its own loss, and what it has not come to to a second one of the first.
 *
 * Nobody waits in here for a lock that somebody may have died with: the recovery lock and the page lock are looked
 * for a bounded number of times, all others taken over from the dead thread or left alone. Behind the page lock no
 * lock is asked for any more, as somebody may die with the page lock at any moment. Any thread. */
#include "walloc_recovery.h"

#include "arena/lifetime.h"
#include "frames/frames.h"
#include "frames/pins.h"
#include "heap/large.h"
#include "heap/part.h"
#include "heap/sweep.h"
#include "lock/lock.h"
#include "pages/pages.h"
#include "queue/queue.h"
#include "reference/hooks.h"

static walloc_lock recovery;

uint32_t walloc_thread_self(void) { return walloc_platform_thread(); }

/* A recoverer that has died may be the one whose loss is told. */
static bool begin(uint32_t thread) {
  return walloc_lock_take_over(&recovery, thread) || walloc_lock_try_for_a_while(&recovery);
}

/* Sweep before parts: it finds its own by the name that parts still bear. */
static walloc_error recover(uint32_t thread) {
  if (!walloc_pages_hold(thread))
    return WALLOC_ERROR_BUSY;
  walloc_large_thread_lost(thread);
  walloc_arenas_thread_lost(thread);
  walloc_sweep_thread_lost(thread);
  if (walloc_references_thread_lost != NULL)
    walloc_references_thread_lost(thread);
  walloc_parts_thread_lost(thread);
  walloc_queue_thread_lost(thread);
  walloc_pages_leave();
  walloc_pins_thread_lost(thread);
  walloc_frames_thread_lost(thread);
  return WALLOC_OK;
}

walloc_error walloc_thread_lost(uint32_t thread) {
  if (thread == 0 || (thread & 1) != 0 || thread == walloc_thread_self())
    return WALLOC_ERROR_HANDLE;
  if (!begin(thread))
    return WALLOC_ERROR_BUSY;
  walloc_error error = recover(thread);
  walloc_lock_release(&recovery);
  return error;
}
