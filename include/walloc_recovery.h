/* Recovery: what to do when a thread has died, at whatever instruction (a terminated Web Worker).
 *
 *     in the worker, when it starts        uint32_t self = walloc_thread_self();     told to somebody else
 *     in somebody else, when it is dead    walloc_thread_lost(self);
 *
 * A thread that dies may hold a lock, pin an arena, have its part of the heap. Until somebody tells of its loss, all
 * of that stays as it is: others may wait for the lock, or be told BUSY. Afterwards it is as if the thread had
 * ended by itself, but for what it had in hand: at most one block of the heap, one lane of each arena, one span.
 * docs/recovery.md says what a kill leaves behind, room by room.
 *
 * Never without proof. A thread that still runs after its loss was told and another has its memory is worse than
 * any leak: the same block is then handed out twice. worker.terminate() returns before the worker has stopped. Proof
 * is, for example, the lock of a name (Web Locks) that the worker held for as long as it lived, or a thread that was
 * joined. Without proof do not call this: what the thread held is lost, and nothing else. */
#ifndef WALLOC_RECOVERY_H
#define WALLOC_RECOVERY_H

#include "walloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The number by which the calling thread is known: never 0, and no other living thread's. */
uint32_t walloc_thread_self(void);

/* Takes back what a dead thread held. The caller guarantees that it is dead, and that no living thread has
 * its number by now.
 *
 * Any thread, at any time, also before walloc_init. Two at once, again, or for a thread that held nothing: harmless.
 * HANDLE for 0, for what is no thread's number, and for the calling thread. BUSY: another recovery goes on, or memory
 * is being obtained at this moment, or by another thread that has died too: tell of that one's loss, then call
 * again; nothing has changed. Sleeps for nobody, but perhaps for
 * the page lock where the thread was making or ending a queue. Cost: a look at each page obtained, more often if locks were held. */
walloc_error walloc_thread_lost(uint32_t thread);

#ifdef __cplusplus
}
#endif

#endif
