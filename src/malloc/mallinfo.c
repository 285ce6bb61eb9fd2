/* mallinfo2: see walloc_malloc.h. Any thread. */
#include "walloc_malloc.h"

#include "heap/large.h"
#include "heap/part.h"

static size_t blocks_in(block_offset list) {
  size_t count = 0;
  for (; list != 0; list = list_below(list))
    count++;
  return count;
}

/* Free blocks of one class of the calling thread's part. */
static size_t free_of_class(const heap_part *own, uint32_t c) {
  size_t count = blocks_in(own->lists[c]);
  for (block_offset list = own->pending[c]; list != 0; list = next_list(list))
    count += blocks_in(list);
  return count;
}

static size_t free_small_bytes(const heap_part *own) {
  size_t bytes = 0;
  for (uint32_t c = 0; c < CLASSES; c++)
    bytes += free_of_class(own, c) * class_size(c);
  return bytes;
}

struct mallinfo2 mallinfo2(void) {
  walloc_heap_stats stats;
  size_t blocks = 0, bytes = 0;
  (void)walloc_get_heap_stats(&stats);
  walloc_large_measure(&blocks, &bytes);
  size_t small = free_small_bytes(walloc_own_part);
  return (struct mallinfo2){.arena = stats.held,
                            .ordblks = blocks,
                            .usmblks = stats.peak,
                            .fsmblks = small,
                            .uordblks = stats.held - small - bytes,
                            .fordblks = small + bytes};
}
