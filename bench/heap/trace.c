/* The trace of a real program, which JavaScript brings: see trace.js and replay.h. Each thread replays it some times. */
#include "../../trace/replay.h"
#include "workload.h"

enum { BYTES_MOST = 4 << 20, TIMES = 12 };

static unsigned char bytes[BYTES_MOST];

/* In trace.js: how many bytes it is long, 0 when it is too long. */
extern uint32_t fetch_trace(unsigned char *to, uint32_t most);

static void begin(unsigned threads) {
  (void)threads;
  if (replay_open(bytes, fetch_trace(bytes, BYTES_MOST)) != 0)
    abort();
}

static result run(unsigned thread, unsigned threads) {
  (void)threads;
  result sum = {0, 0};
  for (int i = 0; i < TIMES; i++)
    sum.operations += replay_run(thread, &sum.checksum);
  if (sum.operations != replay_operations() * TIMES)
    abort();
  return sum;
}

const workload replay = {"replay", begin, run, NULL};
