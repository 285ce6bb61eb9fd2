/* Thread blocks. See thread_block.h.
 *
 *     slot:  | address of a block : 28 high bits | recorded in the page map : bit 1 | in use : bit 0 |
 *
 * Argument: a block is in use by at most one thread, since only a compare-and-swap that sets bit 0
 * takes it, and only its user clears it. Taking acquires and leaving releases, so that the next user
 * sees the memory as the last one left it. */
#include "exports/thread_block.h"

#include <stdalign.h>
#include <stdatomic.h>

#include "arena/arena.h"
#include "exports/control.h"
#include "exports/exported.h"
#include "pages/pages.h"
#include "walloc_recovery.h"

#define IN_USE 1u
#define RECORDED 2u
#define FLAGS (IN_USE | RECORDED)

#define WASM_PAGES_MAX 65536u /* of 64 KiB, as a thread block is */

/* The first thread's, so that starting up does not grow the memory. Part of the module's own data. */
static alignas(16) unsigned char first_block[THREAD_BLOCK_SIZE];

/* Written by the thread that takes, records or leaves the block. 0: none. */
_Atomic uint32_t walloc_thread_slots[THREADS_MAX];

/* Whether first_block has been taken for a slot. Written once, by exchange. */
static _Atomic bool first_taken;

static bool swap(_Atomic uint32_t *slot, uint32_t from, uint32_t to) {
  return atomic_compare_exchange_strong_explicit(slot, &from, to, memory_order_acq_rel,
                                                 memory_order_relaxed);
}

static uint32_t claim_used(void) {
  for (uint32_t i = 0; i < THREADS_MAX; i++) {
    uint32_t slot = atomic_load_explicit(&walloc_thread_slots[i], memory_order_relaxed);
    if (slot != 0 && (slot & IN_USE) == 0 && swap(&walloc_thread_slots[i], slot, slot | IN_USE))
      return slot & ~FLAGS;
  }
  return 0;
}

static uint32_t fresh_block(void) {
  if (!atomic_exchange_explicit(&first_taken, true, memory_order_relaxed))
    return (uint32_t)(uintptr_t)first_block | RECORDED;
  size_t page = __builtin_wasm_memory_grow(0, 1);
  if (page == SIZE_MAX || page == WASM_PAGES_MAX - 1)
    return 0; /* at the maximum, or the last page of 4 GiB, which nobody may use */
  return (uint32_t)(page * THREAD_BLOCK_SIZE);
}

EXPORTED("thread_claim") uint32_t walloc_thread_claim(void) {
  uint32_t block = claim_used();
  if (block != 0)
    return block;
  for (uint32_t i = 0; i < THREADS_MAX; i++) {
    if (atomic_load_explicit(&walloc_thread_slots[i], memory_order_relaxed) != 0)
      continue;
    if (block == 0)
      block = fresh_block();
    if (block == 0 || swap(&walloc_thread_slots[i], 0, block | IN_USE))
      return block & ~FLAGS;
  }
  return 0;
}

static _Atomic uint32_t *slot_of(uint32_t block) {
  for (uint32_t i = 0; i < THREADS_MAX; i++)
    if ((atomic_load_explicit(&walloc_thread_slots[i], memory_order_relaxed) & ~FLAGS) == block)
      return &walloc_thread_slots[i];
  return 0;
}

/* Release: pairs with the acquire in swap. */
EXPORTED("thread_release") void walloc_thread_release(uint32_t block) {
  _Atomic uint32_t *slot = slot_of(block);
  if (slot != 0)
    atomic_fetch_and_explicit(slot, ~IN_USE, memory_order_release);
}

/* Enters the block into the page map, once in its life. False: BUSY. Relaxed: only the block's user comes here, and
 * the page lock publishes the map. */
static bool record(uint32_t block) {
  _Atomic uint32_t *slot = slot_of(block);
  if (slot == 0 || (atomic_load_explicit(slot, memory_order_relaxed) & RECORDED) != 0)
    return true;
  if (!walloc_pages_adopt((page_index)(block / WALLOC_PAGE_SIZE),
                          (page_index)(THREAD_BLOCK_SIZE / WALLOC_PAGE_SIZE)))
    return false;
  atomic_fetch_or_explicit(slot, RECORDED, memory_order_relaxed);
  return true;
}

/* Of the thread whose number lies where the caller's does in its own block. The block last: until then no
 * thread has that number. Killed in between: told again, as all of recovery. */
EXPORTED("thread_lost") walloc_error walloc_export_thread_lost(uint32_t block) {
  uint32_t own = (uint32_t)(uintptr_t)__builtin_wasm_tls_base();
  walloc_error error = walloc_thread_lost(block + (walloc_thread_self() - own));
  if (error == WALLOC_OK)
    walloc_thread_release(block);
  return error;
}

EXPORTED("thread_start") bool walloc_export_thread_start(bool can_wait, uint32_t block) {
  walloc_platform_set_can_wait(can_wait);
  uint32_t lanes = (uint32_t)(uintptr_t)walloc_arena_lanes() - block;
  atomic_store_explicit(&walloc_control.lanes, lanes, memory_order_relaxed);
  return record(block);
}
