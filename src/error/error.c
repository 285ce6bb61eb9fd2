/* Error numbers: the last one of each thread, and their texts. */
#include "error/error.h"

static _Thread_local walloc_error last_error;

void *walloc_fail(walloc_error error) {
  last_error = error;
  return NULL;
}

walloc_error walloc_last_error(void) { return last_error; }

const char *walloc_error_text(walloc_error error) {
  switch (error) {
  case WALLOC_OK:
    return "no error";
  case WALLOC_ERROR_NOT_INITIALIZED:
    return "walloc_init has not been called";
  case WALLOC_ERROR_INITIALIZED:
    return "walloc_init was called a second time";
  case WALLOC_ERROR_CONFIG:
    return "a field of the configuration is out of range";
  case WALLOC_ERROR_ARENA:
    return "no such tier or arena, or not one this may be done to";
  case WALLOC_ERROR_SIZE:
    return "the size is zero or larger than any memory";
  case WALLOC_ERROR_ALIGNMENT:
    return "the alignment is not a power of two, or above WALLOC_ALIGNMENT_MAX";
  case WALLOC_ERROR_PRESERVE:
    return "more is to be preserved than is used";
  case WALLOC_ERROR_STALE:
    return "the mark or reference is of a generation that is gone";
  case WALLOC_ERROR_OUT_OF_MEMORY:
    return "the memory is at its maximum and nothing could be recycled";
  case WALLOC_ERROR_BUDGET:
    return "the arena is at its hard budget and nothing could be recycled";
  case WALLOC_ERROR_LIMIT:
    return "out of arenas, of chunks of an arena, or of preserved levels";
  case WALLOC_ERROR_BUSY:
    return "another thread held a lock for too long to wait here; try again";
  case WALLOC_ERROR_STATE:
    return "the heap is the program's malloc, whose blocks are in use elsewhere";
  case WALLOC_ERROR_PINNED:
    return "a thread has pinned what would be recycled";
  case WALLOC_ERROR_HANDLE:
    return "there is no such context, frames, pin or queue, or not any more";
  case WALLOC_ERROR_EMPTY:
    return "there is nothing in the queue";
  case WALLOC_ERROR_FULL:
    return "the queue is full";
  case WALLOC_ERROR_CLOSED:
    return "the queue is closed";
  }
  return "unknown error number";
}
