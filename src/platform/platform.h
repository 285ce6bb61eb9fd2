/* What differs between a native process, an Emscripten program and the stand-alone walloc.wasm.
 *
 * This room is the only one that asks which platform it is on. Everything above it works with
 * addresses counted from walloc_platform_base (0 in WebAssembly) and at most 4 GiB long.
 *
 * Every function may be called from any thread unless it says otherwise. */
#ifndef WALLOC_PLATFORM_H
#define WALLOC_PLATFORM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "walloc.h"

/* ---- The address space -------------------------------------------------------------------- */

#define WALLOC_SPACE_SIZE ((uint64_t)1 << 32)

#ifdef __wasm__
static inline uintptr_t walloc_platform_base(void) { return 0; }
#else
/* Written once, by walloc_platform_start. Relaxed: whoever has an address of walloc's has it from a
 * thread that saw the base. */
extern _Atomic uintptr_t walloc_platform_base_address;
static inline uintptr_t walloc_platform_base(void) {
  return atomic_load_explicit(&walloc_platform_base_address, memory_order_relaxed);
}
#endif

/* Makes the address space usable; calling it again does nothing. False: the system refuses. */
bool walloc_platform_start(void);

/* The most that walloc may ever obtain here, in bytes; 2^32 less a page fits no 32-bit size_t. */
size_t walloc_platform_maximum(void);

#define WALLOC_SPACE_PAGES ((uint32_t)(WALLOC_SPACE_SIZE / WALLOC_PAGE_SIZE))

/* The first whole page that the next growth would bring. Others may grow in between, so it is a hint. */
uint32_t walloc_platform_end_page(void);

/* Whole pages that are now walloc's; none when there are none to be had. */
typedef struct walloc_grant {
  uint32_t first_page, pages;
} walloc_grant;

/* Obtains at least so many pages in one piece, or as many of them as one step can (1 GiB). They need not
 * continue those before: others grow memory too. */
walloc_grant walloc_platform_grow(uint32_t pages);

/* ---- Threads ------------------------------------------------------------------------------ */

/* A number for the calling thread that no other living thread has: not 0, lowest bit clear. */
uint32_t walloc_platform_thread(void);

/* Whether this thread may sleep. False on a browser's main thread. */
bool walloc_platform_can_wait(void);

/* Sleeps while *word is `expected`, until woken; may also return for no reason. */
void walloc_platform_wait(_Atomic uint32_t *word, uint32_t expected);

/* The same for so many nanoseconds at most. */
void walloc_platform_wait_for(_Atomic uint32_t *word, uint32_t expected, uint64_t nanoseconds);

/* Wakes one thread that sleeps on the word; all. */
void walloc_platform_wake(_Atomic uint32_t *word);
void walloc_platform_wake_all(_Atomic uint32_t *word);

/* The time in nanoseconds, for differences. Not in walloc.wasm, which has no clock. */
uint64_t walloc_platform_now(void);

/* A hint to the processor that this is a spin loop. */
static inline void walloc_platform_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Between finding memory that another thread may just have obtained, and the first atomic access to it. The number there
 * is known not to be 0.
 *
 * V8's baseline compiler compares an atomic access with the size of the memory as the thread knows it, and the thread
 * learns of others' growths at the next function that it enters: an access before that traps, though the memory is there
 * (seen with Node 20: tests/heap/meet_growth.c). A loop alone does not always do. Plain accesses do not trap.
 *
 * So a function is entered, which has a loop and two callers for no other reason than that nobody inlines it. */
#ifdef __wasm__
__attribute__((noinline)) static inline void
walloc_platform_enter(const volatile uint32_t *not_zero) {
  do {
  } while (*not_zero == 0);
}

static inline void walloc_platform_meet_growth(const volatile uint32_t *not_zero) {
  walloc_platform_enter(not_zero);
  walloc_platform_enter(not_zero);
}
#else
static inline void walloc_platform_meet_growth(const volatile uint32_t *not_zero) {
  (void)not_zero;
}
#endif

/* The stores before this are made before those behind it, as far as the compiler is concerned: for those
 * who look at memory after this thread was killed. No instruction. */
static inline void stores_in_order(void) { atomic_signal_fence(memory_order_seq_cst); }

/* Has `end` called when the calling thread ends, where the platform tells; always the same function. Its
 * argument means nothing. */
void walloc_platform_at_thread_end(void (*end)(void *));

/* 64 bits that nobody can guess; where there is no source of them, some that differ now and then. */
uint64_t walloc_platform_random(void);

/* Sets errno to ENOMEM or EINVAL, where there is one. */
void walloc_platform_set_errno(bool out_of_memory);

/* The last words: a line for whoever reads the program's messages, where there is a place, and abort. */
_Noreturn void walloc_platform_abort(const char *message);

/* Only where JavaScript starts the threads: what walloc_platform_can_wait answers from now on. */
void walloc_platform_set_can_wait(bool can_wait);

/* ---- For tests, native only --------------------------------------------------------------- */

/* The n-th growth from now fails, once. 0: none. From one thread. Returns how many of an earlier call's were
 * still to come; 0: it has failed. */
unsigned walloc_platform_fail_growth(unsigned n);

/* Somebody else takes memory where walloc would have grown next. */
void walloc_platform_foreign_growth(size_t bytes);

#endif
