/* Replays a trace, the malloc calls that a real program made, with the malloc of this program. What a
 * trace holds is told in docs/trace.md.
 *
 * One trace is open at a time. It is opened by one thread; then up to REPLAY_THREADS threads may replay
 * it at the same time, each under a number of its own. */
#ifndef WALLOC_BENCH_REPLAY_H
#define WALLOC_BENCH_REPLAY_H

#include <stddef.h>
#include <stdint.h>

/* Blocks alive at once, and operations: the tables are static. A program may ask for other limits. */
#ifndef REPLAY_SLOTS
#define REPLAY_SLOTS (1 << 16)
#define REPLAY_OPERATIONS (1 << 19)
#endif

enum { REPLAY_THREADS = 4 };

/* 0 when the bytes are a trace that this program can replay; they stay in use. */
int replay_open(const unsigned char *bytes, size_t length);

/* Replays the whole trace once, on the calling thread; thread is below REPLAY_THREADS. Returns the
 * operations done: fewer than the trace has when the memory ran out. All is freed again in any case.
 * Aborts when a block does not hold what was written to it. Adds to *checksum what depends only on the
 * trace and the thread's number. */
uint64_t replay_run(unsigned thread, uint64_t *checksum);

/* What replay_run returns when nothing is amiss. */
uint64_t replay_operations(void);

#endif
