/* Blocks that go back to the part they came from.
 *
 *     sender                                              receiver
 *     list in its outbox: ordinary stores
 *     next_list(first) = incoming  ┐ again until
 *     CAS incoming: first          ┘ it succeeds   ──►    exchange incoming: 0
 *                                                         pending[class] by its own stores
 *
 * Argument. Sending is `release` and pairs with the receiver's `acquire`: whoever takes the stack sees all
 * links of all lists in it, since each sender's compare-and-swap continues the release sequence of those
 * before. The stack is only ever taken whole, so a first list that has gone and come back in between (ABA)
 * does no harm: the link that was written names what is on top at the moment of the swap.
 *
 * A block is in one list only: the free that put it there was the only one. */
#include "heap/part.h"

/* Lists are sent when they have this many blocks or bytes. */
#define SEND_BLOCKS ((uint32_t)64)
#define SEND_BYTES ((uint32_t)8192)

static uint32_t send_room(uint32_t c) {
  uint32_t blocks = SEND_BYTES / class_size(c);
  return blocks < 1 ? 1 : blocks > SEND_BLOCKS ? SEND_BLOCKS : blocks;
}

static void send(block_list list, page_mark mark) {
  heap_part *owner = walloc_part((mark >> PART_SHIFT) - PARTS_FIRST);
  block_offset first = list_first(list);
  block_offset top = atomic_load_explicit(&owner->incoming, memory_order_relaxed);
  do {
    set_next_list(first, top);
  } while (!atomic_compare_exchange_weak_explicit(&owner->incoming, &top, first,
                                                  memory_order_release, memory_order_relaxed));
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

void walloc_part_receive(heap_part *part) {
  block_offset first = 0;
  if (atomic_load_explicit(&part->incoming, memory_order_relaxed) != 0)
    first = atomic_exchange_explicit(&part->incoming, 0, memory_order_acquire);
  while (first != 0) {
    block_offset next = next_list(first);
    uint32_t c = page_entry(page_of_block(first)) - part->key;
    set_next_list(first, part->pending[c]);
    part->pending[c] = first;
    first = next;
  }
}
