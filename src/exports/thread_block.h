/* Thread blocks: the stack and thread-local storage of each JavaScript thread, 64 KiB each.
 *
 *     block                                                        block + 65536
 *     | thread-local storage |  ...  <-- stack grows down from the end           |
 *
 * A thread that has no stack yet must be able to get one: thread_claim and thread_release use neither
 * stack nor thread-local storage nor locks (JavaScript sets the stack pointer to 0 before the call, so
 * that a mistake traps). Blocks are kept for the next thread when one ends.
 *
 * A block is released by whoever claimed it: the thread itself, or the one that claimed it for a thread it
 * watches over. The latter's number is nobody else's for as long as its watcher keeps the block.
 *
 * Any thread. What a kill leaves behind: a block in use by nobody; for good, where nobody watched. */
#ifndef WALLOC_EXPORTS_THREAD_BLOCK_H
#define WALLOC_EXPORTS_THREAD_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define THREADS_MAX 256
#define THREAD_BLOCK_SIZE ((uint32_t)65536)

/* Written by the thread that takes, records or leaves a block: see thread_block.c. */
extern _Atomic uint32_t walloc_thread_slots[THREADS_MAX];

#endif
