/* What native and linked programs have beside walloc.wasm: errno, and random numbers. */
#define _GNU_SOURCE /* getentropy */
#include "platform/platform.h"

#include <errno.h>
#include <unistd.h>

void walloc_platform_set_errno(bool out_of_memory) { errno = out_of_memory ? ENOMEM : EINVAL; }

uint64_t walloc_platform_random(void) {
  uint64_t random = 0;
  if (getentropy(&random, sizeof random) != 0)
    random = (uintptr_t)&random * 0x9E3779B97F4A7C15u;
  return random;
}
