/* The storm's main program. See storm.h.
 *
 *     storm [threads]     4, 8 and 16 after another when none is given
 *
 * WALLOC_SEED repeats a run's choices (not its interleavings), WALLOC_ROUNDS multiplies its length. */
#include "stress/storm.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static _Atomic unsigned violations; /* counted up by any thread; read after the joins */

void storm_violation(const char *format, ...) {
  if (atomic_fetch_add_explicit(&violations, 1, memory_order_relaxed) >= 10)
    return;
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is the line above
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fprintf(stderr, "violation: %s\n", text);
}

unsigned storm_violations(void) { return atomic_load_explicit(&violations, memory_order_relaxed); }

void storm_give_up(const char *what) {
  fprintf(stderr, "cannot go on: %s (%s)\n", what, walloc_error_text(walloc_last_error()));
  exit(EXIT_FAILURE);
}

static uint32_t number_from(const char *name, uint32_t otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

/* Little memory, so that arenas take each other's idle chunks and run out. */
static void begin(size_t maximum) {
  walloc_config config = {.maximum = maximum, .reserve = 2 << 20};
  config.tier[WALLOC_SCENE].recycle = WALLOC_RECYCLE_TO_MARK;
  config.tier[WALLOC_ENTITY].lane = WALLOC_NO_LANE;
  storm_require(walloc_init(&config) == WALLOC_OK, "walloc_init");
}

static void run(const storm_plan *plan) {
  begin(48 << 20);
  storm_run_ordered(plan);
  storm_require(walloc_shutdown() == WALLOC_OK, "walloc_shutdown");
  begin(16 << 20);
  storm_run_racing(plan);
  storm_require(walloc_shutdown() == WALLOC_OK, "walloc_shutdown");
}

int main(int count, char **values) {
  uint32_t rounds = number_from("WALLOC_ROUNDS", 1);
  storm_plan plan = {.rounds = 100 * rounds, .blocks = 20000 * rounds};
  plan.seed = number_from("WALLOC_SEED", (uint32_t)time(NULL));
  printf("WALLOC_SEED=%u\n", plan.seed);
  unsigned only = count > 1 ? (unsigned)strtoul(values[1], NULL, 10) : 0;
  storm_require(only <= STORM_THREADS_MAX, "at most 16 threads");
  for (plan.threads = only ? only : 4; plan.threads <= STORM_THREADS_MAX; plan.threads *= 2) {
    run(&plan);
    printf("%u threads: %u violations\n", plan.threads, storm_violations());
    fflush(stdout);
    if (only)
      break;
  }
  return storm_violations() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
