/* What the SDK's dlmalloc needs around it in a module that plain workers attach to, as they do to walloc.wasm: a
 * mutex, which is what it has in an Emscripten program with -pthread, and memory. For the kill storms, to show
 * what they find where a lock is held by the dead. Any thread. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define WASM_PAGE 65536
#define SPINS_BEFORE_SLEEP 2000
#define BREAK_FIRST \
  ((uint32_t)32 << 20) /* below are the module's data, and the stacks that storms give workers */

/* The mutex as musl has it: a word, 1 while it is held, and how many sleep for it, so that a sleeper that was woken and
 * killed does not keep the next one from being woken. Acquire and release of the word pair with each other; the
 * count is sequentially consistent, as a sleeper raises it before it looks at the word. Musl spins too, though less:
 * whoever is woken finds the lock taken again by the one that has left it, for many seconds now and then. */
static _Atomic int *word_of(pthread_mutex_t *mutex) { return (_Atomic int *)(void *)mutex; }

static _Atomic int *sleepers_of(pthread_mutex_t *mutex) { return word_of(mutex) + 1; }

int pthread_mutex_trylock(pthread_mutex_t *mutex) {
  int seen = 0;
  return atomic_compare_exchange_strong_explicit(word_of(mutex), &seen, 1, memory_order_seq_cst,
                                                 memory_order_relaxed)
             ? 0
             : EBUSY;
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  for (int spins = 0; spins < SPINS_BEFORE_SLEEP; spins++)
    if (pthread_mutex_trylock(mutex) == 0)
      return 0;
  atomic_fetch_add_explicit(sleepers_of(mutex), 1, memory_order_seq_cst);
  while (pthread_mutex_trylock(mutex) != 0)
    __builtin_wasm_memory_atomic_wait32((int *)(void *)mutex, 1, -1);
  atomic_fetch_sub_explicit(sleepers_of(mutex), 1, memory_order_seq_cst);
  return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  atomic_exchange_explicit(word_of(mutex), 0, memory_order_seq_cst);
  if (atomic_load_explicit(sleepers_of(mutex), memory_order_seq_cst) != 0)
    __builtin_wasm_memory_atomic_notify((int *)(void *)mutex, 1);
  return 0;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
  (void)attributes;
  atomic_store_explicit(word_of(mutex), 0, memory_order_relaxed);
  atomic_store_explicit(sleepers_of(mutex), 0, memory_order_relaxed);
  return 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attributes) {
  (void)attributes;
  return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attributes) {
  (void)attributes;
  return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attributes, int type) {
  (void)attributes;
  (void)type;
  return 0;
}

/* Written by addition. Relaxed: dlmalloc calls this under its lock. */
static _Atomic uint32_t top = BREAK_FIRST;

void *sbrk(intptr_t increment) {
  uint32_t before = atomic_fetch_add_explicit(&top, (uint32_t)increment, memory_order_relaxed);
  uint64_t end = (uint64_t)before + (uint32_t)increment;
  uint64_t size = (uint64_t)__builtin_wasm_memory_size(0) * WASM_PAGE;
  size_t pages = end <= size ? 0 : (size_t)((end - size + WASM_PAGE - 1) / WASM_PAGE);
  if (pages == 0 || __builtin_wasm_memory_grow(0, pages) != SIZE_MAX)
    return (void *)(uintptr_t)before;
  atomic_fetch_sub_explicit(&top, (uint32_t)increment, memory_order_relaxed);
  return (void *)-1;
}

int *__errno_location(void) {
  static _Thread_local int own;
  return &own;
}

void *emscripten_builtin_malloc(size_t size);
void emscripten_builtin_free(void *block);

__attribute__((export_name("malloc"))) void *storm_malloc(size_t size) {
  return emscripten_builtin_malloc(size);
}

__attribute__((export_name("free"))) void storm_free(void *block) {
  emscripten_builtin_free(block);
}
