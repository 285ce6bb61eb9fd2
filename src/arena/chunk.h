/* A chunk: a run of pages that belongs to an arena, as one 64-bit word of the arena's chunk table.
 *
 *     | being installed : 1 | 11 unused | first page : 20 | 12 unused | pages : 20 |     0 = none
 *
 * "Being installed" means that only the thread that fetched the chunk may move the cursor into it; for
 * everything else such a chunk is a chunk like any other.
 *
 * Pure functions on values. */
#ifndef WALLOC_ARENA_CHUNK_H
#define WALLOC_ARENA_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "pages/map.h"

typedef uint64_t chunk;

#define CHUNK_NONE ((chunk)0)
#define CHUNK_INSTALLING ((chunk)1 << 63)

static inline chunk chunk_of(page_index first, page_index pages) {
  return (chunk)first << 32 | pages;
}

static inline page_index chunk_first_page(chunk c) { return (page_index)(c >> 32) & 0xFFFFF; }

static inline page_index chunk_pages(chunk c) { return (page_index)c; }

static inline uint64_t chunk_bytes(chunk c) { return (uint64_t)chunk_pages(c) * WALLOC_PAGE_SIZE; }

static inline char *chunk_address(chunk c) { return page_address(chunk_first_page(c)); }

static inline bool chunk_is_installing(chunk c) { return (c & CHUNK_INSTALLING) != 0; }

#endif
