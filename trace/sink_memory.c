/* The sink of a program under Emscripten: bytes in its memory, which JavaScript takes when the recording ends
 * (save.js): under Node they go into the file that the environment's WALLOC_TRACE names, and a page has them
 * handed to its Module.onTrace. The program's malloc gives the memory, unseen by the recorder: so blocks lie
 * elsewhere than without a recording. All but begin_from_environment under the recorder's lock. */
#include "front.h"
#include "recorder.h"
#include <emscripten.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 1 << 16 };

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

/* In save.js. */
extern int walloc_trace_wanted(void);
extern void walloc_trace_save(const unsigned char *bytes, size_t length);

static unsigned char *bytes;
static size_t room;

unsigned char *sink_room(size_t length, size_t more) {
  size_t wanted = room == 0 ? FIRST : room;
  while (wanted - length < more)
    wanted *= 2;
  if (wanted != room) {
    unsigned char *moved = __real_realloc(bytes, wanted);
    if (moved == NULL)
      return NULL;
    memset(moved + room, 255, wanted - room);
    bytes = moved;
    room = wanted;
  }
  return bytes;
}

void sink_close(size_t length) {
  walloc_trace_save(bytes, length);
  __real_free(bytes);
  bytes = NULL;
  room = 0;
}

void *sink_obtain(size_t size) { return __real_calloc(1, size); }

void sink_return(void *block, size_t size) {
  (void)size;
  __real_free(block);
}

void begin_from_environment(void) {
  if (walloc_trace_wanted() && trace_begin("program", 0, 0))
    atexit(trace_finish);
}

/* For pages, whose programs do not exit: Module._walloc_trace_finish(). */
EMSCRIPTEN_KEEPALIVE void walloc_trace_finish(void) { trace_finish(); }
