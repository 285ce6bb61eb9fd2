/* The stand-alone walloc.wasm: memory comes from memory.grow, which JavaScript may call as well.
 *
 * The first range is what the memory holds behind the module's own data. */
#include "platform/platform.h"

#define WASM_PAGE ((uint64_t)65536)

extern unsigned char __heap_base; /* made by the linker: where data and stack end */

/* Whether this thread may sleep: each thread's own, told once by JavaScript. */
static _Thread_local bool may_wait;

/* Whether somebody has taken the range behind the data. Written once, by exchange. */
static _Atomic bool first_range_taken;

#define PAGES_IN_WASM_PAGE ((uint32_t)(WASM_PAGE / WALLOC_PAGE_SIZE))

/* Behind the module's own data, in whole pages. */
static uint32_t first_range_begin(void) {
  return (uint32_t)(((uintptr_t)&__heap_base + WALLOC_PAGE_SIZE - 1) / WALLOC_PAGE_SIZE);
}

/* Where the memory that the module was linked for ends: what is above was grown by somebody. */
static uint32_t first_range_end(void) {
  return (first_range_begin() + PAGES_IN_WASM_PAGE - 1) & ~(PAGES_IN_WASM_PAGE - 1);
}

bool walloc_platform_start(void) { return true; }

size_t walloc_platform_maximum(void) { return (size_t)(WALLOC_SPACE_SIZE - WASM_PAGE); }

uint32_t walloc_platform_end_page(void) {
  if (!atomic_load_explicit(&first_range_taken, memory_order_relaxed))
    return first_range_begin();
  return (uint32_t)__builtin_wasm_memory_size(0) * PAGES_IN_WASM_PAGE;
}

walloc_grant walloc_platform_grow(uint32_t pages) {
  uint32_t begin = first_range_begin(), end = first_range_end();
  /* Relaxed: the exchange decides who owns the range; its bytes are published by the page lock. */
  if (!atomic_exchange_explicit(&first_range_taken, true, memory_order_relaxed) && end > begin)
    return (walloc_grant){begin, end - begin};
  uint32_t wasm_pages = (pages + PAGES_IN_WASM_PAGE - 1) / PAGES_IN_WASM_PAGE;
  size_t before = __builtin_wasm_memory_grow(0, wasm_pages);
  if (before == SIZE_MAX)
    return (walloc_grant){0, 0};
  return (walloc_grant){(uint32_t)before * PAGES_IN_WASM_PAGE, wasm_pages * PAGES_IN_WASM_PAGE};
}

bool walloc_platform_can_wait(void) { return may_wait; }

void walloc_platform_set_can_wait(bool can_wait) { may_wait = can_wait; }

/* JavaScript says when a thread ends: see thread_block.h. */
void walloc_platform_at_thread_end(void (*end)(void *)) { (void)end; }

void walloc_platform_set_errno(bool out_of_memory) { (void)out_of_memory; }

/* The module imports nothing but its memory. */
uint64_t walloc_platform_random(void) {
  return (uint64_t)__builtin_wasm_memory_size(0) * 0x9E3779B97F4A7C15u;
}

/* A trap, which JavaScript sees as a RuntimeError. */
void walloc_platform_abort(const char *message) {
  (void)message;
  __builtin_trap();
}

/* These must stay functions of their own: V8's baseline compiler of Node 20 forgets what some locals were
 * when it has compiled a wait, so a function that goes on behind one may go on with wrong numbers.
 * cmake/attached.cmake keeps wasm-opt from inlining them, too. */
__attribute__((noinline)) void walloc_platform_wait(_Atomic uint32_t *word, uint32_t expected) {
  __builtin_wasm_memory_atomic_wait32((int32_t *)(uintptr_t)word, (int32_t)expected, -1);
}

__attribute__((noinline)) void walloc_platform_wait_for(_Atomic uint32_t *word, uint32_t expected,
                                                        uint64_t nanoseconds) {
  __builtin_wasm_memory_atomic_wait32((int32_t *)(uintptr_t)word, (int32_t)expected,
                                      (int64_t)nanoseconds);
}

void walloc_platform_wake(_Atomic uint32_t *word) {
  __builtin_wasm_memory_atomic_notify((int32_t *)(uintptr_t)word, 1);
}

void walloc_platform_wake_all(_Atomic uint32_t *word) {
  __builtin_wasm_memory_atomic_notify((int32_t *)(uintptr_t)word, UINT32_MAX);
}
