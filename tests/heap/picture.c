/* See picture.h. */
#include "heap/picture.h"

#include <stdint.h>
#include <stdlib.h>

static bool add(const walloc_heap_range *range, void *user) {
  heap_picture *picture = user;
  if (picture->count == picture->capacity) {
    size_t capacity = picture->capacity == 0 ? 1024 : picture->capacity * 2;
    walloc_heap_range *ranges = realloc(picture->ranges, capacity * sizeof *ranges);
    if (ranges == NULL)
      abort();
    picture->ranges = ranges;
    picture->capacity = capacity;
  }
  picture->ranges[picture->count++] = *range;
  return true;
}

bool picture_take(heap_picture *picture) {
  *picture = (heap_picture){0};
  if (walloc_heap_walk(add, picture) == WALLOC_OK)
    return true;
  picture_drop(picture);
  return false;
}

void picture_drop(heap_picture *picture) {
  free(picture->ranges);
  *picture = (heap_picture){0};
}

const char *picture_problem(const heap_picture *picture) {
  uintptr_t end = 0;
  for (size_t i = 0; i < picture->count; i++) {
    const walloc_heap_range *range = &picture->ranges[i];
    uintptr_t begin = (uintptr_t)range->address;
    if (range->size == 0)
      return "the walk shows an empty range";
    if (begin < end)
      return "the walk's ranges overlap or do not ascend";
    if (range->size > UINTPTR_MAX - begin)
      return "a range wraps around";
    end = begin + range->size;
  }
  return NULL;
}

/* The last range that begins at or below the address. */
static const walloc_heap_range *at_or_below(const heap_picture *picture, const void *address) {
  size_t low = 0, high = picture->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if ((uintptr_t)picture->ranges[middle].address <= (uintptr_t)address)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? NULL : &picture->ranges[low - 1];
}

const walloc_heap_range *picture_find(const heap_picture *picture, const void *address) {
  const walloc_heap_range *range = at_or_below(picture, address);
  return range != NULL && range->address == address ? range : NULL;
}

const walloc_heap_range *picture_around(const heap_picture *picture, const void *address) {
  const walloc_heap_range *range = at_or_below(picture, address);
  return range != NULL && (uintptr_t)address - (uintptr_t)range->address < range->size ? range
                                                                                       : NULL;
}

size_t picture_count(const heap_picture *picture, bool live) {
  size_t count = 0;
  for (size_t i = 0; i < picture->count; i++)
    count += picture->ranges[i].live == live;
  return count;
}

size_t picture_bytes(const heap_picture *picture, bool live) {
  size_t bytes = 0;
  for (size_t i = 0; i < picture->count; i++)
    bytes += picture->ranges[i].live == live ? picture->ranges[i].size : 0;
  return bytes;
}

bool picture_equal(const heap_picture *one, const heap_picture *other) {
  if (one->count != other->count)
    return false;
  for (size_t i = 0; i < one->count; i++) {
    const walloc_heap_range *a = &one->ranges[i], *b = &other->ranges[i];
    if (a->address != b->address || a->size != b->size || a->live != b->live || a->part != b->part)
      return false;
  }
  return true;
}
