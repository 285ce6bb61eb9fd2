/* Queues: handing references from one thread to another.
 *
 *     producers                       queue                         consumers
 *     publish(ref, tag)  ──►  [ ref ][ ref ][ ref ][   ]  ──►  poll or wait(&ref, &tag)
 *
 * Bounded, first in first out, for any number of threads on both sides: each reference is taken by exactly
 * one. With `latest`, a full queue throws its oldest reference away for the newest: of capacity 1 it is a
 * slot that holds only the latest value.
 *
 * All bytes that a thread has written before it publishes are visible to whoever takes the reference. The
 * block itself is not kept: when it is thrown away before somebody takes its reference, that one is told so
 * (STALE), and the reference is used up.
 *
 * Threads: every function may be called from any thread at any time, except that nobody else may be using a
 * queue that is destroyed. Nothing takes a lock but create and destroy, which take the page lock for a
 * moment, and only walloc_queue_wait sleeps. A thread that is killed within any of these functions stops
 * nobody; at most the one message it was about to take is lost.
 *
 * A queue lies in pages of its own: it survives walloc_heap_reset, and ends with walloc_shutdown.
 *
 * Errors of every function: NOT_INITIALIZED; HANDLE when there is no such queue, or it was destroyed. */
#ifndef WALLOC_QUEUE_H
#define WALLOC_QUEUE_H

#include "walloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WALLOC_QUEUES_MAX 64
#define WALLOC_QUEUE_CAPACITY_MAX ((size_t)65536)
#define WALLOC_FOREVER UINT64_MAX

typedef struct walloc_queue walloc_queue;

typedef struct walloc_queue_config {
  size_t capacity; /* references, rounded up to a power of two. Default 64; with `latest`, 1 */
  bool latest;     /* when full, the oldest is thrown away */
} walloc_queue_config;

/* What JavaScript's views publish as their tag, and are made from when they take one. */
typedef enum walloc_element {
  WALLOC_UINT8 = 0, /* also for tags that are none of these */
  WALLOC_INT8,
  WALLOC_UINT8_CLAMPED,
  WALLOC_INT16,
  WALLOC_UINT16,
  WALLOC_INT32,
  WALLOC_UINT32,
  WALLOC_FLOAT32,
  WALLOC_FLOAT64,
  WALLOC_BIGINT64,
  WALLOC_BIGUINT64,
  WALLOC_FLOAT16
} walloc_element;

/* A queue; config may be NULL. NULL: CONFIG, LIMIT when there are WALLOC_QUEUES_MAX, OUT_OF_MEMORY, BUSY.
 * Cost: whole pages of 4 KiB, some 50 bytes for each reference, all written once. */
walloc_queue *walloc_queue_create(const walloc_queue_config *config);

/* Gives its memory back. Nobody else may be using the queue, nor wait in it: close it first, and destroy it when
 * they have come out of it with CLOSED. BUSY: nothing has happened. */
walloc_error walloc_queue_destroy(walloc_queue *queue);

/* Puts a reference behind all others. `tag` is any number that travels along, such as what the block
 * contains; to JavaScript it is a walloc_element.
 *
 * STALE when the block is gone already; CLOSED; FULL when `capacity` are in it, or, with or without
 * `latest`, when as many more as there is room for (at least 16) are just being published or taken, or were
 * when their thread was killed. Cost: three atomic operations; one call of the system if somebody sleeps. */
walloc_error walloc_queue_publish(walloc_queue *queue, walloc_ref ref, uint32_t tag);

/* Takes the oldest reference; returns at once. `tag` may be NULL. EMPTY; CLOSED when it is closed and nothing
 * is left, which is final; STALE when the block has been thrown away meanwhile: `ref` tells which it was, and
 * the queue is rid of it. Cost: four atomic operations, none of them when it is empty. */
walloc_error walloc_queue_poll(walloc_queue *queue, walloc_ref *ref, uint32_t *tag);

/* The same, but sleeps while the queue is empty, for so many nanoseconds at most, or WALLOC_FOREVER; then
 * EMPTY. BUSY, at once, when it is empty and this thread may not sleep (a browser's main thread): poll again
 * later. Cost: as poll while there is something to take. */
walloc_error walloc_queue_wait(walloc_queue *queue, walloc_ref *ref, uint32_t *tag,
                               uint64_t nanoseconds);

/* From now on every publish is CLOSED. What is in the queue can still be taken; then consumers get CLOSED
 * too. Wakes all who wait. Of a closed queue: nothing happens. */
walloc_error walloc_queue_close(walloc_queue *queue);

/* References in the queue, 0 for none such. Out of date at once while others are at work. */
size_t walloc_queue_count(walloc_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
