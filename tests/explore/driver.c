/* What the programs of the explorer have in common: which scenarios and faults are run, and what is said of them.
 * See explore.h. */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walloc.h"

void explore_require(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "%s: %s\n", what, walloc_error_text(walloc_last_error()));
  exit(EXIT_FAILURE);
}

static bool all_is_to_be_proven(void) {
  const char *prove = getenv("WALLOC_PROVE");
  return prove != NULL && strcmp(prove, "1") == 0;
}

/* Whether a promise is broken in any scenario. */
static bool is_broken_with(const explorer *e, int fault) {
  for (size_t i = 0; i < e->scenarios; i++) {
    if (!e->is_larger(i) && e->explore(i, fault) == 0) {
      printf("fault %d is found: %s\n", fault, e->name(i));
      return true;
    }
  }
  printf("fault %d is not found\n", fault);
  return false;
}

static bool is_broken(const explorer *e) {
  bool broken = false;
  for (size_t i = 0; i < e->scenarios; i++) {
    if (e->is_larger(i) && !all_is_to_be_proven())
      continue;
    uint64_t states = e->explore(i, 0);
    printf("%9llu states: %s%s\n", (unsigned long long)states, e->name(i),
           states == 0 ? ": FAILED" : "");
    fflush(stdout);
    broken = broken || states == 0;
  }
  return broken;
}

int explore_main(const explorer *e, int count, char **values) {
  if (count > 1)
    return is_broken_with(e, (int)strtol(values[1], NULL, 10)) ? EXIT_FAILURE : EXIT_SUCCESS;
  bool failed = is_broken(e);
  for (int fault = e->first_fault; fault < e->faults_end; fault++)
    failed = !is_broken_with(e, fault) || failed;
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
