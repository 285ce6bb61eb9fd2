/* Waiting in C, where threads can sleep and there is a clock. In walloc.wasm there is none: there JavaScript
 * waits, in the same way (workers/api/queue.js). The argument that nobody sleeps for ever is in queue.c. */
#include "queue/queue.h"

walloc_error walloc_queue_wait(walloc_queue *queue, walloc_ref *ref, uint32_t *tag,
                               uint64_t nanoseconds) {
  walloc_error error = walloc_queue_poll(queue, ref, tag);
  if (error != WALLOC_ERROR_EMPTY)
    return error;
  if (!walloc_platform_can_wait())
    return WALLOC_ERROR_BUSY;
  uint64_t begin = walloc_platform_now();
  for (;;) {
    uint32_t event = walloc_queue_arm(queue);
    error = walloc_queue_poll(queue, ref, tag);
    if (error != WALLOC_ERROR_EMPTY)
      return error;
    uint64_t passed = walloc_platform_now() - begin;
    if (passed >= nanoseconds)
      return WALLOC_ERROR_EMPTY;
    uint64_t left = nanoseconds - passed;
    walloc_platform_wait_for(&queue->event, event, left < QUEUE_SLICE ? left : QUEUE_SLICE);
  }
}
