/* Runs one workload on the malloc that this program is linked with. Which there are says the file that it is
 * linked with: list.c, or one of ../programs.
 *
 *     bench_heap WORKLOAD THREADS     prints one line of JSON
 *
 * {"operations": ..., "seconds": ..., "checksum": "...", "peak_bytes": ..., "first_bytes": ...}
 *
 * Memory is what the malloc has obtained from sbrk, which all of them do and never undo; in it are the
 * threads' stacks. first_bytes: after the first block. */
#include "../clock.h"
#include "workload.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct worker {
  pthread_t id;
  unsigned number;
  result result;
  double end; /* when it was done */
} worker;

static const workload *chosen; /* written before the threads start, as the next two */
static unsigned threads;

/* A start that no sleeper is late for: all but the main thread spin. Written by the workers, by addition, and by
 * the main thread. Acquire and release: `chosen` and `threads` are seen. */
static atomic_uint ready, started;

extern unsigned char __heap_base; /* made by the linker: where sbrk began */

static size_t obtained(void) { return (size_t)((char *)sbrk(0) - (char *)&__heap_base); }

static void *work(void *argument) {
  worker *w = argument;
  atomic_fetch_add_explicit(&ready, 1, memory_order_acq_rel);
  while (atomic_load_explicit(&started, memory_order_acquire) == 0)
    ;
  w->result = chosen->run(w->number, threads);
  w->end = clock_ns();
  return NULL;
}

static void add(result *sum, result more) {
  sum->operations += more.operations;
  sum->checksum += more.checksum;
}

/* Seconds from when all are ready until the last one is done: what comes then, Emscripten's pthread_join may
 * notice a tenth of a second later. */
static double run_all(result *sum) {
  worker workers[THREADS_MAX];
  for (unsigned i = 0; i < threads; i++) {
    workers[i].number = i;
    if (pthread_create(&workers[i].id, NULL, work, &workers[i]) != 0)
      abort();
  }
  while (atomic_load_explicit(&ready, memory_order_acquire) < threads)
    usleep(1000);
  double before = clock_ns();
  atomic_store_explicit(&started, 1, memory_order_release);
  double end = before;
  for (unsigned i = 0; i < threads; i++) {
    pthread_join(workers[i].id, NULL);
    add(sum, workers[i].result);
    end = workers[i].end > end ? workers[i].end : end;
  }
  return (end - before) / 1e9;
}

static const workload *find(const char *name) {
  for (size_t i = 0; workloads[i] != NULL; i++)
    if (strcmp(workloads[i]->name, name) == 0)
      return workloads[i];
  return NULL;
}

int main(int argc, char **argv) {
  chosen = argc == 3 ? find(argv[1]) : NULL;
  threads = chosen == NULL ? 0 : (unsigned)strtoul(argv[2], NULL, 10);
  if (threads != 1 && threads != 2 && threads != 4) {
    fprintf(stderr, "bench_heap WORKLOAD THREADS: threads are 1, 2 or 4\n");
    return EXIT_FAILURE;
  }
  free(malloc(16));
  size_t first = obtained();
  result sum = {0, 0};
  if (chosen->begin != NULL)
    chosen->begin(threads);
  double seconds = run_all(&sum);
  if (chosen->end != NULL)
    add(&sum, chosen->end());
  printf("{\"operations\": %" PRIu64 ", \"seconds\": %.6f, \"checksum\": \"%016" PRIx64
         "\", \"peak_bytes\": %zu, \"first_bytes\": %zu}\n",
         sum.operations, seconds, sum.checksum, obtained(), first);
  return EXIT_SUCCESS;
}
