/* Parts of dead threads. Each move of whole lists in remote.c and span.c writes them to where they go before
 * it takes them away from where they were; killed in between, they are in two places:
 *
 *     pending[c] ─► lists[c]      take_sent        the list begins with the first of the pending lists
 *     incoming[c] ─► pending[c]   receive          the stack that another part's `taker` guards holds the list
 *
 * In each case the second place is cleared here. A single block is taken away first, and lost in between.
 * Nothing but these moves makes two places begin with the same block, as a free block is in one list only, and only
 * the dead thread has moved any of its parts' since. The same holds for the part of references (heap_reference.c)
 * where the dead thread holds their lock.
 *
 * Under the recovery lock, and with the sweep mended before: nobody else touches what names a dead thread. What a
 * kill leaves behind in here: parts that still name the dead thread; the same is done again when its loss is
 * told once more. */
#include "heap/part.h"

static void mend_within(heap_part *part, uint32_t c) {
  block_offset first = part->lists[c];
  if (first != 0 && first == part->pending[c])
    part->pending[c] = next_list(first);
}

/* While `taker` names the part nobody takes lists from the stack, so its links stay; senders only add.
 * Acquire: whoever sees a list sees its links. */
static bool is_incoming(heap_part *from, uint32_t c, block_offset list) {
  block_offset other = atomic_load_explicit(&from->incoming[c], memory_order_acquire);
  while (other != 0 && other != list)
    other = next_list(other);
  return other != 0;
}

/* Release: the next taker comes after. */
static void mend_receiving(heap_part *part) {
  heap_part *from;
  for (uint32_t n = 0; (from = walloc_part(n)) != NULL; n++) {
    if (atomic_load_explicit(&from->taker, memory_order_relaxed) != part->key)
      continue;
    for (uint32_t c = 0; c < CLASSES; c++)
      if (part->pending[c] != 0 && is_incoming(from, c, part->pending[c]))
        part->pending[c] = 0;
    atomic_store_explicit(&from->taker, 0, memory_order_release);
  }
}

/* A part that waits for lists to come back would do so in vain: what the thread has collected goes first. */
void walloc_part_mend(heap_part *part) {
  mend_receiving(part);
  for (uint32_t c = 0; c < CLASSES; c++)
    mend_within(part, c);
  walloc_part_send_all(part);
}

void walloc_parts_thread_lost(uint32_t thread) {
  heap_part *part;
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL; n++)
    if (atomic_load_explicit(&part->thread, memory_order_relaxed) == thread) {
      walloc_part_mend(part);
      walloc_part_return(part);
    }
}
