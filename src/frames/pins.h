/* Pins: what a thread is reading is not recycled. This is all that arenas know of this room; programs call
 * walloc_pin and walloc_unpin (walloc_frames.h).
 *
 *     row of thread 4     | owner 4 | 4: arena 3, once | 4: arena 9, twice | none | ...      64 bytes,
 *     row of thread 8     | owner 8 | none             | none              | none | ...      a cache line
 *     no row yet          | owner 0 |
 *
 *     arena 3             closing: 0, or the thread that is about to recycle
 *                         pinned: whether it ever was
 *
 * A word says which thread pins which arena, how many times, and is the truth: it is taken from empty by a
 * compare-and-swap, changed and emptied by its thread only, or by recovery when that has died. The owner of
 * a row only says where its thread looks first. Owners are written once; when all rows have one, threads
 * share them. So the rows without an owner are the last, and empty.
 *
 * Argument. All operations here are sequentially consistent where an order between two words matters: there
 * is one order of all of them.
 *
 *      pin                                       recycle
 *      P1  owner of a row, if it had none        R1  closing: nobody -> own number
 *      P2  word: empty -> arena                  R2  read all owners and words: is it pinned?
 *      P3  read closing                          R3  the compare-and-swap of the cursor
 *      P4  is the reference, the frame there?    R4  closing: nobody
 *
 * - Either P1 and P2 come before the reads of R2, which then find the pin: nothing is recycled until it is
 *   gone. Or a read of R2 comes before them, so R1 does too, and P3 comes after all three: it reads R1's
 *   number, and the pin is taken back; or what R4 wrote or a later R1, and then R3 happened before P4, which
 *   sees another generation. Two that recycle one arena are kept apart by R1.
 * - Emptying a word is a release, R2 an acquire: what was read under the pin was read before R3.
 * - Nobody waits for a pin. A pin that meets a closing arena tries again for a second, then it is refused; so is
 *   a recycling that meets another. One that meets a pin, or a pin on its way, is refused at once. All have
 *   changed nothing then.
 *
 * Never pinned. An arena whose `pinned` is 0 is recycled by R3 alone. R3 compares the cursor with what was
 * read before `pinned` was (N1, N2 below); and the first to pin moves the cursor between saying so and P2:
 *
 *      F1  pinned: 1                             N1  read the cursor
 *      F2  the cursor: + one smallest block      N2  read pinned: 0
 *      F3  pinned: 2                             R3  the cursor, if it is as N1 read it
 *
 * - A pin goes on to P2 only after an F2 of its own, or one before the F3 that it read (acquire, release).
 * - If R3 comes before that F2 in the order of the cursor, P4 sees R3's generation. If it comes after, then
 *   within a generation the cursor only rises, so N1 has read what an F2 or somebody later wrote; F2 releases
 *   and N1 acquires, so N2 reads what F1 wrote, not 0.
 * So an arena pays for pins one load at each recycling until it is first pinned, and one smallest block then.
 *
 * What a kill leaves behind. After P1: a row that the next thread of that number uses. After P2: a pin; it is
 * held until recovery, and recycling is refused, never wrong. After F1 or F2: the next pin does F1 to F3
 * again. After R1, R2, R3: `closing` names the dead thread; pins and recyclings are refused as BUSY until
 * recovery. walloc_pins_thread_lost mends both. Any thread. */
#ifndef WALLOC_FRAMES_PINS_H
#define WALLOC_FRAMES_PINS_H

#include "arena/arena.h"

/* Before the arena's cursor goes back, and behind the load that it is compared with: keeps pins away until
 * walloc_pins_open. PINNED, BUSY. */
walloc_error walloc_pins_close(walloc_arena *arena);

void walloc_pins_open(walloc_arena *arena);

/* The same where it was not done yet (*closed), and is needed: the arena has been pinned in its life. */
static inline walloc_error pins_close_once(walloc_arena *arena, bool *closed) {
  /* Relaxed: ordered by the acquire of the cursor's load, N1. */
  if (*closed || atomic_load_explicit(&arena->pinned, memory_order_relaxed) == 0)
    return WALLOC_OK;
  walloc_error error = walloc_pins_close(arena);
  *closed = error == WALLOC_OK;
  return error;
}

/* A thread that pins this arena, or with NULL any arena; 0: none. */
uint32_t walloc_pins_holder(const walloc_arena *arena);

/* For recovery: the thread has died, and will do nothing any more. Its pins are gone, and what it was
 * recycling may be recycled and pinned again. */
void walloc_pins_thread_lost(uint32_t thread);

#endif
