/* Good fit and best fit: free blocks in lists by size, eight to each doubling, and two levels of bitmaps that tell
 * which lists are not empty (the idea of TLSF: Masmano, Ripoll, Crespo, Real, ECRTS 2004).
 *
 *     rows  ...0110      a bit for each doubling that has a block
 *     lists[row] ..0010  a bit for each of its lists
 *     first[row][list] ──► block ◄──► block
 *
 * Good fit begins at the first list all of whose blocks are large enough, so it takes the same few steps
 * whatever is free, and may pass over a block that would just fit; not where it is the only one. Best fit looks at all blocks of the
 * first list that has one that fits: its time grows with how many free blocks there are of about that size.
 *
 * Under the shard's lock. */
#include "heap/strategy.h"

#define ROWS 32
#define LISTS 8

/* Written under the shard's lock. */
typedef struct size_index {
  uint32_t rows;
  uint32_t lists[ROWS];
  uint32_t first[ROWS][LISTS];
} size_index;

static size_index indexes[PAGE_SHARDS];

typedef struct place_in_lists {
  uint32_t row, list;
} place_in_lists;

/* Sizes are at least NODE_SIZE, so that there are bits below the highest. */
static place_in_lists place_of(uint32_t size) {
  uint32_t row = 31u - (uint32_t)__builtin_clz(size);
  return (place_in_lists){row, size >> (row - 3) & (LISTS - 1)};
}

static place_in_lists list_behind(place_in_lists p) {
  return p.list == LISTS - 1 ? (place_in_lists){p.row + 1, 0} : (place_in_lists){p.row, p.list + 1};
}

static node *node_at(uint32_t offset) { return (node *)(void *)tag_at(offset); }

static void insert(uint32_t shard, node *n, uint32_t size) {
  size_index *index = &indexes[shard];
  place_in_lists p = place_of(size);
  uint32_t *head = &index->first[p.row][p.list];
  uint32_t offset = tag_offset(&n->tag);
  n->link[0] = 0;
  n->link[1] = *head;
  if (*head != 0)
    node_at(*head)->link[0] = offset;
  *head = offset;
  index->lists[p.row] |= 1u << p.list;
  index->rows |= 1u << p.row;
}

static void remove_node(uint32_t shard, node *n) {
  size_index *index = &indexes[shard];
  place_in_lists p = place_of(tag_size(&n->tag));
  uint32_t before = n->link[0], behind = n->link[1];
  if (behind != 0)
    node_at(behind)->link[0] = before;
  if (before != 0) {
    node_at(before)->link[1] = behind;
    return;
  }
  index->first[p.row][p.list] = behind;
  if (behind == 0 && (index->lists[p.row] &= ~(1u << p.list)) == 0)
    index->rows &= ~(1u << p.row);
}

/* The first list that is not empty, from this one on; 0: none. */
static uint32_t first_from(const size_index *index, place_in_lists p) {
  if (p.row >= ROWS)
    return 0;
  uint32_t here = index->lists[p.row] & ~0u << p.list;
  if (here == 0) {
    uint32_t above = p.row == ROWS - 1 ? 0 : index->rows & ~0u << (p.row + 1);
    if (above == 0)
      return 0;
    p.row = (uint32_t)__builtin_ctz(above);
    here = index->lists[p.row];
  }
  return index->first[p.row][__builtin_ctz(here)];
}

static node *smallest_in(uint32_t offset, uint32_t size) {
  node *best = NULL;
  for (; offset != 0; offset = node_at(offset)->link[1]) {
    uint32_t has = tag_size(&node_at(offset)->tag);
    uint32_t least = best == NULL ? UINT32_MAX : tag_size(&best->tag);
    if (has >= size && (has < least || (has == least && node_at(offset) < best)))
      best = node_at(offset);
  }
  return best;
}

static node *find_best(uint32_t shard, uint32_t size) {
  const size_index *index = &indexes[shard];
  place_in_lists p = place_of(size);
  node *best = smallest_in(index->first[p.row][p.list], size);
  return best != NULL ? best : smallest_in(first_from(index, list_behind(p)), size);
}

/* The size is rounded up to where a list begins, so that the whole list fits; before the memory grows, a
 * block that just fits is looked for too. */
static node *find_good(uint32_t shard, uint32_t size) {
  uint32_t step = 1u << (28 - __builtin_clz(size));
  uint32_t found =
      size > UINT32_MAX - step ? 0 : first_from(&indexes[shard], place_of(size + step - 1));
  return found == 0 ? find_best(shard, size) : node_at(found);
}

static void clear(uint32_t shard) { __builtin_memset(&indexes[shard], 0, sizeof *indexes); }

const strategy walloc_good_fit = {insert, remove_node, find_good, clear};
const strategy walloc_best_fit = {insert, remove_node, find_best, clear};
