/* What builds that look for use of stale memory do with an arena's bytes: the address sanitizer's, and those
 * with WALLOC_DEBUG_FILL. In all others this is nothing, and the gate is not there.
 *
 *     handed out    0xCD in every byte; unpoisoned, as many bytes as were asked for
 *     recycled      0xDD in every byte that was used; poisoned
 *
 * Argument. In these builds everything that moves a live arena's cursor, or takes a block out of a lane,
 * does so within the arena's gate, a lock, together with what it does to the bytes:
 * - Handing out: the bytes are marked and filled before the gate is left, so before any recycling of them.
 *   Nobody's later block is written to, and no block is poisoned that somebody has.
 * - Recycling: before the compare-and-swap, which cannot fail, as only who has the gate moves the cursor; and
 *   everything that may refuse (pins, history) has been asked before. So nothing has ever to be undone.
 * - Before that swap the cursor is in or behind the chunks that are recycled, so that none of them can be
 *   given up (P4); afterwards they may be, and then they are somebody else's, to poison or not.
 * - A new chunk is poisoned by who fetched it, before its entry is written: it is nobody else's.
 * - Pages are poisoned when they are given back, and unpoisoned when they are taken: see pages.c.
 * The gate is the innermost lock; nothing is called within it that takes another.
 *
 * A reader who is not ordered before the recycling may be reported although the cursor has not moved yet: he
 * has the same error in all orders.
 *
 * What a kill leaves behind: the gate, which names the dead thread, and bytes marked that were to be handed out; or
 * bytes marked as recycled whose generation goes on. Recovery opens the gate.
 *
 * Cost: a lock for each allocation, so that threads take turns; recycling takes time with what was used. */
#ifndef WALLOC_ARENA_GATE_H
#define WALLOC_ARENA_GATE_H

#include "arena/arena.h"
#include "platform/sanitizer.h"

#ifdef WALLOC_ARENA_GATED

static inline bool arena_is_gated(void) { return true; }

static inline void arena_gate_enter(walloc_arena *arena) {
  while (!walloc_lock_insist(&arena->gate)) {
  }
}

static inline void arena_gate_leave(walloc_arena *arena) { walloc_lock_release(&arena->gate); }

static inline void arena_gate_thread_lost(walloc_arena *arena, uint32_t thread) {
  if (walloc_lock_take_over(&arena->gate, thread))
    arena_gate_leave(arena);
}

static inline void arena_mark_handed_out(void *start, size_t size) {
  memory_unpoison(start, size);
#ifdef WALLOC_DEBUG_FILL
  __builtin_memset(start, 0xCD, size);
#endif
}

static inline void arena_mark_recycled(void *start, size_t size) {
#ifdef WALLOC_DEBUG_FILL
  memory_unpoison(start, size);
  __builtin_memset(start, 0xDD, size);
#endif
  memory_poison(start, size);
}

/* All that was used from one place to another of the same generation, which is the cursor. Within the gate. */
static inline void arena_mark_recycled_places(walloc_arena *arena, place from, place to) {
  for (uint32_t n = place_chunk(from); n <= place_chunk(to); n++) {
    chunk c = arena_chunk(arena, n);
    uint64_t begin = n == place_chunk(from) ? place_offset(from) : 0;
    uint64_t end = n == place_chunk(to) ? place_offset(to) : chunk_bytes(c);
    if (end > chunk_bytes(c)) /* additions that failed */
      end = chunk_bytes(c);
    if (begin < end)
      arena_mark_recycled(chunk_address(c) + begin, (size_t)(end - begin));
  }
}

static inline void arena_mark_chunk(chunk c) {
  (void)c;
  memory_poison(chunk_address(c), (size_t)chunk_bytes(c));
}

#else

static inline bool arena_is_gated(void) { return false; }

static inline void arena_gate_enter(walloc_arena *arena) { (void)arena; }

static inline void arena_gate_leave(walloc_arena *arena) { (void)arena; }

static inline void arena_gate_thread_lost(walloc_arena *arena, uint32_t thread) {
  (void)arena;
  (void)thread;
}

static inline void arena_mark_handed_out(void *start, size_t size) {
  (void)start;
  (void)size;
}

static inline void arena_mark_chunk(chunk c) { (void)c; }

#endif

/* arena_move_cursor, to a place at or before `seen`: what lies between is recycled. */
static inline bool arena_move_cursor_back(walloc_arena *arena, place *seen, place next) {
  arena_gate_enter(arena);
#ifdef WALLOC_ARENA_GATED
  if (arena_cursor(arena) == *seen)
    arena_mark_recycled_places(arena, next, *seen);
#endif
  bool moved = arena_move_cursor(arena, seen, next);
  arena_gate_leave(arena);
  return moved;
}

#endif
