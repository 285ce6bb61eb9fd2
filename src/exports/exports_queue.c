/* What JavaScript calls of the queues. A queue is a handle, slot + 64 x serial, above 0; a later queue in the
 * same slot does not share it. JavaScript waits by itself, on the event word: see queue/wait.c.
 *
 * Each is called from the thread that owns the instance, after thread_start. */
#include "exports/arena_handle.h"
#include "exports/exported.h"
#include "queue/queue.h"
#include "reference/slot.h"

/* In the calling thread's scratch area: what a poll has taken. */
typedef struct queue_message {
  uint32_t arena;
  void *address;
  size_t size;
  uint32_t tag;
  uint64_t place;
} queue_message;

_Static_assert(sizeof(queue_message) == 6 * 4, "read as 6 numbers");

void *walloc_export_scratch(void);

/* Relaxed: a number to compare; whether there is a queue is asked with acquire. */
static uint32_t handle_of_queue(walloc_queue *queue) {
  uint32_t serial = atomic_load_explicit(&queue->serial, memory_order_relaxed);
  return (uint32_t)(queue - walloc_queues) + serial * WALLOC_QUEUES_MAX;
}

/* NULL when it is not, or no longer, a queue; every function refuses that with HANDLE. */
static walloc_queue *queue_of(uint32_t handle) {
  walloc_queue *queue = &walloc_queues[handle % WALLOC_QUEUES_MAX];
  return handle_of_queue(queue) == handle ? queue : NULL;
}

EXPORTED("queue_create") uint32_t walloc_export_queue_create(size_t capacity, bool latest) {
  walloc_queue *queue = walloc_queue_create(&(walloc_queue_config){capacity, latest});
  return queue == NULL ? 0 : handle_of_queue(queue);
}

EXPORTED("queue_destroy") walloc_error walloc_export_queue_destroy(uint32_t queue) {
  return walloc_queue_destroy(queue_of(queue));
}

EXPORTED("queue_close") walloc_error walloc_export_queue_close(uint32_t queue) {
  return walloc_queue_close(queue_of(queue));
}

EXPORTED("queue_count") size_t walloc_export_queue_count(uint32_t queue) {
  return walloc_queue_count(queue_of(queue));
}

EXPORTED("queue_publish")
walloc_error walloc_export_queue_publish(uint32_t queue, uint32_t arena, void *address, size_t size,
                                         uint32_t low, uint32_t high, uint32_t tag) {
  walloc_arena *of = arena == HEAP_INSTEAD ? REFERENCES_OF_HEAP : arena_of(arena);
  walloc_ref ref = {of, address, size, (place)high << 32 | low};
  return walloc_queue_publish(queue_of(queue), ref, tag);
}

EXPORTED("queue_poll") walloc_error walloc_export_queue_poll(uint32_t queue) {
  queue_message *message = walloc_export_scratch();
  walloc_ref ref = {NULL, NULL, 0, 0};
  walloc_error error = walloc_queue_poll(queue_of(queue), &ref, &message->tag);
  message->arena = ref.arena == REFERENCES_OF_HEAP ? HEAP_INSTEAD : handle_of(ref.arena);
  message->address = ref.address;
  message->size = ref.size;
  message->place = ref.place;
  return error;
}

/* The event word's address; 0 for no queue. */
EXPORTED("queue_event") void *walloc_export_queue_event(uint32_t queue) {
  walloc_queue *found = queue_of(queue);
  return walloc_queue_check(found) == WALLOC_OK ? &found->event : NULL;
}

/* What to sleep on: see walloc_queue_arm. A queue that is gone is found out by the next poll. */
EXPORTED("queue_arm") uint32_t walloc_export_queue_arm(uint32_t queue) {
  walloc_queue *found = queue_of(queue);
  return found == NULL ? 0 : walloc_queue_arm(found);
}
