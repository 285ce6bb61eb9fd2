/* Replays a trace with the malloc that this program is linked with: walloc's.
 *
 *     walloc-replay TRACE [TIMES] [THREADS]     prints the operations, the checksum and ns for each
 *
 * Every thread replays the whole trace, TIMES times. Exits with a failure when the trace is not in order,
 * the memory runs out, or two replays differ; aborts when a block does not hold what was written to it. Natively
 * the trace is an unpacked file; as WebAssembly trace.js brings it. */
#define _POSIX_C_SOURCE 200809L
#include "replay.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BYTES_MOST = 32 << 20 };

static unsigned char bytes[BYTES_MOST]; /* written before the threads start */
static long times = 1;

typedef struct {
  pthread_t id;
  unsigned number;
  int failed;
  uint64_t checksum; /* of one replay */
} worker;

static void *work(void *argument) {
  worker *w = argument;
  for (long i = 0; i < times; i++) {
    uint64_t checksum = 0;
    if (replay_run(w->number, &checksum) != replay_operations())
      w->failed = 1;
    if (i > 0 && checksum != w->checksum)
      w->failed = 1;
    w->checksum = checksum;
  }
  return NULL;
}

static int run_all(unsigned threads, uint64_t *checksum) {
  worker workers[REPLAY_THREADS] = {{0}};
  int failed = 0;
  for (unsigned i = 0; i < threads; i++) {
    workers[i].number = i;
    if (i > 0 && pthread_create(&workers[i].id, NULL, work, &workers[i]) != 0)
      exit(EXIT_FAILURE);
  }
  work(&workers[0]);
  for (unsigned i = 0; i < threads; i++) {
    if (i > 0)
      pthread_join(workers[i].id, NULL);
    failed |= workers[i].failed;
    *checksum += workers[i].checksum;
  }
  return !failed;
}

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#ifdef __EMSCRIPTEN__
extern uint32_t fetch_trace(unsigned char *to, uint32_t most); /* trace.js; 0: too long */

static size_t read_file(const char *name) {
  (void)name;
  return fetch_trace(bytes, sizeof bytes);
}
#else
static size_t read_file(const char *name) {
  FILE *file = fopen(name, "rb");
  if (file == NULL)
    return 0;
  size_t length = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  return length;
}
#endif

int main(int argc, char **argv) {
  long threads = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
  times = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
  if (argc < 2 || times < 1 || threads < 1 || threads > REPLAY_THREADS) {
    fprintf(stderr, "walloc-replay TRACE [TIMES] [THREADS, at most %d]\n", REPLAY_THREADS);
    return EXIT_FAILURE;
  }
  if (replay_open(bytes, read_file(argv[1])) != 0) {
    fprintf(stderr, "%s is not a trace that can be replayed\n", argv[1]);
    return EXIT_FAILURE;
  }
  uint64_t checksum = 0;
  double start = now_ns();
  if (!run_all((unsigned)threads, &checksum)) {
    fprintf(stderr, "%s: the memory ran out, or two replays differ\n", argv[1]);
    return EXIT_FAILURE;
  }
  double each = (now_ns() - start) / (double)replay_operations() / (double)times;
  printf("%llu %016llx %.1f\n", (unsigned long long)replay_operations(),
         (unsigned long long)checksum, each);
  return EXIT_SUCCESS;
}
