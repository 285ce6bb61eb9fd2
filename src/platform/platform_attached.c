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

static uint64_t heap_base(void) { return (uintptr_t)&__heap_base; }

static uint64_t memory_pages(void) { return __builtin_wasm_memory_size(0); }

/* Where the memory that the module was linked for ends: what is above was grown by somebody. */
static uint64_t first_range_end(void) { return (heap_base() + WASM_PAGE - 1) & ~(WASM_PAGE - 1); }

bool walloc_platform_start(void) { return true; }

size_t walloc_platform_maximum(void) { return (size_t)(WALLOC_SPACE_SIZE - WASM_PAGE); }

uint64_t walloc_platform_end(void) {
  if (!atomic_load_explicit(&first_range_taken, memory_order_relaxed))
    return heap_base();
  return memory_pages() * WASM_PAGE;
}

walloc_grant walloc_platform_grow(uint64_t length) {
  /* Relaxed: the exchange decides who owns the range; its bytes are published by the page lock. */
  if (!atomic_exchange_explicit(&first_range_taken, true, memory_order_relaxed) &&
      first_range_end() > heap_base())
    return (walloc_grant){heap_base(), first_range_end() - heap_base()};
  uint64_t pages = (length + WASM_PAGE - 1) / WASM_PAGE;
  size_t before = __builtin_wasm_memory_grow(0, (size_t)pages);
  if (before == SIZE_MAX)
    return (walloc_grant){0, 0};
  return (walloc_grant){before * WASM_PAGE, pages * WASM_PAGE};
}

bool walloc_platform_can_wait(void) { return may_wait; }

void walloc_platform_set_can_wait(bool can_wait) { may_wait = can_wait; }

/* JavaScript says when a thread ends: see thread_block.h. */
void walloc_platform_at_thread_end(void (*end)(void *), void *argument) {
  (void)end;
  (void)argument;
}

void walloc_platform_set_errno(bool out_of_memory) { (void)out_of_memory; }

/* A trap, which JavaScript sees as a RuntimeError. */
void walloc_platform_abort(const char *message) {
  (void)message;
  __builtin_trap();
}

/* These must stay functions of their own: V8's baseline compiler of Node 20 forgets what some locals were
 * when it has compiled a wait, so a function that goes on behind one may go on with wrong numbers.
 * cmake/attached.cmake keeps wasm-opt from inlining them; tests run with `node --liftoff-only`. */
void walloc_platform_wait(_Atomic uint32_t *word, uint32_t expected) {
  __builtin_wasm_memory_atomic_wait32((int32_t *)(uintptr_t)word, (int32_t)expected, -1);
}

void walloc_platform_wake(_Atomic uint32_t *word) {
  __builtin_wasm_memory_atomic_notify((int32_t *)(uintptr_t)word, 1);
}
