/* The control block: where a reader that only has the memory finds what walloc keeps in it.
 *
 *     control block ──► page map (low, high)      who owns each page
 *          │──────────► table of arenas           cursors, chunks, counters
 *          │──────────► table of thread blocks ──► lanes of each thread
 *          `──────────► state
 *
 * The module exports its address as the global `walloc_control`. A reader needs no call into the module, so it
 * can look at a program that hangs. The layout is described in docs/map.md and has a version: fields are
 * only ever added at the end, `size` says how many there are, and a change of meaning is a new version.
 *
 * Invariant: but for the last two fields it is constant. Any thread may read it at any time. */
#ifndef WALLOC_EXPORTS_CONTROL_H
#define WALLOC_EXPORTS_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

#define CONTROL_MAGIC ((uint32_t)0x50414D57) /* "WMAP" as bytes */
#define CONTROL_VERSION 1

typedef struct walloc_control_block {
  uint32_t magic, version, size; /* size: of this struct */
  uint32_t page_size;
  const void *map_low; /* 16 bits for each page: see pages/map.h */
  uint32_t map_low_count;
  const void *map_high; /* the word with the address of the entries above, 0 while there are none */
  const void *state;    /* the word: 2 while walloc runs */

  const void *arenas;
  uint32_t arena_count, arena_size; /* of the table; bytes of each */
  uint32_t chunks_max, levels_max;
  /* Offsets within an arena. */
  uint32_t cursor, alignment_mask, soft_budget, hard_budget, serial, preserved;
  uint32_t counters, chunks, start, history;
  uint32_t history_size; /* of each of the two */

  const void *threads; /* a word for each thread block: see thread_block.c */
  uint32_t threads_max, thread_block_size;
  uint32_t lane_size;

  /* Offset of a thread's lanes, one for each arena, within its block; 0 before the first thread has started. Relaxed:
   * every thread that starts writes the same. */
  _Atomic uint32_t lanes;
  /* walloc_config.maximum; 0: all there is. Relaxed: written by walloc_init, which is alone. */
  _Atomic uint32_t maximum;
} walloc_control_block;

extern walloc_control_block walloc_control;

#endif
