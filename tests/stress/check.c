/* What must hold for blocks that were handed out, whatever the threads did. See storm.h. */
#include "stress/storm.h"

#include "arena/arena.h"

#include <stdlib.h>

static uintptr_t start_of(const walloc_ref *block) { return (uintptr_t)block->address; }

static uintptr_t end_of(const walloc_ref *block) { return start_of(block) + block->size; }

/* By arena, generation, chunk and address. */
static int by_generation(const void *a, const void *b) {
  const walloc_ref *x = a, *y = b;
  if (x->arena != y->arena)
    return (uintptr_t)x->arena < (uintptr_t)y->arena ? -1 : 1;
  uint64_t p = x->place >> CHUNK_SHIFT, q = y->place >> CHUNK_SHIFT;
  if (p != q)
    return p < q ? -1 : 1;
  return (start_of(x) > start_of(y)) - (start_of(x) < start_of(y));
}

static int by_address(const void *a, const void *b) {
  const walloc_ref *x = a, *y = b;
  return (start_of(x) > start_of(y)) - (start_of(x) < start_of(y));
}

/* Where the block's chunk must begin for its place to be right. */
static uintptr_t chunk_start_of(const walloc_ref *block) {
  uint64_t bytes = arena_round_up(block->arena, block->size);
  return start_of(block) - (uintptr_t)(place_offset(block->place) - bytes);
}

static void check_one(const walloc_ref *block) {
  if (start_of(block) % arena_alignment(block->arena) != 0)
    storm_violation("%p is not aligned", block->address);
  if (place_offset(block->place) < arena_round_up(block->arena, block->size))
    storm_violation("%p straddles its chunk's start", block->address);
  if (chunk_start_of(block) % WALLOC_PAGE_SIZE != 0)
    storm_violation("%p is not where its place says", block->address);
}

/* Two neighbours in one chunk of one generation. */
static void check_pair(const walloc_ref *a, const walloc_ref *b) {
  if (end_of(a) > start_of(b))
    storm_violation("%p and %p of generation %u overlap", a->address, b->address,
                    place_generation(a->place));
  if (chunk_start_of(a) != chunk_start_of(b))
    storm_violation("%p and %p name the same chunk", a->address, b->address);
}

static void check_valid(walloc_ref *blocks, size_t count) {
  size_t valid = 0;
  for (size_t i = 0; i < count; i++) {
    if (walloc_ref_valid(blocks[i]))
      blocks[valid++] = blocks[i];
  }
  qsort(blocks, valid, sizeof *blocks, by_address);
  for (size_t i = 1; i < valid; i++) {
    if (end_of(&blocks[i - 1]) > start_of(&blocks[i]))
      storm_violation("%p and %p are both valid and overlap", blocks[i - 1].address,
                      blocks[i].address);
  }
}

void storm_check_blocks(walloc_ref *blocks, size_t count) {
  qsort(blocks, count, sizeof *blocks, by_generation);
  for (size_t i = 0; i < count; i++) {
    check_one(&blocks[i]);
    if (i > 0 && blocks[i].arena == blocks[i - 1].arena &&
        blocks[i].place >> CHUNK_SHIFT == blocks[i - 1].place >> CHUNK_SHIFT)
      check_pair(&blocks[i - 1], &blocks[i]);
  }
  check_valid(blocks, count);
}
