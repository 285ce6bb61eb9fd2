/* Stops, examines: see kill.h.
 *
 *     kill                     every operation; at some places that a printed seed chooses (WALLOC_SEED)
 *     WALLOC_PROVE=1 kill      after every instruction, each time it is carried out; in loops as said below
 *     kill --finds-fault NAME  of a library with a fault in it, after every instruction: 0 if the fault is found
 *     kill NAME                only the operations whose name contains it */
#include "kill/step.h"
#include "kill/storage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pages/pages.h"

/* Of each operation, unless everything is to be proven. */
#define KILLS_BY_DEFAULT 10u

/* With WALLOC_PROVE=1: after each instruction when it is carried out for the first time, the second, and so on up to
 * this; later, as in loops over all pages or blocks, or over bytes, after one in so many. */
#define PASSES 128u
#define TURNS 32u

/* From one place to the next, and at each: longer is a lock that nobody left. On a busy machine a second has few
 * instructions. */
#define SECONDS_AT_MOST 60
#define SECONDS_TO_STEP 600

/* With a library that has a fault: then it is found. */
#define SECONDS_TO_FIND 5

/* How all is tried, and what has come of it. Forks of the tester write to the same. */
static struct trial {
  uint32_t seed;
  bool proves, finds_fault;
  uint32_t places, distance,
      next;              /* of the operation: how many there are, one in how many is chosen */
  uint32_t kills, stops; /* of the operation */
  uint32_t kills_in_all;
} * trial;

static const operation *now;

static void say(const char *problem) {
  fprintf(stderr, "%s, after %u instructions: %s\n", now->name, step_taken(), problem);
}

static void too_late(int signal) {
  (void)signal;
  static const char text[] = "nothing goes on: a lock is held\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  (void)written;
  if (step_child > 0)
    kill(step_child, SIGKILL);
  _exit(EXIT_FAILURE);
}

/* ---- Where to stop --------------------------------------------------------------------------- */

/* Of the turns of a long loop, or the repetitions of one instruction (rep movs), not all: they differ in how far it
 * has come. */
static bool is_place(uint32_t taken, uint32_t passes) {
  return passes <= PASSES || taken % TURNS == trial->seed % TURNS;
}

static bool count(uint32_t taken, uint32_t passes) {
  trial->places += is_place(taken, passes);
  return false;
}

static bool choose(uint32_t taken, uint32_t passes) {
  return is_place(taken, passes) && trial->next++ % trial->distance == 0;
}

/* ---- An earlier death ------------------------------------------------------------------------ */

static const operations *const tables[] = {&kill_first_operations, &kill_first_room_operations,
                                           &kill_heap_operations, &kill_room_operations};

enum { TABLES = sizeof tables / sizeof *tables, FIRST_TABLES = 2 };

static const operation *find_operation(const char *name) {
  for (int t = 0; t < TABLES; t++)
    for (size_t i = 0; i < tables[t]->count; i++)
      if (strcmp(tables[t]->all[i].name, name) == 0)
        return &tables[t]->all[i];
  abort();
}

static bool begin(const operation *op, step_chooser *chooses) {
  if (!step_start(op, chooses))
    return false;
  if (op->between != NULL)
    op->between();
  return true;
}

static uint32_t last_place;
static bool is_last_place(uint32_t taken, uint32_t passes) {
  (void)passes;
  return taken == last_place;
}

void kill_first(const char *name, uint32_t after) {
  const operation *op = find_operation(name);
  if (op->prepare != NULL)
    op->prepare();
  last_place = after;
  if (!begin(op, is_last_place) || step_on() != STEP_STOPPED)
    abort();
  step_kill();
  kill_common.lost_before = step_thread();
}

/* ---- At one place ---------------------------------------------------------------------------- */

/* Another child, while the first is stopped: where the first has the page lock, this one does not get it. */
static int die_with_page_lock(void *unused) {
  (void)unused;
  kill_common.lost_meanwhile = walloc_thread_self();
  (void)walloc_pages_hold(kill_common.lost_meanwhile);
  _exit(0);
}

static bool another_dies(void) {
  int status = 0;
  pid_t other = storage_start(1, die_with_page_lock, NULL);
  return other > 0 && waitpid(other, &status, 0) == other && WIFEXITED(status);
}

/* Of those that are dead the later ones come first, as they may have been recovering from the others, or have the page
 * lock. NULL: nothing was refused. */
static const char *tell_of_all(void) {
  const char *problem = NULL;
  uint32_t meanwhile = kill_common.lost_meanwhile, before = kill_common.lost_before;
  if (meanwhile != 0 && walloc_thread_lost(meanwhile) != WALLOC_OK)
    problem = "recovery of a loss meanwhile is refused";
  if (walloc_thread_lost(step_thread()) != WALLOC_OK)
    problem = "recovery is refused";
  if (before != 0 && walloc_thread_lost(before) != WALLOC_OK)
    problem = "recovery of an earlier loss is refused";
  return problem;
}

/* Twice, as the second must find nothing left to do. What is refused because an earlier one has the page lock is told
 * again, as docs/recovery.md asks for. */
static const char *recover(void) {
  const char *problem = tell_of_all();
  if (problem != NULL && kill_common.lost_before != 0)
    problem = tell_of_all();
  return problem != NULL ? problem : tell_of_all();
}

static const char *examine(void) {
  const char *problem = recover();
  if (problem == NULL)
    problem = kill_check(now);
  return problem != NULL ? problem : kill_use_and_end();
}

static const char *examine_living(void) {
  return another_dies() && step_finish_copy() ? examine() : "the thread has ended in another way";
}

/* In a fork: all memory is as the thread would have left it, had it been killed here, and there is no such thread. */
static bool is_good_in_fork(const char *(*examine_it)(void), unsigned seconds) {
  int status = 0;
  fflush(NULL);
  pid_t examiner = fork();
  if (examiner == 0) {
    alarm(seconds);
    const char *problem = examine_it();
    if (problem != NULL)
      say(problem);
    _exit(problem == NULL ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  bool ended = waitpid(examiner, &status, 0) == examiner;
  if (ended && WIFSIGNALED(status))
    say("the examination crashed");
  return ended && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static bool is_good_here(void) {
  trial->kills++;
  if (!is_good_in_fork(examine, SECONDS_AT_MOST))
    return false;
  if ((now->flags & LIVES_ON) == 0)
    return true;
  trial->stops++;
  return is_good_in_fork(examine_living, trial->finds_fault ? SECONDS_TO_FIND : SECONDS_AT_MOST);
}

/* ---- An operation ---------------------------------------------------------------------------- */

/* From its begin to its end, stopped at the places that are chosen. False: something was wrong, which has been said. */
static bool walk_through(step_chooser *chooses) {
  step_state state = STEP_BROKEN;
  kill_start();
  if (now->prepare != NULL)
    now->prepare();
  alarm(SECONDS_TO_STEP);
  if (begin(now, chooses))
    while ((state = step_on()) == STEP_STOPPED && is_good_here())
      alarm(SECONDS_TO_STEP);
  alarm(0);
  if (state == STEP_STOPPED) {
    step_kill();
    return false;
  }
  const char *problem = state == STEP_ENDED ? examine() : "the thread has ended in another way";
  if (problem != NULL)
    say(problem);
  return problem == NULL;
}

/* The same in a fork of a tester that has not used walloc. */
static bool walk_through_first(step_chooser *chooses) {
  int status = 0;
  fflush(NULL);
  pid_t tester = fork();
  if (tester == 0)
    _exit(walk_through(chooses) ? EXIT_SUCCESS : EXIT_FAILURE);
  return waitpid(tester, &status, 0) == tester && WIFEXITED(status) &&
         WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* A fault for which an operation also lives on shows at many places: some of them will do. */
static bool takes_all_places(void) {
  return trial->proves || (trial->finds_fault && (now->flags & LIVES_ON) == 0);
}

/* The first time the places are counted. It may obtain memory, where the next finds some. */
static bool try_operation(const operation *op, bool (*walk)(step_chooser *)) {
  now = op;
  trial->places = trial->kills = trial->stops = 0;
  trial->next = trial->seed;
  if (!walk(count))
    return false;
  trial->distance = takes_all_places() ? 1 : trial->places / KILLS_BY_DEFAULT + 1;
  bool good = walk(choose);
  trial->kills_in_all += trial->kills;
  printf("%-28s %6u places, killed at %u", op->name, trial->places, trial->kills);
  printf(trial->stops != 0 ? ", stopped at %u\n" : "\n", trial->stops);
  return good;
}

static bool try_operations(const char *only) {
  bool good = true;
  for (int n = 0; n < TABLES; n++)
    for (size_t i = 0; i < tables[n]->count && good; i++)
      if (strstr(tables[n]->all[i].name, only) != NULL)
        good =
            try_operation(&tables[n]->all[i], n < FIRST_TABLES ? walk_through_first : walk_through);
  return good;
}

int main(int count, char **arguments) {
  const char *seed = getenv("WALLOC_SEED"), *prove = getenv("WALLOC_PROVE");
  trial = mmap(NULL, sizeof *trial, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (trial == MAP_FAILED)
    return EXIT_FAILURE;
  trial->finds_fault = count > 1 && strcmp(arguments[1], "--finds-fault") == 0;
  trial->proves = prove != NULL && *prove == '1';
  trial->seed = seed != NULL ? (uint32_t)strtoul(seed, NULL, 10) : (uint32_t)time(NULL);
  setvbuf(stdout, NULL, _IONBF, 0);
  printf("WALLOC_SEED=%u\n", trial->seed);
  signal(SIGALRM, too_late);
  storage_find();
  bool good = try_operations(count > 1 ? arguments[count - 1] : "");
  printf("%u kills\n", trial->kills_in_all);
  if (trial->finds_fault)
    printf("the fault is %s\n", good ? "not found" : "found");
  return good == trial->finds_fault;
}
