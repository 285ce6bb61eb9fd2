/* Throwing away: reset, compact, mark and rewind, preserve, taking back. All constant time, but for blocks that came
 * from the heap (fallback/fallback.h). Any thread.
 *
 * Each ends a generation by one compare-and-swap of the cursor (P2 in arena.h). Reset is nothing but
 * that, takes no lock and fails only for pins: all but a mark keep those away meanwhile, in an arena that
 * was ever pinned (frames/pins.h). The others write the next generation's history first, and take
 * the history lock so that one does so at a time; allocations go on meanwhile and make the
 * compare-and-swap start over, within the same generation without writing anything again. */
#include "arena/room.h"

#include "arena/gate.h"
#include "arena/history.h"
#include "fallback/fallback.h"
#include "frames/pins.h"

/* ---- Counting ------------------------------------------------------------------------------ */

/* Relaxed: statistics. */
static void raise_high_water(walloc_arena *arena, size_t used) {
  size_t seen = atomic_load_explicit(&arena->counters.high_water, memory_order_relaxed);
  while (seen < used &&
         !atomic_compare_exchange_weak_explicit(&arena->counters.high_water, &seen, used,
                                                memory_order_relaxed, memory_order_relaxed)) {
  }
}

static void count_recycled(walloc_arena *arena, uint64_t used, uint64_t left) {
  raise_high_water(arena, (size_t)used);
  atomic_fetch_add_explicit(&arena->counters.recycled, used - left, memory_order_relaxed);
  count_event(&arena->counters.resets);
}

/* ---- Reset --------------------------------------------------------------------------------- */

static walloc_error reset(walloc_arena *arena, bool *closed) {
  place seen = arena_cursor(arena), next;
  uint64_t used;
  do {
    walloc_error error = pins_close_once(arena, closed);
    if (error != WALLOC_OK)
      return error;
    used = walloc_arena_distance(arena, seen);
    next = place_of(generation_after_reset(place_generation(seen)), 0, 0);
  } while (!arena_move_cursor_back(arena, &seen, next));
  count_recycled(arena, used, 0);
  return WALLOC_OK;
}

void walloc_arena_reset_closed(walloc_arena *arena) { reset(arena, &(bool){true}); }

walloc_error walloc_reset(walloc_arena *arena) {
  bool closed = false;
  walloc_error error = walloc_arena_check(arena);
  if (error == WALLOC_OK)
    error = reset(arena, &closed);
  if (closed)
    walloc_pins_open(arena);
  if (error == WALLOC_OK)
    walloc_fallback_give(arena, false);
  return error;
}

/* ---- The others ---------------------------------------------------------------------------- */

typedef enum change_kind { COMPACT, REWIND, MARK, RECYCLE, TAKE_BACK } change_kind;

/* What is asked: one of the fields, by kind. */
typedef struct change {
  change_kind kind;
  uint64_t preserve;   /* COMPACT: bytes */
  place mark;          /* REWIND; TAKE_BACK: where the block ends */
  const void *address; /* TAKE_BACK: where it begins */
  uint32_t generation; /* RECYCLE: only this one is to be ended */
} change;

/* The place that lies `bytes` from the start; a boundary between chunks is the end of the first. */
static place place_at_distance(walloc_arena *arena, place now, uint64_t bytes) {
  uint32_t n = place_chunk(now);
  uint64_t start = 0;
  while (n > 0) {
    start =
        (uint64_t)atomic_load_explicit(&arena->start[n], memory_order_relaxed) * WALLOC_PAGE_SIZE;
    if (start < bytes)
      break;
    n--;
  }
  return place_of(place_generation(now), n, n == 0 ? bytes : bytes - start);
}

/* Where a block begins that may be taken back: only while the cursor is where it ends, so that nobody loses anything
 * else. Not what was declared preserved; nor in an arena that falls back, where blocks from the heap have the
 * cursor's place without having moved it. It does not go back into an earlier chunk. */
static walloc_error start_of_last(walloc_arena *arena, const change *asked, place now,
                                  place *target) {
  chunk in = arena_chunk(arena, place_chunk(now));
  uint64_t offset = (uintptr_t)asked->address - (uintptr_t)chunk_address(in);
  if (now != asked->mark || in == CHUNK_NONE || offset >= place_offset(now) ||
      arena->recycle == WALLOC_FALL_BACK ||
      atomic_load_explicit(&arena->preserved, memory_order_acquire) == now)
    return WALLOC_ERROR_STALE;
  *target = now - (place_offset(now) - offset) / PLACE_UNIT;
  return WALLOC_OK;
}

/* Where the change takes the cursor to, as a place of the current generation. */
static walloc_error target_of(walloc_arena *arena, const change *asked, place now, place *target) {
  place saved;
  switch (asked->kind) {
  case COMPACT:
    if (asked->preserve > walloc_arena_distance(arena, now))
      return WALLOC_ERROR_PRESERVE;
    *target = place_at_distance(arena, now, arena_round_up(arena, asked->preserve));
    return WALLOC_OK;
  case REWIND:
    if (!walloc_history_holds(arena, asked->mark) ||
        place_position(asked->mark) > place_position(now))
      return WALLOC_ERROR_STALE;
    *target = asked->mark;
    return WALLOC_OK;
  case MARK:
    *target = walloc_arena_clip(arena, now);
    return WALLOC_OK;
  case RECYCLE:
    if (place_generation(now) != asked->generation)
      return WALLOC_ERROR_STALE;
    saved = atomic_load_explicit(&arena->preserved, memory_order_acquire);
    if (saved == 0 || !walloc_history_holds(arena, saved) ||
        place_position(saved) >= place_position(now))
      return WALLOC_ERROR_PRESERVE;
    *target = saved;
    return WALLOC_OK;
  case TAKE_BACK:
    return start_of_last(arena, asked, now, target);
  }
  return WALLOC_ERROR_ARENA;
}

/* A position at or before the cursor's within one generation is so for all the rest of it, since the
 * cursor only rises: so the target is computed again only for a new generation, and for a mark, which
 * is to lie behind everything allocated before it. What is taken back must be the last for that, too. */
static walloc_error begin_generation(walloc_arena *arena, const change *asked, place *begun,
                                     bool *closed) {
  place now = arena_cursor(arena);
  for (;;) {
    place began = now, target;
    uint32_t next = generation_after_compact(place_generation(now));
    walloc_error error = target_of(arena, asked, now, &target);
    if (error == WALLOC_OK)
      error = walloc_history_prepare(arena, now, next, asked->kind != MARK, place_position(target));
    if (error != WALLOC_OK)
      return error;
    while (asked->kind == TAKE_BACK ? now == began : place_same_generation(now, began)) {
      if (asked->kind == MARK)
        target = walloc_arena_clip(arena, now);
      *begun = (place)next << GENERATION_SHIFT | place_position(target);
      error = pins_close_once(arena, closed);
      if (error != WALLOC_OK)
        return error;
      uint64_t used = walloc_arena_distance(arena, now);
      uint64_t left = walloc_arena_distance(arena, target);
      if (arena_move_cursor_back(arena, &now, *begun)) {
        if (asked->kind == MARK)
          raise_high_water(arena, (size_t)used);
        else
          count_recycled(arena, used, left);
        return WALLOC_OK;
      }
    }
  }
}

static walloc_error carry_out(walloc_arena *arena, const change *asked, place *begun) {
  walloc_error error = walloc_arena_check(arena);
  if (error != WALLOC_OK)
    return error;
  if (!walloc_lock_acquire(&arena->history_lock))
    return WALLOC_ERROR_BUSY;
  bool is_mark = asked->kind == MARK, closed = is_mark; /* which recycles nothing */
  error = begin_generation(arena, asked, begun, &closed);
  if (closed && !is_mark)
    walloc_pins_open(arena);
  if (error == WALLOC_OK && asked->kind == COMPACT)
    atomic_store_explicit(&arena->preserved, *begun, memory_order_release);
  walloc_lock_release(&arena->history_lock);
  if (error == WALLOC_OK && !is_mark)
    walloc_fallback_give(arena, false);
  return error;
}

walloc_error walloc_compact(walloc_arena *arena, size_t preserve) {
  place begun;
  return carry_out(arena, &(change){.kind = COMPACT, .preserve = preserve}, &begun);
}

walloc_error walloc_set_mark(walloc_arena *arena, walloc_mark *mark) {
  place begun;
  walloc_error error = carry_out(arena, &(change){.kind = MARK}, &begun);
  if (error == WALLOC_OK)
    *mark = (walloc_mark){arena, begun};
  return error;
}

walloc_error walloc_rewind(walloc_mark mark) {
  place begun;
  return carry_out(mark.arena, &(change){.kind = REWIND, .mark = mark.place}, &begun);
}

bool walloc_arena_take_back(walloc_arena *arena, const void *address, place end) {
  place begun;
  change asked = {.kind = TAKE_BACK, .mark = end, .address = address};
  return carry_out(arena, &asked, &begun) == WALLOC_OK;
}

/* Under the history lock, like recycling: or one that has read the old place could go back behind the new
 * one, and a compact could set its own over one declared later. */
walloc_error walloc_preserve(walloc_arena *arena) {
  walloc_error error = walloc_arena_check(arena);
  if (error != WALLOC_OK)
    return error;
  if (!walloc_lock_acquire(&arena->history_lock))
    return WALLOC_ERROR_BUSY;
  place now = walloc_arena_clip(arena, arena_cursor(arena));
  atomic_store_explicit(&arena->preserved, now, memory_order_release);
  walloc_lock_release(&arena->history_lock);
  return WALLOC_OK;
}

recycling walloc_arena_recycle(walloc_arena *arena, place seen) {
  place begun;
  change asked = {.kind = RECYCLE, .generation = place_generation(seen)};
  walloc_error error = carry_out(arena, &asked, &begun);
  if (error == WALLOC_ERROR_STALE)
    return RECYCLED_BY_OTHERS;
  if (error != WALLOC_OK)
    return NOTHING_TO_RECYCLE;
  count_event(&arena->counters.recyclings);
  return RECYCLED;
}

/* ---- Asking -------------------------------------------------------------------------------- */

size_t walloc_used(walloc_arena *arena) {
  if (walloc_arena_check(arena) != WALLOC_OK)
    return 0;
  size_t used = (size_t)walloc_arena_distance(arena, arena_cursor(arena));
  raise_high_water(arena, used);
  return used;
}
