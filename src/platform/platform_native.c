/* Native: one reserved range of 4 GiB of addresses, taken from its start towards its end.
 *
 * The system gives a page its memory when it is first touched, so that growing is an addition. The
 * range stays for the life of the process. This is the build for sanitizers, debuggers and fuzzers;
 * it behaves like WebAssembly, the limit of 4 GiB included. */
#define _GNU_SOURCE /* syscall, MAP_ANONYMOUS, MAP_NORESERVE */
#include "platform/platform.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

_Atomic uintptr_t walloc_platform_base_address;

/* Offset of the first byte nobody has taken. Written by compare-and-swap of whoever grows. Page 0 is
 * left out so that no offset is 0, as in WebAssembly. */
static _Atomic uint64_t end_offset = WALLOC_ALIGNMENT_MAX;

/* Growths until one fails; written by tests, and by the growth that takes it to 0. */
static _Atomic uint32_t growths_until_failure;

/* What would be address 0 in WebAssembly is found out here. */
static void keep_only(uintptr_t start, uintptr_t base, uintptr_t end, uintptr_t last) {
  if (base != start)
    munmap((void *)start, base - start);
  if (last != end)
    munmap((void *)end, last - end);
  mprotect((void *)base, WALLOC_ALIGNMENT_MAX, PROT_NONE);
}

/* Two threads that come here at the same time each reserve a range; one of the two is given back. */
bool walloc_platform_start(void) {
  if (walloc_platform_base() != 0)
    return true;
  /* Twice what is needed, so that the base has every alignment, as WebAssembly's has. */
  size_t length = 2 * WALLOC_SPACE_SIZE;
  void *range = mmap(NULL, length, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED)
    return false;
  uintptr_t mask = WALLOC_SPACE_SIZE - 1, start = (uintptr_t)range;
  uintptr_t none = 0, base = (start + mask) & ~mask, end = base + WALLOC_SPACE_SIZE;
  if (!atomic_compare_exchange_strong_explicit(&walloc_platform_base_address, &none, base,
                                               memory_order_relaxed, memory_order_relaxed))
    munmap(range, length);
  else
    keep_only(start, base, end, start + length);
  return true;
}

size_t walloc_platform_maximum(void) { return WALLOC_SPACE_SIZE; }

static uint32_t page_from(uint64_t offset) {
  return (uint32_t)((offset + WALLOC_PAGE_SIZE - 1) / WALLOC_PAGE_SIZE);
}

uint32_t walloc_platform_end_page(void) {
  return page_from(atomic_load_explicit(&end_offset, memory_order_relaxed));
}

/* True when a test asked for this growth to fail. */
static bool failure_is_due(void) {
  uint32_t left = atomic_load_explicit(&growths_until_failure, memory_order_relaxed);
  while (left != 0) {
    if (atomic_compare_exchange_weak_explicit(&growths_until_failure, &left, left - 1,
                                              memory_order_relaxed, memory_order_relaxed))
      return left == 1;
  }
  return false;
}

/* Relaxed throughout: the number carries no data with it; the memory itself is zero and unshared
 * until the caller publishes it. */
static bool take(uint64_t length, uint64_t *start) {
  *start = atomic_load_explicit(&end_offset, memory_order_relaxed);
  do {
    if (length > WALLOC_SPACE_SIZE - *start)
      return false;
  } while (!atomic_compare_exchange_weak_explicit(&end_offset, start, *start + length,
                                                  memory_order_relaxed, memory_order_relaxed));
  return true;
}

/* The rest of a page that somebody else has begun is left to him. */
walloc_grant walloc_platform_grow(uint32_t pages) {
  uint64_t begun = atomic_load_explicit(&end_offset, memory_order_relaxed), start;
  uint64_t padding = (uint64_t)page_from(begun) * WALLOC_PAGE_SIZE - begun;
  uint64_t length = padding + (uint64_t)pages * WALLOC_PAGE_SIZE;
  if (failure_is_due() || !take(length, &start))
    return (walloc_grant){0, 0};
  uint32_t end = (uint32_t)((start + length) / WALLOC_PAGE_SIZE);
  return (walloc_grant){page_from(start), end - page_from(start)};
}

uint32_t walloc_platform_thread(void) {
#ifdef __linux__
  static _Thread_local uint32_t thread;
  if (thread == 0)
    thread = (uint32_t)syscall(SYS_gettid) << 1;
#else
  /* Numbers in order of first use; wraps only after two thousand million threads. */
  static _Atomic uint32_t next = 2;
  static _Thread_local uint32_t thread;
  if (thread == 0)
    thread = atomic_fetch_add_explicit(&next, 2, memory_order_relaxed);
#endif
  return thread;
}

bool walloc_platform_can_wait(void) { return true; }

void walloc_platform_wait(_Atomic uint32_t *word, uint32_t expected) {
#ifdef __linux__
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
#else
  if (atomic_load_explicit(word, memory_order_relaxed) == expected)
    sched_yield();
#endif
}

void walloc_platform_wait_for(_Atomic uint32_t *word, uint32_t expected, uint64_t nanoseconds) {
#ifdef __linux__
  struct timespec most = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &most, NULL, 0);
#else
  (void)nanoseconds;
  walloc_platform_wait(word, expected);
#endif
}

static void wake(_Atomic uint32_t *word, int threads) {
#ifdef __linux__
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads, NULL, NULL, 0);
#else
  (void)word;
  (void)threads;
#endif
}

void walloc_platform_wake(_Atomic uint32_t *word) { wake(word, 1); }

void walloc_platform_wake_all(_Atomic uint32_t *word) { wake(word, INT_MAX); }

void walloc_platform_abort(const char *message) {
  ssize_t written = write(STDERR_FILENO, message, strlen(message));
  (void)written;
  abort();
}

unsigned walloc_platform_fail_growth(unsigned n) {
  return atomic_exchange_explicit(&growths_until_failure, n, memory_order_relaxed);
}

void walloc_platform_foreign_growth(size_t bytes) {
  uint64_t start;
  (void)take(bytes, &start);
}
