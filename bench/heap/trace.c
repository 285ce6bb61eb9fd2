/* The trace of a real program, which JavaScript hands over as Module.trace before this starts: see trace.js
 * and replay.h. Each thread replays it some times. */
#include "replay.h"
#include "workload.h"

#include <emscripten.h>

enum { BYTES_MOST = 4 << 20, TIMES = 12 };

static unsigned char bytes[BYTES_MOST];

/* clang-format off */
static uint32_t fetch_trace(void) {
  return (uint32_t)MAIN_THREAD_EM_ASM_INT({
    const trace = Module['trace'];
    if (!trace || trace.length > $1) return 0;
    HEAPU8.set(trace, $0);
    return trace.length;
  }, bytes, BYTES_MOST);
}
/* clang-format on */

static void begin(unsigned threads) {
  (void)threads;
  if (replay_open(bytes, fetch_trace()) != 0)
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
