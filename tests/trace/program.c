/* A program that is recorded: threads that take, resize and free blocks, some of each other's.
 *
 *     trace_program [kill]     prints how many calls of the malloc family it made
 *
 * With `kill` it ends by a signal that cannot be caught, in the midst of its work. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 3, ROUNDS = 2000, SLOTS = 64 };

static _Atomic(void *) shared[SLOTS];
static atomic_ulong calls;

static void *seen(void *volatile block) { /* else the compiler knows that nobody uses it */
  atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
  if (block == NULL)
    abort();
  return block;
}

static void give(void *block) {
  if (block == NULL)
    return;
  atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
  free(block);
}

static void *take(unsigned i) {
  size_t size = 16 + i * 37 % 900;
  void *block;
  switch (i % 4) {
  case 0:
    return seen(malloc(size));
  case 1:
    return seen(calloc(1, size));
  case 2:
    block = seen(aligned_alloc(256, (size + 255) & ~(size_t)255));
    return block;
  default:
    block = seen(malloc(size));
    return seen(realloc(block, 3 * size));
  }
}

/* Whoever comes later frees what another has put here: acquire and release, by exchange. */
static void *work(void *number) {
  unsigned first = (unsigned)(uintptr_t)number;
  for (unsigned i = 0; i < ROUNDS; i++) {
    void *block = take(i + first);
    memset(block, 1, 16);
    give(atomic_exchange_explicit(&shared[(i * 7 + first) % SLOTS], block, memory_order_acq_rel));
  }
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
      return EXIT_FAILURE;
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  printf("%lu\n", atomic_load(&calls)); /* SLOTS blocks are left */
  fflush(stdout);
#ifndef __EMSCRIPTEN__
  if (argc > 1 && strcmp(argv[1], "kill") == 0)
    raise(SIGKILL);
#else
  (void)argc, (void)argv;
#endif
  return EXIT_SUCCESS;
}
