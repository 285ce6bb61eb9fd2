/* Records what a program asks of malloc, as a trace: the format is told in docs/trace.md.
 *
 * A front (preload.c, wrap.c) stands before a malloc and tells the recorder of each call; the sink (sink_file.c,
 * sink_memory.c) holds what is recorded. The order is such that a block's address is never seen twice at
 * once: a block is given up before malloc has it back, and taken after malloc has handed it out. A realloc is
 * told twice: between the two its block is nobody's.
 *
 * All functions: any thread, also a browser's main thread; one lock, which nobody holds for long. Who does not get
 * it for about a second, as a thread was killed that held it, ends the recording, and the program goes on.
 * Nothing here calls malloc by its name. */
#ifndef WALLOC_TRACE_RECORDER_H
#define WALLOC_TRACE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum trace_kind { TRACE_MALLOC, TRACE_CALLOC, TRACE_ALIGNED } trace_kind;

/* What a realloc works on, from its beginning to its end. */
typedef struct trace_move {
  uint32_t block;
  bool is_known; /* false: it was taken before the recording began */
} trace_move;

/* Begins: once, alone. `skip`: so many calls go by before the first is written; what is alive then is written
 * first, as allocations. `count`: so many operations are written at most, without those that free what is
 * left; 0: no limit. False, and nothing is recorded: no memory, or the sink cannot be opened. */
bool trace_begin(const char *name, uint64_t skip, uint64_t count);

/* Ends the recording, if it goes on: frees what is left, and completes the sink. */
void trace_finish(void);

/* Ends it without completing anything: the sink is another process's. */
void trace_abandon(void);

/* The program was given a block. NULL: nothing happened. */
void trace_took(trace_kind kind, const void *address, size_t size, size_t alignment);

/* It is about to free a block, or to have one moved by realloc. */
void trace_gives(const void *address);
trace_move trace_leaves(const void *address);

/* realloc has moved a block, or with NULL has not: then it is at `before` still. */
void trace_arrives(trace_move move, const void *address, const void *before, size_t size);

/* ---- What the recorder stands on: the sink's, and the front's -------------------------------- */

/* The bytes so far, with room for `more` behind `length`; they may move. NULL: none, and the recording ends. What
 * is not written yet are bytes of 255, which no operation begins or ends with. */
unsigned char *sink_room(size_t length, size_t more);

/* Completes what has been written. */
void sink_close(size_t length);

/* Bytes of zeros for the recorder's tables; NULL: none. Not from the malloc that is recorded, or unseen. */
void *sink_obtain(size_t bytes);
void sink_return(void *block, size_t bytes);

#endif
