/* Requests, and where they fit: shared by allocation and growth. Only reads the arena. */
#ifndef WALLOC_ARENA_ROOM_H
#define WALLOC_ARENA_ROOM_H

#include "arena/arena.h"

/* bytes: a multiple of the arena's alignment. alignment: at least the arena's. size: as asked for. */
typedef struct request {
  uint64_t bytes, alignment;
  size_t size;
} request;

/* A place for a request: `start` bytes into chunk number `n`, whose word was `owner_chunk`. */
typedef struct spot {
  uint64_t start;
  chunk in;
  uint32_t n;
} spot;

/* A block that was taken; address NULL: none. */
typedef struct block {
  char *address;
  place end;
} block;

static inline uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

/* Alignment is of the address, so it is computed from the chunk's base. 64 bits: nothing wraps. */
static inline bool request_fits(const request *r, chunk c, uint64_t offset, uint64_t *start) {
  uint64_t base = (uint64_t)chunk_first_page(c) * WALLOC_PAGE_SIZE;
  *start = align_up(base + offset, r->alignment) - base;
  return *start + r->bytes <= chunk_bytes(c);
}

/* The first place at or behind the cursor where the request fits without growth. Chunks that are too
 * small are passed over until the next generation. */
bool walloc_arena_find_room(walloc_arena *arena, const request *r, place seen, spot *found);

static inline place spot_end(const spot *s, const request *r, place seen) {
  return place_of(place_generation(seen), s->n, s->start + r->bytes);
}

/* Takes the request from chunks that the arena has. address NULL when it has no room for it. */
block walloc_arena_take(walloc_arena *arena, const request *r);

/* The same when there was none: grows, relieves pressure, or fails with *error. */
block walloc_arena_grow_and_take(walloc_arena *arena, const request *r, walloc_error *error);

/* Makes room without taking it. */
walloc_error walloc_arena_make_room(walloc_arena *arena, const request *r);

/* Compacts to walloc_preserve's place, unless `seen` is of another generation than the current: then
 * somebody has just thrown away, and the allocation shall be tried again first. */
typedef enum recycling { RECYCLED, RECYCLED_BY_OTHERS, NOTHING_TO_RECYCLE } recycling;
recycling walloc_arena_recycle(walloc_arena *arena, place seen);

/* Gives a block back of which nobody but the caller knows, address and end as walloc_arena_allocate told them, if
 * nothing was allocated since: a rewind to before it. False: it stays for as long as its generation. */
bool walloc_arena_take_back(walloc_arena *arena, const void *address, place end);

/* walloc_reset of an arena that is closed to pins. */
void walloc_arena_reset_closed(walloc_arena *arena);

/* For recovery, under the page lock. Mends the chunk table, if the dead thread held its lock. */
void walloc_growth_thread_lost(walloc_arena *arena, uint32_t thread);

/* The same: gives the chunks of an arena that is not live back. */
void walloc_growth_forget(walloc_arena *arena);

/* Ends the generation of an arena that is closed to pins, and empties the chunk table, giving all memory back. */
walloc_error walloc_arena_release_chunks(walloc_arena *arena);

#endif
