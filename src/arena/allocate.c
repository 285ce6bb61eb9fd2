/* Allocating: from the thread's lane, from the shared cursor by one addition, or by compare-and-swap.
 *
 *     walloc_alloc ── lane has room ─────────────────────────────► block      (no atomic write)
 *        │
 *        ├─ small: take a new lane from the cursor, then as above             (one addition)
 *        ├─ up to BUMP_MAX: add to the cursor ───────────────────► block      (one addition)
 *        ├─ compare-and-swap in this or a later chunk ───────────► block
 *        └─ growth.c
 *
 * Any thread. The protocol's argument is P1 to P5 in arena.h. */
#include "error/error.h"

#include "arena/gate.h"
#include "arena/room.h"

/* Largest request that adds to the cursor without knowing that it fits. A thread adds only after it
 * saw room in some chunk, and once for each such look, so failed additions take the offset at most
 * (threads x BUMP_MAX) behind a chunk's end: 28 GiB are there for it, that is 458,752 threads. */
#define BUMP_MAX ((uint64_t)65536)

_Static_assert(BUMP_MAX % WALLOC_ALIGNMENT_MAX == 0, "lanes of any size are bumped");

/* A lane: a piece of a chunk that belongs to one thread.
 *
 *     taken from the cursor at once:   [= blocks of this thread =|...... room ......]
 *                                                                                   ^ end
 *
 * It is good as long as the cursor is of the same generation as its end, so reset, compact, rewind and
 * mark abandon it without knowing of it. One store commits an allocation. */
typedef struct lane {
  place end;
  char *end_address;
  size_t room; /* a multiple of the arena's alignment */
} lane;

/* Read and written by their own thread only. All zero: no room. */
static _Thread_local lane lanes[WALLOC_ARENAS_MAX];

_Static_assert(sizeof(lane) == WALLOC_LANE_SIZE, "as people read it: see exports/control.h");

const void *walloc_arena_lanes(void) { return lanes; }

/* ---- The fast way ------------------------------------------------------------------------- */

/* Room for size bytes, in a lane whose generation is the cursor's. size - 1 turns 0 into a size that
 * fits nowhere; a size that is no larger than the room stays so when rounded up, since the room is a
 * multiple of the alignment. Relaxed: what was done before this call by this thread, or by one it
 * synchronised with, it sees (coherence); all else is concurrent with this call (P1). True: within the
 * gate, where there is one, until lane_take. */
static inline bool lane_serves(walloc_arena *arena, const lane *own, size_t size) {
  arena_gate_enter(arena);
  place now = atomic_load_explicit(&arena->cursor, memory_order_relaxed);
  if (size - 1 < own->room && place_same_generation(own->end, now))
    return true;
  arena_gate_leave(arena);
  return false;
}

static inline char *lane_take(walloc_arena *arena, lane *own, size_t size) {
  char *address = own->end_address - own->room;
  own->room -= (size + arena->alignment_mask) & ~arena->alignment_mask;
  arena_mark_handed_out(address, size);
  arena_gate_leave(arena);
  return address;
}

/* Where the block that was just taken ends. */
static inline place lane_place(const lane *own) { return own->end - own->room / PLACE_UNIT; }

/* ---- From the shared cursor --------------------------------------------------------------- */

/* One addition. The chunk is read again behind it: the addition may have found the cursor elsewhere
 * than the look before; and then the cursor (P5). address NULL: no room there, or the generation has
 * ended; nothing but the cursor's overshoot has changed.
 * Sequentially consistent: the allocator's half of P4, and acquire for the chunk's entry (P3). */
static block bump(walloc_arena *arena, uint64_t bytes) {
  place seen = arena_cursor(arena);
  if (place_offset(seen) + bytes > chunk_bytes(arena_chunk(arena, place_chunk(seen))))
    return (block){NULL, 0};
  place start = atomic_fetch_add_explicit(&arena->cursor, bytes / PLACE_UNIT, memory_order_seq_cst);
  chunk c = arena_chunk(arena, place_chunk(start));
  if (place_offset(start) + bytes > chunk_bytes(c) ||
      !place_same_generation(start, arena_cursor(arena)))
    return (block){NULL, 0};
  return (block){chunk_address(c) + place_offset(start), start + bytes / PLACE_UNIT};
}

bool walloc_arena_find_room(walloc_arena *arena, const request *r, place seen, spot *found) {
  uint64_t offset = place_offset(seen);
  for (uint32_t n = place_chunk(seen); n < WALLOC_CHUNKS_MAX; n++, offset = 0) {
    chunk c = arena_chunk(arena, n);
    if (c == CHUNK_NONE || (chunk_is_installing(c) && n != place_chunk(seen)))
      return false;
    if (request_fits(r, c, offset, &found->start)) {
      found->in = c & ~CHUNK_INSTALLING;
      found->n = n;
      return true;
    }
  }
  return false;
}

/* After the move the chunk is read again: if it was given up in between, the block is not ours (P4). */
block walloc_arena_take(walloc_arena *arena, const request *r) {
  place seen = arena_cursor(arena);
  spot s;
  while (walloc_arena_find_room(arena, r, seen, &s)) {
    block b = {chunk_address(s.in) + s.start, spot_end(&s, r, seen)};
    arena_gate_enter(arena);
    bool moved = arena_move_cursor(arena, &seen, b.end);
    bool taken = moved && (arena_chunk(arena, s.n) & ~CHUNK_INSTALLING) == s.in;
    if (taken)
      arena_mark_handed_out(b.address, r->size);
    arena_gate_leave(arena);
    if (taken)
      return b;
    if (moved)
      seen = arena_cursor(arena);
  }
  return (block){NULL, 0};
}

/* A new lane for a thread whose old one does not serve. Lanes never make an arena grow, and a request
 * above a quarter of a lane is not worth one: so at most a quarter is left behind. True: within the gate. */
static bool refill_lane(walloc_arena *arena, lane *own, const request *r) {
  if (r->bytes > arena->lane / 4)
    return false;
  arena_gate_enter(arena);
  block b = bump(arena, arena->lane);
  if (b.address == NULL) {
    arena_gate_leave(arena);
    return false;
  }
  *own = (lane){b.end, b.address + arena->lane, arena->lane};
  return true;
}

/* ---- All ways ----------------------------------------------------------------------------- */

static walloc_error check_request(walloc_arena *arena, size_t size, size_t alignment) {
  walloc_error error = walloc_arena_check(arena);
  if (error != WALLOC_OK)
    return error;
  if (size == 0 || size > (uint64_t)PAGE_LIMIT * WALLOC_PAGE_SIZE)
    return WALLOC_ERROR_SIZE;
  if ((alignment & (alignment - 1)) != 0 || alignment > WALLOC_ALIGNMENT_MAX)
    return WALLOC_ERROR_ALIGNMENT;
  return WALLOC_OK;
}

static block take_anywhere(walloc_arena *arena, const request *r, walloc_error *error) {
  block b = {NULL, 0};
  if (r->bytes <= BUMP_MAX && r->alignment == arena_alignment(arena)) {
    arena_gate_enter(arena);
    b = bump(arena, r->bytes);
    if (b.address != NULL)
      arena_mark_handed_out(b.address, r->size);
    arena_gate_leave(arena);
  }
  if (b.address == NULL)
    b = walloc_arena_take(arena, r);
  if (b.address == NULL)
    b = walloc_arena_grow_and_take(arena, r, error);
  return b;
}

static __attribute__((noinline)) void *allocate_slowly(walloc_arena *arena, size_t size,
                                                       size_t alignment, place *end) {
  walloc_error error = check_request(arena, size, alignment);
  if (error != WALLOC_OK)
    return walloc_fail(error);
  request r = {arena_round_up(arena, size), arena_alignment(arena), size};
  if (alignment > r.alignment)
    r.alignment = alignment;
  else {
    lane *own = &lanes[arena->slot];
    if (lane_serves(arena, own, size) || refill_lane(arena, own, &r)) {
      char *address = lane_take(arena, own, size);
      *end = lane_place(own);
      return address;
    }
  }
  block b = take_anywhere(arena, &r, &error);
  if (b.address == NULL)
    return walloc_fail(error);
  *end = b.end;
  return b.address;
}

void *walloc_arena_allocate(walloc_arena *arena, size_t size, size_t alignment, place *end) {
  if (alignment == 0 && arena != NULL) {
    lane *own = &lanes[arena->slot];
    if (lane_serves(arena, own, size)) {
      char *address = lane_take(arena, own, size);
      *end = lane_place(own);
      return address;
    }
  }
  return allocate_slowly(arena, size, alignment, end);
}

/* Out of line, so that walloc_alloc itself needs no stack frame for `end`: in WebAssembly that alone
 * would cost as much as the rest of the fast way. */
static __attribute__((noinline)) void *allocate_slowly_anywhere(walloc_arena *arena, size_t size) {
  place end;
  return allocate_slowly(arena, size, 0, &end);
}

void *walloc_alloc(walloc_arena *arena, size_t size) {
  if (arena != NULL) {
    lane *own = &lanes[arena->slot];
    if (lane_serves(arena, own, size))
      return lane_take(arena, own, size);
  }
  return allocate_slowly_anywhere(arena, size);
}

/* Zero is no alignment here: it would be the arena's own in walloc_arena_allocate. */
void *walloc_alloc_aligned(walloc_arena *arena, size_t size, size_t alignment) {
  place end;
  return walloc_arena_allocate(arena, size, alignment == 0 ? SIZE_MAX : alignment, &end);
}

walloc_error walloc_reserve(walloc_arena *arena, size_t bytes) {
  walloc_error error = check_request(arena, bytes, 0);
  if (error != WALLOC_OK)
    return error;
  request r = {arena_round_up(arena, bytes), arena_alignment(arena), bytes};
  return walloc_arena_make_room(arena, &r);
}

uint64_t walloc_arena_distance(walloc_arena *arena, place p) {
  uint32_t n = place_chunk(p);
  uint64_t offset = place_offset(walloc_arena_clip(arena, p));
  page_index before = atomic_load_explicit(&arena->start[n], memory_order_relaxed);
  return (uint64_t)before * WALLOC_PAGE_SIZE + offset;
}

place walloc_arena_clip(walloc_arena *arena, place p) {
  chunk c = arena_chunk(arena, place_chunk(p));
  uint64_t length = chunk_bytes(c);
  if (c == CHUNK_NONE || place_offset(p) <= length)
    return p;
  return place_of(place_generation(p), place_chunk(p), length);
}
