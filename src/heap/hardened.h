/* The hardened build (WALLOC_HARDENED): every block has a guard behind it, and the links of free blocks are
 * encoded. See hardened.c for the guard; the plain build has neither, and these are nothing in it. */
#ifndef WALLOC_HEAP_HARDENED_H
#define WALLOC_HEAP_HARDENED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef WALLOC_HARDENED

#define BLOCKS_HAVE_GUARDS true

/* heap.c's functions, without guards. */
void *walloc_plain_malloc(size_t size);
void *walloc_plain_calloc(size_t count, size_t size);
void *walloc_plain_realloc(void *block, size_t size);
void *walloc_plain_aligned_alloc(size_t alignment, size_t size);
void walloc_plain_free(void *block);
size_t walloc_plain_usable_size(const void *block);

/* Made once, by the first thread that needs it, and never 0. Relaxed: it carries no data. */
uint64_t walloc_hardened_secret(void);

/* What is written in place of a list, and back: nobody who does not know the secret can write a link that
 * leads somewhere. */
static inline uint64_t harden_link(uint64_t list, uint32_t block) {
  return list ^ walloc_hardened_secret() ^ (uint64_t)block * 0x9E3779B97F4A7C15u;
}

/* A block that is about to be handed out, and the list that it held: false, after a report, when somebody
 * wrote to it meanwhile. */
bool walloc_hardened_check_link(uint32_t block, uint64_t below);

#else

#define BLOCKS_HAVE_GUARDS false

static inline uint64_t harden_link(uint64_t list, uint32_t block) {
  (void)block;
  return list;
}

static inline bool walloc_hardened_check_link(uint32_t block, uint64_t below) {
  (void)block;
  (void)below;
  return true;
}

#endif
#endif
