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

/* How often others see that a part has not received what was sent to it before they take it. */
#define OVERLOOKED ((uint32_t)4)

static void push_list(heap_part *to, block_offset first) {
  block_offset top = atomic_load_explicit(&to->incoming, memory_order_relaxed);
  do {
    set_next_list(first, top);
  } while (!atomic_compare_exchange_weak_explicit(&to->incoming, &top, first, memory_order_release,
                                                  memory_order_relaxed));
}

static void send(block_list list, page_mark mark) {
  push_list(part_of_mark(mark), list_first(list));
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

static uint32_t class_of_list(block_offset first) {
  return page_entry(page_of_block(first)) % (1 << PART_SHIFT);
}

/* All lists of the stack, by class, into what the part has pending. */
static void receive(heap_part *part, heap_part *from) {
  block_offset first = atomic_exchange_explicit(&from->incoming, 0, memory_order_acquire);
  atomic_store_explicit(&from->overlooked, 0, memory_order_relaxed);
  for (block_offset next; first != 0; first = next) {
    next = next_list(first);
    uint32_t c = class_of_list(first);
    set_next_list(first, part->pending[c]);
    part->pending[c] = first;
  }
}

static block_offset top_of(heap_part *part) {
  return atomic_load_explicit(&part->incoming, memory_order_relaxed);
}

void walloc_part_receive(heap_part *part) {
  if (top_of(part) != 0)
    receive(part, part);
}

/* Whether somebody else should receive what was sent to a part: blocks of his class are on top, which their
 * address tells, or the part's own thread seems to have no need of any. */
static bool may_be_received(heap_part *part, uint32_t c) {
  block_offset top = top_of(part);
  if (top == 0)
    return false;
  return class_of_list(top) == c ||
         atomic_fetch_add_explicit(&part->overlooked, 1, memory_order_relaxed) >= OVERLOOKED;
}

/* A part that no thread has is asked for its own blocks of the class too. */
static void take_idle(heap_part *part, heap_part *idle, uint32_t c) {
  if (!walloc_part_borrow(idle))
    return;
  part->lists[c] = list_with_room(idle->lists[c], room_of_class(c));
  idle->lists[c] = 0;
  part->pending[c] = idle->pending[c];
  idle->pending[c] = 0;
  walloc_part_return(idle);
}

bool walloc_part_borrow_blocks(heap_part *part, uint32_t c) {
  heap_part *other;
  for (uint32_t n = 0; (other = walloc_part(n)) != NULL; n++) {
    if (may_be_received(other, c))
      receive(part, other);
    else
      take_idle(part, other, c);
    if (list_first(part->lists[c]) != 0 || part->pending[c] != 0)
      return true;
  }
  return false;
}
