/* Choosing the strategy: apart from large.c, so that a program that never does it has first fit only. */
#include "heap/large.h"

walloc_error walloc_heap_set_strategy(walloc_strategy chosen) {
  static const struct strategy *const strategies[] = {&walloc_first_fit, &walloc_next_fit,
                                                      &walloc_best_fit, &walloc_good_fit};
  if ((unsigned)chosen >= sizeof strategies / sizeof *strategies)
    return WALLOC_ERROR_CONFIG;
  return walloc_large_choose(strategies[chosen]);
}
