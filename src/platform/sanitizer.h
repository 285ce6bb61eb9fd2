/* What the address sanitizer is told: which of walloc's memory nobody may touch. Nothing without
 * -fsanitize=address, natively or with Emscripten.
 *
 * Any thread, for memory that is its own at the moment: two that poison and unpoison the same bytes at the
 * same time would leave either. Addresses to poison are multiples of 8, the sanitizer's step; where a region ends within a
 * step, the rest of that step stays as it was. */
#ifndef WALLOC_PLATFORM_SANITIZER_H
#define WALLOC_PLATFORM_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#define WALLOC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WALLOC_ASAN 1
#endif
#endif

#ifdef WALLOC_ASAN

void __asan_poison_memory_region(const volatile void *address, size_t size);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);
void *__asan_region_is_poisoned(void *address, size_t size);

static inline void memory_poison(const void *address, size_t size) {
  __asan_poison_memory_region(address, size);
}

static inline void memory_unpoison(const void *address, size_t size) {
  __asan_unpoison_memory_region(address, size);
}

static inline bool memory_is_poisoned(const void *address, size_t size) {
  return __asan_region_is_poisoned((void *)(size_t)address, size) != NULL;
}

#else

/* Macros, as an argument that is not used may still be an atomic load. */
#define memory_poison(address, size) ((void)0)
#define memory_unpoison(address, size) ((void)0)
#define memory_is_poisoned(address, size) false

#endif
#endif
