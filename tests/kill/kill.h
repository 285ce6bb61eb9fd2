/* The proof of recovery: a thread is killed after each of its instructions in turn, its loss is told, and everything
 * must be in order.
 *
 *     tester                     child: shares all memory, has thread-local storage of its own
 *     prepare                    begin
 *     between                    (stopped)
 *                                run: an instruction
 *     fork -> examiner           (stopped)
 *     (waits)    walloc_thread_lost, all checks
 *                                the next instruction, and so on to the end
 *
 * The examiner has all memory as the child has left it, and no such thread: to it the child is dead. So one run of an
 * operation is enough for all its places. One tester; x86-64 Linux only.
 *
 * Where the tester is to be a process in which walloc was never used, it is a fork of one.
 *
 * Recovery is also stopped after each of its instructions, where it lives on: in another examiner a thread takes the
 * page lock, where it is free, and dies with it. Then a copy of the child goes on with recovery, and must come to its
 * end. */
#ifndef KILL_H
#define KILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "walloc_context.h"
#include "walloc_frames.h"
#include "walloc_queue.h"
#include "walloc_recovery.h"
#include "walloc_reference.h"

typedef struct operation {
  const char *name;
  void (*prepare)(
      void);           /* tester, before the child starts. Each of the four may be NULL, but run */
  void (*begin)(void); /* child, not stepped */
  void (*between)(void); /* tester, while the child is stopped before run */
  void (*run)(void);     /* child */
  size_t
      leak; /* bytes of the heap that a kill may leave live, with what is being allocated or freed */
  unsigned flags;
} operation;

#define RECYCLES 1u /* the blocks of the common arena may be gone */
#define LIVES_ON 2u /* it is also stopped while another thread dies with the page lock */

typedef struct operations {
  const operation *all;
  size_t count;
} operations;

/* Each time in a process in which walloc has not been used before. */
extern const operations kill_first_operations, kill_first_room_operations;
/* operations.c and rooms.c. */
extern const operations kill_heap_operations, kill_room_operations;

/* In `prepare`: a thread is killed in the operation of this name after so many instructions, and its loss is not
 * told yet: kill_common.lost_before. That one is killed in earnest. */
void kill_first(const char *name, uint32_t after);

/* ---- What the program holds: written by tester and child, one at a time ---------------------- */

enum { HELD_MAX = 512, REFS_MAX = 32 };

typedef struct held_block {
  unsigned char *address;
  size_t size;
  uint32_t seed;
  bool in_doubt; /* the operation frees or moves it: live or not, and its bytes may be anything */
} held_block;

typedef struct common {
  held_block held[HELD_MAX];
  size_t held_count;
  walloc_arena *arena;
  walloc_ref refs[REFS_MAX];
  size_t ref_count;
  walloc_frames *frames;
  walloc_queue *queue;
  walloc_context context;
  walloc_mark mark;
  walloc_ref heap_ref;
  uint32_t lost_before;             /* a thread that died before the one that is killed; 0: none */
  volatile uint32_t lost_meanwhile; /* one that died while that was stopped */
  void *volatile result;            /* of an operation */
} common;

extern common kill_common;

/* A block of the heap that is filled and remembered: its place in the table. Small ones are from spans, which most
 * operations are about, or from scraps, as the first few of a class are. */
size_t hold(size_t size);
size_t hold_scrap(size_t size);

/* The same, as a run of pages. */
size_t hold_run(size_t size);

/* Fills it again, after its size was changed. */
void refill(size_t held);

/* Frees a remembered block, and forgets it. */
void let_go(size_t held);

/* A block of the common arena, filled and remembered. */
void hold_ref(size_t size);

/* ---- Checks --------------------------------------------------------------------------------- */

/* NULL: all is in order; else what is not: the map and its sums, chunks, lists, tags. */
const char *kill_check_structure(void);

/* The same, and what the program holds, and what has leaked. */
const char *kill_check(const operation *op);

/* The rooms are used, and everything is freed. NULL: as above. */
const char *kill_use_and_end(void);

/* A walloc with nothing in it but the common things. */
void kill_start(void);

#endif
