/* Stands in for <stdatomic.h> where walloc's own sources are compiled for the explorer: each atomic
 * operation becomes a call, before which another thread may be scheduled. See explore.h.
 *
 * Compile with -D_Atomic= and with _Thread_local as explore.h says: all threads of the explorer are
 * coroutines of one real thread. */
#ifndef SHIM_STDATOMIC_H
#define SHIM_STDATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum memory_order {
  memory_order_relaxed,
  memory_order_acquire,
  memory_order_release,
  memory_order_acq_rel,
  memory_order_seq_cst
} memory_order;

typedef enum explore_change { CHANGE_STORE, CHANGE_ADD, CHANGE_AND, CHANGE_OR } explore_change;

uint64_t explore_load(const volatile void *at, size_t size, memory_order order);
/* The value before. */
uint64_t explore_change_word(volatile void *at, size_t size, explore_change change, uint64_t value,
                             memory_order order);
bool explore_swap(volatile void *at, size_t size, void *expected, uint64_t desired,
                  memory_order order);

#define SHIM_CHANGE(at, change, value, order) \
  ((__typeof__(*(at)))explore_change_word((at), sizeof *(at), (change), (uint64_t)(value), (order)))

#define atomic_load_explicit(at, order) \
  ((__typeof__(*(at)))explore_load((at), sizeof *(at), (order)))
#define atomic_store_explicit(at, value, order) ((void)SHIM_CHANGE(at, CHANGE_STORE, value, order))
#define atomic_exchange_explicit(at, value, order) SHIM_CHANGE(at, CHANGE_STORE, value, order)
#define atomic_fetch_add_explicit(at, value, order) SHIM_CHANGE(at, CHANGE_ADD, value, order)
#define atomic_fetch_and_explicit(at, value, order) SHIM_CHANGE(at, CHANGE_AND, value, order)
#define atomic_fetch_or_explicit(at, value, order) SHIM_CHANGE(at, CHANGE_OR, value, order)
#define atomic_compare_exchange_strong_explicit(at, expected, desired, success, failure) \
  explore_swap((at), sizeof *(at), (expected), (uint64_t)(desired), (success))
#define atomic_compare_exchange_weak_explicit atomic_compare_exchange_strong_explicit

/* For threads that are killed in the middle of ordinary stores: here they die only where they stop. */
#define atomic_signal_fence(order) ((void)(order))

#endif
