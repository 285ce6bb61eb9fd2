/* Places: one 64-bit word that says which generation of an arena, which chunk, and where in it.
 *
 *     | generation : 24 | chunk : 8 | offset in units of 8 bytes : 32 |
 *
 * The arena's cursor is a place, a mark is one, the end of a block is one. The low 40 bits are the
 * position; positions of one arena compare as numbers.
 *
 * Adding to the offset must never carry into the chunk. The offset can express 32 GiB and a chunk has
 * at most 4, so there are 28 GiB for additions that find no room: see BUMP_MAX in allocate.c.
 *
 * The lowest bit of a generation says how it began: even by a reset, behind which nothing survives; odd
 * by a compact, rewind or mark, whose history says what did (history.h). Generations wrap after 2^24
 * and are compared by their age.
 *
 * Pure functions on values. */
#ifndef WALLOC_ARENA_PLACE_H
#define WALLOC_ARENA_PLACE_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t place;

#define PLACE_UNIT 8u
#define GENERATION_SHIFT 40
#define GENERATION_MASK ((uint32_t)0xFFFFFF)
#define CHUNK_SHIFT 32
#define POSITION_MASK (((place)1 << GENERATION_SHIFT) - 1)

static inline place place_of(uint32_t generation, uint32_t chunk_number, uint64_t offset) {
  return (place)generation << GENERATION_SHIFT | (place)chunk_number << CHUNK_SHIFT |
         offset / PLACE_UNIT;
}

static inline uint32_t place_generation(place p) { return (uint32_t)(p >> GENERATION_SHIFT); }

static inline uint32_t place_chunk(place p) { return (uint32_t)(p >> CHUNK_SHIFT) & 0xFF; }

/* In bytes. */
static inline uint64_t place_offset(place p) { return (p & UINT32_MAX) * PLACE_UNIT; }

static inline uint64_t place_position(place p) { return p & POSITION_MASK; }

static inline bool place_same_generation(place a, place b) {
  return (a ^ b) >> GENERATION_SHIFT == 0;
}

static inline bool generation_has_history(uint32_t generation) { return (generation & 1) != 0; }

static inline uint32_t generation_after_reset(uint32_t generation) {
  return (generation + 2) & GENERATION_MASK & ~(uint32_t)1;
}

static inline uint32_t generation_after_compact(uint32_t generation) {
  return ((generation + 1) | 1) & GENERATION_MASK;
}

/* How many generations ago, seen from `now`. */
static inline uint32_t generation_age(uint32_t generation, uint32_t now) {
  return (now - generation) & GENERATION_MASK;
}

#endif
