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

/* What a free block holds of the list below it: nobody who does not know the secret can write a link that leads
 * somewhere. Its upper half is 0 behind the encoding. */
typedef uint64_t block_link;

static inline block_link make_link(uint64_t list, uint32_t block) {
  return list ^ walloc_hardened_secret() ^ (uint64_t)block * 0x9E3779B97F4A7C15u;
}

static inline uint32_t read_link(const block_link *link, uint32_t block) {
  return (uint32_t)make_link(*link, block);
}

/* A block that is about to be handed out: false, after a report, when somebody wrote to its link. */
bool walloc_hardened_check_link(uint32_t block, const block_link *link);

#else

#define BLOCKS_HAVE_GUARDS false

typedef uint32_t block_link;

static inline block_link make_link(uint32_t list, uint32_t block) {
  (void)block;
  return list;
}

static inline uint32_t read_link(const block_link *link, uint32_t block) {
  (void)block;
  return *link;
}

static inline bool walloc_hardened_check_link(uint32_t block, const block_link *link) {
  (void)block;
  (void)link;
  return true;
}

#endif
#endif
