/* A tree of free blocks that knows the largest below each node: first fit, next fit, best fit.
 *
 *               (0x40000: 64 K, largest 96 K)
 *                /                        \
 *     (0x10000: 96 K, 96 K)        (0x90000: 48 K, 48 K)
 *
 * In order of address the leftmost node that is large enough is the first fit, and the leftmost at or
 * behind where the last search ended is the next fit; in order of size, then address, it is the best fit.
 * Each takes a number of steps that grows with the logarithm of the number of free blocks. It is a treap:
 * a node's priority is a hash of its address and no child's is higher, which keeps the tree shallow
 * (expected depth about twice the logarithm to base 2) without any balancing data.
 *
 * Under the large lock. */
#include "heap/strategy.h"

/* Written under the large lock. Offsets from the base, 0: none. */
static uint32_t root;
static uint32_t next_from; /* where next fit goes on */
static bool by_size;

static node *node_at(uint32_t offset) { return (node *)(void *)tag_at(offset); }

static uint32_t offset_of_node(const node *n) { return tag_offset(&n->tag); }

static uint32_t largest_below(uint32_t offset) {
  return offset == 0 ? 0 : node_at(offset)->largest;
}

static uint32_t priority(uint32_t offset) { return (offset >> 4) * 2654435769u; }

static uint64_t key_of(const node *n) {
  return (by_size ? (uint64_t)tag_size(&n->tag) << 32 : 0) | offset_of_node(n);
}

static void note_largest(node *n) {
  uint32_t left = largest_below(n->link[0]), right = largest_below(n->link[1]);
  uint32_t largest = tag_size(&n->tag);
  if (left > largest)
    largest = left;
  n->largest = right > largest ? right : largest;
}

/* The nodes before the key to *before, the others to *behind. */
static void split(uint32_t tree, uint64_t key, uint32_t *before, uint32_t *behind) {
  if (tree == 0) {
    *before = *behind = 0;
    return;
  }
  node *n = node_at(tree);
  if (key_of(n) < key) {
    split(n->link[1], key, &n->link[1], behind);
    *before = tree;
  } else {
    split(n->link[0], key, before, &n->link[0]);
    *behind = tree;
  }
  note_largest(n);
}

/* All nodes of `left` come before those of `right`. */
static uint32_t join(uint32_t left, uint32_t right) {
  if (left == 0 || right == 0)
    return left + right;
  bool left_is_higher = priority(left) > priority(right);
  node *n = node_at(left_is_higher ? left : right);
  if (left_is_higher)
    n->link[1] = join(n->link[1], right);
  else
    n->link[0] = join(left, n->link[0]);
  note_largest(n);
  return left_is_higher ? left : right;
}

static uint32_t insert_below(uint32_t tree, node *n) {
  uint32_t offset = offset_of_node(n);
  if (tree == 0 || priority(offset) > priority(tree)) {
    split(tree, key_of(n), &n->link[0], &n->link[1]);
    note_largest(n);
    return offset;
  }
  node *above = node_at(tree);
  uint32_t *link = &above->link[key_of(n) > key_of(above)];
  *link = insert_below(*link, n);
  note_largest(above);
  return tree;
}

static uint32_t remove_below(uint32_t tree, const node *n) {
  if (tree == offset_of_node(n))
    return join(n->link[0], n->link[1]);
  node *above = node_at(tree);
  uint32_t *link = &above->link[key_of(n) > key_of(above)];
  *link = remove_below(*link, n);
  note_largest(above);
  return tree;
}

static void insert(node *n) { root = insert_below(root, n); }

static void remove_node(node *n) { root = remove_below(root, n); }

static void clear(void) { root = 0; }

/* The leftmost node of this size; the root says at once when there is none. */
static node *find_first(uint32_t size) {
  if (largest_below(root) < size)
    return NULL;
  for (node *n = node_at(root);;) {
    if (largest_below(n->link[0]) >= size)
      n = node_at(n->link[0]);
    else if (tag_size(&n->tag) >= size)
      return n;
    else
      n = node_at(n->link[1]);
  }
}

/* The leftmost node of this size at or behind an offset. Where the left side has one that is large enough
 * but before the offset, the right side is searched as well: twice the depth at most. */
static node *find_from(uint32_t tree, uint32_t from, uint32_t size) {
  if (largest_below(tree) < size)
    return NULL;
  node *n = node_at(tree);
  if (tree >= from) {
    node *left = find_from(n->link[0], from, size);
    if (left != NULL)
      return left;
    if (tag_size(&n->tag) >= size)
      return n;
  }
  return find_from(n->link[1], from, size);
}

static node *find_next(uint32_t size) {
  node *found = find_from(root, next_from, size);
  if (found == NULL)
    found = find_first(size);
  if (found != NULL)
    next_from = offset_of_node(found) + size;
  return found;
}

/* The first in order of size that is not smaller. */
static node *find_best(uint32_t size) {
  node *best = NULL;
  for (uint32_t tree = root; tree != 0;) {
    node *n = node_at(tree);
    bool fits = tag_size(&n->tag) >= size;
    if (fits)
      best = n;
    tree = n->link[!fits];
  }
  return best;
}

static void clear_for_address(void) {
  by_size = false;
  next_from = 0;
  clear();
}

static void clear_for_size(void) {
  by_size = true;
  clear();
}

const strategy walloc_first_fit = {insert, remove_node, find_first, clear_for_address};
const strategy walloc_next_fit = {insert, remove_node, find_next, clear_for_address};
const strategy walloc_best_fit = {insert, remove_node, find_best, clear_for_size};
