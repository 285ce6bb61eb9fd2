/* Blocks that go back to the part they came from.
 *
 *     sender                                              receiver
 *     list in its outbox: ordinary stores
 *     next_list(first) = incoming[c]  ┐ again until
 *     CAS incoming[c]: first          ┘ it succeeds ──►   exchange incoming[c]: 0
 *                                                         pending[c] by an ordinary store
 *
 * Argument. Sending is `release` and pairs with the receiver's `acquire`: whoever takes a stack sees all
 * links of all lists in it, since each sender's compare-and-swap continues the release sequence of those
 * before. A stack is only ever taken whole, so a first list that has gone and come back in between (ABA)
 * does no harm: the link that was written names what is on top at the moment of the swap.
 *
 * A block is in one list only: the free that put it there was the only one. */
#include "heap/part.h"

/* Lists are sent when they have this many blocks or bytes. */
#define SEND_BLOCKS ((uint32_t)64)
#define SEND_BYTES ((uint32_t)2048)

static uint32_t send_room(uint32_t c) {
  uint32_t blocks = SEND_BYTES / class_size(c);
  return blocks < 1 ? 1 : blocks > SEND_BLOCKS ? SEND_BLOCKS : blocks;
}

static void send(block_list list, page_mark mark) {
  _Atomic block_offset *to = &part_of_mark(mark)->incoming[mark % (1 << PART_SHIFT)];
  block_offset first = list_first(list), top = atomic_load_explicit(to, memory_order_relaxed);
  do {
    set_next_list(first, top);
  } while (!atomic_compare_exchange_weak_explicit(to, &top, first, memory_order_release,
                                                  memory_order_relaxed));
}

/* The slot is emptied first: a kill in between loses the list, and hands nothing out twice. */
static void send_slot(outgoing *slot) {
  block_list list = slot->blocks;
  slot->blocks = 0;
  send(list, slot->mark);
}

void walloc_part_send_all(heap_part *own) {
  for (uint32_t i = 0; i < OUTBOX; i++)
    if (list_first(own->outbox[i].blocks) != 0)
      send_slot(&own->outbox[i]);
}

void walloc_part_send(heap_part *own, block_offset block, page_mark mark) {
  uint32_t c = mark % (1 << PART_SHIFT);
  if (is_no_part(own)) {
    send(list_pushed(list_with_room(0, 1), block), mark);
    return;
  }
  outgoing *slot = &own->outbox[(mark + (mark >> PART_SHIFT) * 8u) % OUTBOX];
  if (slot->mark != mark && list_first(slot->blocks) != 0)
    send_slot(slot);
  if (list_first(slot->blocks) == 0) {
    slot->mark = mark;
    slot->blocks = list_with_room(0, send_room(c));
  }
  slot->blocks = list_pushed(slot->blocks, block);
  if (list_room(slot->blocks) == 0)
    send_slot(slot);
}

bool walloc_part_receive(heap_part *part, heap_part *from, uint32_t c) {
  if (atomic_load_explicit(&from->incoming[c], memory_order_relaxed) == 0)
    return false;
  part->pending[c] = atomic_exchange_explicit(&from->incoming[c], 0, memory_order_acquire);
  return part->pending[c] != 0;
}

/* Of a part that no thread has: its own blocks of the class. */
static bool take_idle(heap_part *part, heap_part *idle, uint32_t c) {
  if (!walloc_part_borrow(idle))
    return false;
  part->lists[c] = list_with_room(idle->lists[c], room_of_class(c));
  idle->lists[c] = 0;
  part->pending[c] = idle->pending[c];
  idle->pending[c] = 0;
  walloc_part_return(idle);
  return list_first(part->lists[c]) != 0 || part->pending[c] != 0;
}

bool walloc_part_borrow_blocks(heap_part *part, uint32_t c) {
  heap_part *other;
  for (uint32_t n = 0; (other = walloc_part(n)) != NULL; n++)
    if (walloc_part_receive(part, other, c) || take_idle(part, other, c))
      return true;
  return false;
}
