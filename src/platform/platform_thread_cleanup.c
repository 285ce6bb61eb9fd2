/* Where malloc is walloc's, an Emscripten program with threads says when one ends by a cleanup handler. Any thread. */
#include "platform/platform.h"

#include <pthread.h>

/* The thread gets a cleanup handler, as a program with destructors of thread-specific data is 600 bytes
 * larger. pthread_cleanup_push is a macro that opens a scope; what it calls is called here. Each handler is
 * taken away with all that came after it: so ours goes below those that the program has at the moment. */
void walloc_platform_at_thread_end(void (*end)(void *)) {
  static _Thread_local struct __ptcb ours;
  if (ours.__f != NULL)
    return;
  _pthread_cleanup_push(&ours, end, NULL);
  struct __ptcb *lowest = &ours;
  while (lowest->__next != NULL)
    lowest = lowest->__next;
  if (lowest == &ours)
    return;
  _pthread_cleanup_pop(&ours, false);
  lowest->__next = &ours;
  ours.__next = NULL;
}
