/* What a walk of the heap shows, kept in a table: all ranges by ascending address. It lives in the C
 * library's memory, not in the heap's. Alone, as the walk is. */
#ifndef HEAP_PICTURE_H
#define HEAP_PICTURE_H

#include "walloc.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct heap_picture {
  walloc_heap_range *ranges;
  size_t count, capacity;
} heap_picture;

/* False: the walk failed, and walloc_last_error or the return of the walk does not matter to a test. */
bool picture_take(heap_picture *picture);
void picture_drop(heap_picture *picture);

/* What is wrong with the ranges in themselves: empty, not ascending, overlapping. NULL: nothing. */
const char *picture_problem(const heap_picture *picture);

/* The range that begins at the address; NULL: none. */
const walloc_heap_range *picture_find(const heap_picture *picture, const void *address);

/* The range that the address lies in; NULL: none. */
const walloc_heap_range *picture_around(const heap_picture *picture, const void *address);

/* Ranges, and bytes in them, that are live or not. */
size_t picture_count(const heap_picture *picture, bool live);
size_t picture_bytes(const heap_picture *picture, bool live);

bool picture_equal(const heap_picture *one, const heap_picture *other);

#endif
