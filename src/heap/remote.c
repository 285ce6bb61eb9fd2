/* Blocks that go back to the part they came from.
 *
 *     sender                                              receiver
 *     list in its outbox: ordinary stores
 *     next_list(first) = incoming[c]  ┐ again until       taker: own key
 *     CAS incoming[c]: first          ┘ it succeeds ──►   pending[c] = incoming[c]  ┐ again until
 *                                                         CAS incoming[c]: 0        ┘ it succeeds
 *                                                         taker: 0
 *
 * Argument. Sending is `release` and pairs with the receiver's `acquire`: whoever takes a stack sees all
 * links of all lists in it, since each sender's compare-and-swap continues the release sequence of those
 * before. A stack is only ever taken whole, so a first list that has gone and come back in between (ABA)
 * does no harm: the link that was written names what is on top at the moment of the swap.
 *
 * A block is in one list only: the free that put it there was the only one.
 *
 * The taker. One thread at a time takes from a part; nobody waits, who finds another there goes elsewhere. It is
 * there for recovery. A thread that is killed between the two stores has the stack in its part's pending and
 * in incoming, or has it alone; since nobody else takes from there as long as `taker` names its part, whoever looks
 * can tell which. Acquire and release: the next taker sees what the last one took. */
#include "heap/part.h"

/* Lists are sent when they have so many blocks of up to 64 bytes: 4 KiB. Each doubling of the size halves them, to one
 * block above 2 KiB. */
#define SEND_BLOCKS ((uint32_t)64)

static uint32_t send_room(uint32_t c) { return 1 + ((SEND_BLOCKS - 1) >> c / 4); }

static void send(block_offset first, page_mark mark) {
  _Atomic block_offset *to = &part_of_mark(mark)->incoming[mark % (1 << PART_SHIFT)];
  block_offset top = atomic_load_explicit(to, memory_order_relaxed);
  do {
    set_next_list(first, top);
  } while (!atomic_compare_exchange_weak_explicit(to, &top, first, memory_order_release,
                                                  memory_order_relaxed));
}

/* The slot is emptied first: a kill in between loses the list, and hands nothing out twice. */
static void send_slot(outgoing *slot) {
  block_offset list = slot->blocks;
  slot->blocks = 0;
  stores_in_order();
  send(list, slot->mark);
}

void walloc_part_send_all(heap_part *own) {
  for (uint32_t i = 0; i < OUTBOX; i++)
    if (own->outbox[i].blocks != 0)
      send_slot(&own->outbox[i]);
}

/* The mark and the room hold for what is in the slot, so they are written before it. Killed behind them: the slot is
 * empty, and the block is lost; behind the push: it is in the slot, and its room one too large, which nobody reads any more, as
 * recovery sends the slot. */
void walloc_part_send(heap_part *own, block_offset block, page_mark mark) {
  uint32_t c = mark % (1 << PART_SHIFT);
  if (is_no_part(own)) {
    send(list_pushed(0, block), mark);
    return;
  }
  outgoing *slot = &own->outbox[(mark + (mark >> PART_SHIFT) * 8u) % OUTBOX];
  if (slot->mark != mark && slot->blocks != 0)
    send_slot(slot);
  if (slot->blocks == 0) {
    slot->mark = mark;
    slot->room = (uint16_t)send_room(c);
    stores_in_order();
  }
  slot->blocks = list_pushed(slot->blocks, block);
  if (--slot->room == 0)
    send_slot(slot);
}

bool walloc_part_receive(heap_part *part, heap_part *from, uint32_t c) {
  block_offset top = atomic_load_explicit(&from->incoming[c], memory_order_relaxed);
  uint32_t nobody = 0;
  if (top == 0 || !atomic_compare_exchange_strong_explicit(
                      &from->taker, &nobody, part->key, memory_order_acquire, memory_order_relaxed))
    return false;
  do {
    part->pending[c] = top;
    stores_in_order(); /* killed here: in both; behind the swap: in one */
  } while (top != 0 &&
           !atomic_compare_exchange_weak_explicit(&from->incoming[c], &top, 0, memory_order_acquire,
                                                  memory_order_relaxed));
  atomic_store_explicit(&from->taker, 0, memory_order_release);
  return top != 0;
}

/* A block of a part that no thread has; the others stay for the next thread that gets it. Killed before the first store
 * or behind the second: the idle part names the dead thread, whose other part it becomes until recovery hands both on;
 * between the two: the same, and the block is lost. It is in two lists at no moment. */
static bool take_idle(heap_part *part, heap_part *idle, uint32_t c) {
  if (!walloc_part_borrow(idle))
    return false;
  bool found = idle->lists[c] != 0 || walloc_part_take_sent(idle, c);
  if (found) {
    block_offset block = idle->lists[c];
    idle->lists[c] = list_below(block);
    stores_in_order();
    part->lists[c] = list_pushed(0, block);
  }
  walloc_part_return(idle);
  return found;
}

bool walloc_part_borrow_blocks(heap_part *part, uint32_t c) {
  heap_part *other;
  for (uint32_t n = 0; (other = walloc_part(n)) != NULL; n++) {
    if (walloc_part_receive(part, other, c))
      return walloc_part_take_sent(part, c);
    if (take_idle(part, other, c))
      return true;
  }
  return false;
}
