/* The arena: a cursor over a list of chunks.
 *
 *      cursor = (generation, chunk 1, offset)
 *                                 |
 *     chunk 0            chunk 1  v                chunk 2              chunk 3 ... 63
 *     [=blocks======--]  [=blocks=|............]   [..... idle .....]   none
 *                    ^ unused end
 *
 * The protocol, in the words that the rest of the room uses:
 *
 *  P1. The cursor decides. A block is allocated at the moment when an atomic operation takes the
 *      cursor from before it to behind it, or when its lane was so taken (a lane's blocks are
 *      allocated when the thread finds the cursor's generation to be the lane's). The generation in
 *      that same word is the block's: so each block has exactly one, and two blocks of one generation
 *      never overlap, since within a generation the cursor only rises.
 *  P2. Whatever ends a generation is one compare-and-swap of the whole word. An operation that began
 *      before and has not yet moved the cursor fails its own compare-and-swap, or adds to the new word
 *      and finds the new generation in what it gets.
 *  P3. The chunk table is dense: entries 0 to count-1. Entries change only under the growth lock, at
 *      the end: growth appends, giving up removes the last. The cursor enters a chunk only after its
 *      entry was written (the entry's store precedes, as a release, the store of whoever moves the
 *      cursor), or by a swap of one who has read an entry that is gone by then, and gets no block.
 *  P4. A chunk is given up only when the cursor is before it. Who gives up first empties the entry,
 *      then reads the cursor; who allocates first moves the cursor, then reads the entry. All four are
 *      sequentially consistent, so at least one sees the other: the giver, who then puts the entry
 *      back, or the allocator, who finds an empty entry, which has no room, and starts over.
 *  P5. Between an addition to the cursor and the read of the entry the generation may end, the chunk be
 *      given up and another installed in its place. So whoever adds reads the cursor once more after
 *      the entry: if the generation is still the same, the chunk could not be given up in between (P4),
 *      and the entry is the right one; if not, nobody gets the place, and the allocation starts over. Valid
 *      blocks would not overlap without this; but a stale one's address would not be that of its place. A compare-and-swap compares the entry instead.
 *
 * What a kill leaves behind: between two operations on the cursor nothing; in a lane its unused rest,
 * until the next generation; under the growth lock see growth.c, under the history lock history.c. */
#ifndef WALLOC_ARENA_H
#define WALLOC_ARENA_H

#include <stdalign.h>
#include <stdatomic.h>

#include "arena/chunk.h"
#include "arena/place.h"
#include "lock/lock.h"
#include "platform/sanitizer.h"
#include "walloc.h"

#define CACHE_LINE 64

/* Builds that mark what is handed out and what is recycled: see gate.h. */
#if defined(WALLOC_ASAN) || defined(WALLOC_DEBUG_FILL)
#define WALLOC_ARENA_GATED 1
#endif

/* What survived into a generation that did not begin by a reset. See history.h. */
typedef struct arena_history {
  _Atomic uint64_t summary;                         /* generation, oldest, levels: see history.c */
  _Atomic place level[WALLOC_PRESERVED_LEVELS_MAX]; /* ascending in generation and in position */
} arena_history;

/* Never read by the allocator. Relaxed atomics: written by whoever did the thing counted. */
typedef struct arena_counters {
  _Atomic uint64_t recycled; /* bytes */
  _Atomic uint64_t resets, growths, failures, pressure, recyclings;
  _Atomic size_t high_water; /* bytes; a maximum */
} arena_counters;

struct walloc_arena {
  /* Written by every thread that allocates or throws away. Alone in its cache line. */
  alignas(CACHE_LINE) _Atomic place cursor;

  /* Read by every allocation; written only while the arena is created, before it is live. */
  alignas(CACHE_LINE) size_t alignment_mask; /* alignment - 1 */
  size_t lane;                               /* bytes, or 0 for none */
  uint32_t slot;                             /* this arena's place in the table of arenas */
  size_t soft_budget, hard_budget;           /* bytes, or 0 for none */
  walloc_recycle recycle;
  walloc_pressure_function *on_pressure;
  void *user;

  _Atomic uint32_t serial;  /* odd while live; + 1 by create and destroy, under the table lock */
  _Atomic uint32_t count;   /* of chunks; written under the growth lock */
  _Atomic uint32_t kept;    /* chunks of the reserve: never given up; written by create, destroy */
  _Atomic place preserved;  /* walloc_preserve's place; written by it and by compact */
  _Atomic uint32_t pinned;  /* 0: never in this life; see frames/pins.h, as for the next */
  _Atomic uint32_t closing; /* the thread that is about to recycle what may be pinned; 0: none */
  _Atomic uintptr_t fallback; /* blocks from the heap; written by all: see fallback/fallback.c */
  walloc_lock growth;         /* guards the chunk table */
  walloc_lock history_lock;   /* guards the histories' writing */
#ifdef WALLOC_ARENA_GATED
  walloc_lock gate; /* guards cursor, lanes and bytes together: see gate.h */
#endif
  arena_counters counters;

  /* Written under the growth lock. start: pages in all chunks before, so that a place is a number of
   * bytes in constant time. */
  _Atomic chunk chunks[WALLOC_CHUNKS_MAX];
  _Atomic page_index start[WALLOC_CHUNKS_MAX];

  /* Generation g uses history (g / 2) % 2. Written under the history lock. */
  arena_history history[2];
};

extern walloc_arena walloc_arenas[WALLOC_ARENAS_MAX];

/* ---- One-line accessors, with their orderings ---------------------------------------------- */

/* Sequentially consistent: half of P4's argument. */
static inline chunk arena_chunk(walloc_arena *arena, uint32_t n) {
  return atomic_load_explicit(&arena->chunks[n], memory_order_seq_cst);
}

/* Relaxed: those who relieve pressure may look at an arena that is just being destroyed or created. It
 * has no chunks then, whatever this says; a live arena's is visible with its serial. */
static inline uint32_t kept_chunks(walloc_arena *arena) {
  return atomic_load_explicit(&arena->kept, memory_order_relaxed);
}

static inline void set_kept(walloc_arena *arena, uint32_t count) {
  atomic_store_explicit(&arena->kept, count, memory_order_relaxed);
}

/* Acquire: pairs with the release of whoever moved it, so that the chunk it names is visible. */
static inline place arena_cursor(walloc_arena *arena) {
  return atomic_load_explicit(&arena->cursor, memory_order_acquire);
}

/* Sequentially consistent: the allocator's half of P4; as a release it publishes the mover's history
 * and chunk, as an acquire it sees those of the movers before. */
static inline bool arena_move_cursor(walloc_arena *arena, place *seen, place next) {
  return atomic_compare_exchange_strong_explicit(&arena->cursor, seen, next, memory_order_seq_cst,
                                                 memory_order_acquire);
}

/* Acquire: pairs with the release in walloc_arena_create. */
static inline bool arena_is_live(walloc_arena *arena) {
  return (atomic_load_explicit(&arena->serial, memory_order_acquire) & 1) != 0;
}

static inline size_t arena_alignment(const walloc_arena *arena) {
  return arena->alignment_mask + 1;
}

static inline uint64_t arena_round_up(const walloc_arena *arena, uint64_t bytes) {
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the caller has checked the arena
  return (bytes + arena->alignment_mask) & ~(uint64_t)arena->alignment_mask;
}

/* Relaxed: statistics. */
static inline void count_event(_Atomic uint64_t *counter) {
  atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- The room's own calls -------------------------------------------------------------------*/

/* Bytes from the arena's start to a place; constant time. */
uint64_t walloc_arena_distance(walloc_arena *arena, place p);

/* The same place, moved back to its chunk's end where failed additions have taken it beyond. Without a
 * chunk, which is just being given up or looked at for that (P4), it stays: to take it for one of length
 * 0 would move a mark before blocks that somebody may still get. */
place walloc_arena_clip(walloc_arena *arena, place p);

/* Allocates, and says where the block ends. NULL with walloc_last_error. alignment 0: the arena's. */
void *walloc_arena_allocate(walloc_arena *arena, size_t size, size_t alignment, place *end);

/* The calling thread's lanes, one for each arena: the place and the address of their end, and the room before it. For
 * people to read, also while the thread writes. */
#define WALLOC_LANE_SIZE (sizeof(place) + sizeof(char *) + sizeof(size_t))
const void *walloc_arena_lanes(void);

/* OK when the arena may be used, else the error to return. */
walloc_error walloc_arena_check(walloc_arena *arena);

#endif
