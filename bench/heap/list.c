/* The heap's workloads: those of bench_heap. */
#include "workload.h"

extern const workload pair, larson, xmalloc, mstress, churn, vectors, cache_scratch, cache_thrash,
    short_threads, large, replay;

const workload *const workloads[] = {&pair,         &larson,        &xmalloc, &mstress,
                                     &churn,        &vectors,       &large,   &cache_scratch,
                                     &cache_thrash, &short_threads, &replay,  NULL};
