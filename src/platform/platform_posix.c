/* What native and linked programs have beside walloc.wasm: errno, random numbers, a clock. */
#define _GNU_SOURCE /* getentropy */
#include "platform/platform.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

void walloc_platform_set_errno(bool out_of_memory) { errno = out_of_memory ? ENOMEM : EINVAL; }

uint64_t walloc_platform_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t walloc_platform_random(void) {
  uint64_t random = 0;
  if (getentropy(&random, sizeof random) != 0)
    random = (uintptr_t)&random * 0x9E3779B97F4A7C15u;
  return random;
}
