/* First fit and next fit: free blocks in order of address, and a tree that knows where the large ones are.
 *
 *     largest[1]                          of all
 *     largest[2]        largest[3]        of one half each
 *        ...
 *     largest[BUCKETS + b]                of the blocks that begin in bucket b, 2 MiB of addresses
 *                           │
 *                blocks[b] ──► block ◄──► block      by ascending address
 *
 * The leftmost bucket with a block that is large enough is found from the root in 11 steps, each of which
 * looks at one number; in it there are at most 32 blocks, as free ones that count and used ones between them
 * have more than 32 KiB each (small remainders do not count). So both strategies take a bounded time,
 * whatever is free. All trees are 96 KiB of .bss, of which a program touches what its heap is large.
 *
 * Under the shard's lock. */
#include "heap/strategy.h"

#define BUCKET_SHIFT 21
#define BUCKETS ((uint32_t)1 << (32 - BUCKET_SHIFT))

/* Written under the shard's lock. Offsets from the base, 0: none. */
typedef struct address_index {
  uint32_t largest[2 * BUCKETS];
  uint32_t blocks[BUCKETS];
  uint32_t next_from; /* where next fit goes on */
} address_index;

static address_index indexes[PAGE_SHARDS];

static node *node_at(uint32_t offset) {
  return offset == 0 ? NULL : (node *)(void *)tag_at(offset);
}

static node *node_before(const node *n) { return node_at(n->link[0]); }

static node *node_behind(const node *n) { return node_at(n->link[1]); }

static uint32_t node_size(const node *n) { return tag_size(&n->tag); }

static uint32_t bucket_of(const node *n) { return tag_offset(&n->tag) >> BUCKET_SHIFT; }

/* ---- The tree ------------------------------------------------------------------------------- */

/* Ends where a larger one beside it hides the change. */
static void set_largest(uint32_t *largest, uint32_t bucket, uint32_t size) {
  uint32_t i = bucket + BUCKETS;
  largest[i] = size;
  for (i /= 2; i != 0; i /= 2) {
    const uint32_t *pair = &largest[(size_t)2 * i];
    uint32_t left = pair[0], right = pair[1];
    uint32_t larger = left > right ? left : right;
    if (largest[i] == larger)
      return;
    largest[i] = larger;
  }
}

/* The leftmost bucket below i, which has one. */
static uint32_t descend(const uint32_t *largest, uint32_t i, uint32_t size) {
  while (i < BUCKETS)
    i = 2 * i + (largest[(size_t)2 * i] < size);
  return i - BUCKETS;
}

/* The leftmost behind a bucket; BUCKETS when there is none. */
static uint32_t bucket_behind(const uint32_t *largest, uint32_t bucket, uint32_t size) {
  uint32_t i = bucket + BUCKETS;
  while (i != 1 && (i % 2 == 1 || largest[i + 1] < size))
    i /= 2;
  return i == 1 ? BUCKETS : descend(largest, i + 1, size);
}

/* ---- The lists ------------------------------------------------------------------------------ */

static void link_nodes(uint32_t *bucket, node *before, node *behind) {
  uint32_t first = before == NULL ? 0 : tag_offset(&before->tag);
  uint32_t second = behind == NULL ? 0 : tag_offset(&behind->tag);
  if (before != NULL)
    before->link[1] = second;
  else
    *bucket = second;
  if (behind != NULL)
    behind->link[0] = first;
}

static void insert(uint32_t shard, node *n, uint32_t size) {
  address_index *index = &indexes[shard];
  uint32_t bucket = bucket_of(n), *first = &index->blocks[bucket];
  node *before = NULL, *behind = node_at(*first);
  while (behind != NULL && behind < n) {
    before = behind;
    behind = node_behind(behind);
  }
  link_nodes(first, before, n);
  link_nodes(first, n, behind);
  if (size > index->largest[bucket + BUCKETS])
    set_largest(index->largest, bucket, size);
}

static void remove_node(uint32_t shard, node *n) {
  address_index *index = &indexes[shard];
  uint32_t bucket = bucket_of(n), *first = &index->blocks[bucket], most = 0;
  link_nodes(first, node_before(n), node_behind(n));
  if (node_size(n) != index->largest[bucket + BUCKETS])
    return;
  for (const node *other = node_at(*first); other != NULL; other = node_behind(other))
    if (node_size(other) > most)
      most = node_size(other);
  set_largest(index->largest, bucket, most);
}

static void clear(uint32_t shard) { __builtin_memset(&indexes[shard], 0, sizeof *indexes); }

/* ---- The strategies ------------------------------------------------------------------------- */

/* The first of a bucket at or behind an offset. */
static node *first_in(const address_index *index, uint32_t bucket, uint32_t from, uint32_t size) {
  node *n = node_at(index->blocks[bucket]);
  while (n != NULL && (tag_offset(&n->tag) < from || node_size(n) < size))
    n = node_behind(n);
  return n;
}

static node *find_first(uint32_t shard, uint32_t size) {
  const address_index *index = &indexes[shard];
  return index->largest[1] < size ? NULL
                                  : first_in(index, descend(index->largest, 1, size), 0, size);
}

static node *find_behind(const address_index *index, uint32_t size) {
  uint32_t from = index->next_from, bucket = from >> BUCKET_SHIFT;
  node *found = first_in(index, bucket, from, size);
  if (found == NULL && (bucket = bucket_behind(index->largest, bucket, size)) != BUCKETS)
    found = first_in(index, bucket, 0, size);
  return found;
}

static node *find_next(uint32_t shard, uint32_t size) {
  node *found = find_behind(&indexes[shard], size);
  if (found == NULL)
    found = find_first(shard, size);
  if (found != NULL)
    indexes[shard].next_from = tag_offset(&found->tag) + size;
  return found;
}

const strategy walloc_first_fit = {insert, remove_node, find_first, clear};
const strategy walloc_next_fit = {insert, remove_node, find_next, clear};
