/* Steps, kills, recovers: see kill.h.
 *
 *     kill                     every operation; long ones at places that a printed seed chooses (WALLOC_SEED)
 *     WALLOC_PROVE=1 kill      after every instruction, each time it is carried out; from the 129th time on one in 32
 *     kill --finds-fault NAME  of a library with a fault in it, after every instruction: 0 if the fault is found
 *     kill NAME                only the operations whose name contains it */
#include "kill/kill.h"
#include "kill/storage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "pages/pages.h"

/* Of each operation, unless everything is to be proven. */
#define KILLS_BY_DEFAULT 10u

/* With WALLOC_PROVE=1: after each instruction when it is carried out for the first time, the second, and so on up to
 * this; later, as in loops over all pages or blocks, or over bytes, after one in so many. */
#define PASSES 128u
#define TURNS 32u

/* For one kill, and for one that is recorded, instruction by instruction: longer is a lock that nobody left. On a busy
 * machine a second has few instructions. */
#define SECONDS_AT_MOST 60
#define SECONDS_TO_RECORD 600

/* For one that lives on, with a library that has a fault: then it is found. */
#define SECONDS_TO_FIND 5

/* ---- Where to kill --------------------------------------------------------------------------- */

/* Single steps cost some 50 us each on a virtual machine. So an operation is stepped once, to know at which address
 * it is after each of its instructions. To kill it after the n-th, a breakpoint is put at the address where it is
 * then, or not long before, and passed as often as it was passed before; the rest is stepped. In a loop a place
 * outside of it costs less than one within that is passed in every turn. */

#define TRAP_FLAG 0x100 /* of the processor: a trap after each instruction */
#define BREAKPOINT 0xCC

enum { INSTRUCTIONS_MAX = 1 << 20, PLACES_MAX = 1 << 16 };

#define STEPS_AT_MOST 4000u /* behind the breakpoint */

#define NOWHERE UINT32_MAX /* the thread is not killed, nor recorded */

/* What a tester has found out, for those that are forks of it, too. */
typedef struct findings {
  uintptr_t addresses[INSTRUCTIONS_MAX]; /* after the first instruction, the second, ... */
  uint32_t passes[INSTRUCTIONS_MAX]; /* how often it has come to that address, this time included */
  uint32_t length;
  bool ended; /* the thread came to the end of its operation, and not to the place before */
} findings;

static findings *found;

static _Alignas(64) unsigned char signal_stack[65536];

/* Written by the tester before the child starts, and by the child. */
static struct {
  bool records;
  bool lives_on, reached; /* it only stops, has stopped, at the place */
  uint32_t steps;         /* left, where they are counted; 0: they are not */
  uint32_t steps_behind;  /* the last pass of the breakpoint */
  unsigned char *at;
  unsigned char instead;
  uint32_t passes; /* left */
  bool steps_over;
} place_to_die;

static volatile uint32_t child_number;
static volatile pid_t child_process;

/* A table of addresses, by open addressing. */
static void count_passes(void) {
  static struct {
    uintptr_t address;
    uint32_t passes;
  } places[PLACES_MAX];
  memset(places, 0, sizeof places);
  for (uint32_t n = 0; n < found->length; n++) {
    uintptr_t address = found->addresses[n];
    uint32_t i = (uint32_t)(address * 2654435761u) % PLACES_MAX;
    while (places[i].address != address && places[i].address != 0)
      i = (i + 1) % PLACES_MAX;
    places[i].address = address;
    found->passes[n] = ++places[i].passes;
  }
}

/* The place to have a breakpoint at for the n-th: a pass costs as much as two steps. */
static uint32_t cheapest_before(uint32_t n) {
  uint32_t best = n;
  for (uint32_t m = n; m > 0 && n - m < STEPS_AT_MOST; m--)
    if (2 * found->passes[m - 1] + (n - m) < 2 * found->passes[best - 1] + (n - best))
      best = m;
  return best;
}

static void record(uintptr_t address) {
  if (found->length == INSTRUCTIONS_MAX)
    abort();
  found->addresses[found->length++] = address;
}

/* Not the C library's call, in which the breakpoint may be. */
static void end_process(void) {
  __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0) : "rcx", "r11", "memory");
}

/* Until the tester lets it go on. */
static void stop(void) { syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP); }

/* The process is no more, or stopped for as long as another thread needs to die. */
static void come_to_place(greg_t *registers) {
  if (!place_to_die.lives_on)
    end_process();
  place_to_die.reached = true;
  stop();
  registers[REG_EFL] &= ~TRAP_FLAG;
}

/* On a stack of its own. At the place to die the instruction before has taken effect, that one has not begun. */
static void trapped(int signal, siginfo_t *unused, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)signal;
  (void)unused;
  if (place_to_die.records) {
    record((uintptr_t)registers[REG_RIP]);
  } else if (place_to_die.steps != 0) {
    if (--place_to_die.steps == 0)
      come_to_place(registers);
  } else if (place_to_die.steps_over) {
    place_to_die.steps_over = false;
    *place_to_die.at = BREAKPOINT;
    registers[REG_EFL] &= ~TRAP_FLAG;
  } else {
    bool is_last = --place_to_die.passes == 0;
    place_to_die.steps_over = !is_last;
    place_to_die.steps = is_last ? place_to_die.steps_behind : 0;
    *place_to_die.at = place_to_die.instead;
    registers[REG_RIP]--;
    registers[REG_EFL] |= TRAP_FLAG;
    if (is_last && place_to_die.steps == 0)
      come_to_place(registers);
  }
}

static void change_trap_flag(void) {
  __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\txorq %0, (%%rsp)\n\tpopfq\n\t"
                   "lea 128(%%rsp), %%rsp"
                   :
                   : "i"(TRAP_FLAG)
                   : "memory", "cc");
}

/* After the n-th instruction, n from 1 on; 0: record; or NOWHERE. */
static void choose_place(uint32_t n) {
  bool nowhere = n == 0 || n == NOWHERE;
  uint32_t m = nowhere ? 1 : cheapest_before(n);
  place_to_die.at = nowhere ? NULL : (unsigned char *)found->addresses[m - 1];
  place_to_die.passes = found->passes[m - 1];
  place_to_die.steps = 0;
  place_to_die.steps_behind = n - m;
  place_to_die.steps_over = false;
  place_to_die.records = n == 0;
  place_to_die.lives_on = place_to_die.reached = false;
  if (n == 0)
    found->length = 0;
  if (place_to_die.at == NULL)
    return;
  uintptr_t page = found->addresses[m - 1] & ~(uintptr_t)4095;
  if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 &&
      mprotect((void *)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
    abort();
  place_to_die.instead = *place_to_die.at;
}

static void take_breakpoint_away(void) {
  if (place_to_die.at != NULL)
    *place_to_die.at = place_to_die.instead;
}

/* ---- The child ------------------------------------------------------------------------------- */

static void begin_operation(void) {
  stack_t other = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_ONSTACK | SA_SIGINFO};
  sigaltstack(&other, NULL);
  sigaction(SIGTRAP, &action, NULL);
  stop();
  if (place_to_die.at != NULL)
    *place_to_die.at = BREAKPOINT;
}

static int run_child(void *operation_of_child) {
  const operation *op = operation_of_child;
  bool stops = place_to_die.records || place_to_die.steps != 0;
  child_number = walloc_thread_self();
  if (op->begin != NULL)
    op->begin();
  begin_operation();
  if (stops)
    change_trap_flag();
  op->run();
  if (stops)
    change_trap_flag();
  found->ended = !place_to_die.reached;
  take_breakpoint_away();
  end_process();
  return 0;
}

/* Another child, while the first is stopped: where the first has the page lock, this one does not get it. */
static int die_with_page_lock(void *unused) {
  (void)unused;
  kill_common.lost_meanwhile = walloc_thread_self();
  (void)walloc_pages_hold(kill_common.lost_meanwhile);
  end_process();
  return 0;
}

/* ---- The tester ------------------------------------------------------------------------------ */

static const operation *now;
static uint32_t now_after;
static bool now_lives_on;

static void say(const char *problem) {
  fprintf(stderr, "%s, %s after %u instructions: %s\n", now->name,
          now_lives_on ? "stopped" : "killed", now_after, problem);
}

static int status_when_late = EXIT_FAILURE;

static void too_late(int signal) {
  (void)signal;
  static const char text[] = "nothing goes on: a lock is held\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  if (child_process > 0)
    kill(child_process, SIGKILL);
  _exit(written < 0 ? EXIT_FAILURE : status_when_late);
}

static bool another_dies(void) {
  int status = 0;
  pid_t other = storage_start(1, die_with_page_lock, NULL);
  return other > 0 && waitpid(other, &status, 0) == other && WIFEXITED(status);
}

/* To where it stops, dies, or ends. */
static bool wait_for_child(int *status) {
  return waitpid(child_process, status, WUNTRACED) == child_process;
}

/* To where it dies, or ends. False when it has ended in a way that it should not. */
static bool run(const operation *op) {
  int status = 0;
  found->ended = false;
  child_process = storage_start(0, run_child, (void *)(uintptr_t)op);
  bool good = child_process > 0 && wait_for_child(&status) && WIFSTOPPED(status);
  if (good && op->between != NULL)
    op->between();
  kill(child_process, SIGCONT);
  good = wait_for_child(&status) && good;
  if (good && WIFSTOPPED(status)) {
    good = another_dies();
    kill(child_process, SIGCONT);
    good = wait_for_child(&status) && good;
  }
  take_breakpoint_away();
  return good && WIFEXITED(status);
}

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

void kill_first(const char *name, uint32_t after) {
  const operation *op = find_operation(name);
  if (op->prepare != NULL)
    op->prepare();
  choose_place(NOWHERE);
  place_to_die.steps = after;
  if (!run(op) || found->ended)
    abort();
  kill_common.lost_before = child_number;
}

/* Twice, as the second must find nothing left to do. Of those that are dead the later ones come first, as they may
 * have been recovering from the others, or have the page lock. */
static const char *recover(void) {
  uint32_t meanwhile = kill_common.lost_meanwhile;
  for (int times = 0; times < 2; times++) {
    if (meanwhile != 0 && walloc_thread_lost(meanwhile) != WALLOC_OK)
      return "recovery of a loss meanwhile is refused";
    if (walloc_thread_lost(child_number) != WALLOC_OK)
      return "recovery is refused";
    if (kill_common.lost_before != 0 && walloc_thread_lost(kill_common.lost_before) != WALLOC_OK)
      return "recovery of an earlier loss is refused";
  }
  return NULL;
}

static unsigned seconds_for(uint32_t after) {
  if (after == 0)
    return SECONDS_TO_RECORD;
  return now_lives_on && status_when_late == EXIT_SUCCESS ? SECONDS_TO_FIND : SECONDS_AT_MOST;
}

/* False: something was wrong, which has been said. After 0 instructions: the operation is recorded, and ends. */
static bool try_one(uint32_t after) {
  now_after = after;
  alarm(seconds_for(after));
  kill_start();
  if (now->prepare != NULL)
    now->prepare();
  choose_place(after);
  place_to_die.lives_on = now_lives_on;
  const char *problem = run(now) ? NULL : "the thread has ended in another way";
  if (problem == NULL)
    problem = recover();
  if (problem == NULL)
    problem = kill_check(now);
  if (problem == NULL)
    problem = kill_use_and_end();
  if (problem != NULL)
    say(problem);
  return problem == NULL;
}

/* The same in a fork. */
static bool try_one_first(uint32_t after) {
  int status = 0;
  fflush(NULL);
  pid_t tester = fork();
  if (tester == 0) {
    status_when_late = EXIT_FAILURE;
    _exit(try_one(after) ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  return waitpid(tester, &status, 0) == tester && WIFEXITED(status) &&
         WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* How it is tried, and what has come of it. */
typedef struct trial {
  bool proves, finds_fault;
  uint32_t seed;
  bool (*try_one)(uint32_t after);
  unsigned kills, ended; /* ended: the thread came to the end of its operation before */
} trial;

/* Of the turns of a long loop, or the repetitions of one instruction (rep movs), not all: they differ in how far it
 * has come. */
static bool may_choose(uint32_t after, uint32_t seed) {
  return found->passes[after - 1] <= PASSES || after % TURNS == seed % TURNS;
}

/* One in how many places is chosen. A fault for which an operation also lives on shows at many of them. */
static uint32_t distance_of(const trial *t) {
  uint32_t places = 0;
  if (t->proves || (t->finds_fault && (now->flags & LIVES_ON) == 0))
    return 1;
  for (uint32_t after = 1; after <= found->length; after++)
    places += may_choose(after, t->seed);
  return places / KILLS_BY_DEFAULT + 1;
}

/* Whether all is in order after the chosen places of what is recorded. */
static bool try_places(trial *t, bool lives_on) {
  uint32_t distance = distance_of(t), places = t->seed, kills = 0;
  now_lives_on = lives_on;
  for (uint32_t after = 1; after <= found->length; after++) {
    if (!may_choose(after, t->seed) || places++ % distance != 0)
      continue;
    if (!t->try_one(after))
      return false;
    kills += !found->ended;
    t->ended += found->ended;
  }
  t->kills += kills;
  printf(", %s after %u", lives_on ? "stopped" : "killed", kills);
  return true;
}

/* Recorded the second time, as the first of its kind may obtain memory. */
static bool try_operation(const operation *op, trial *t) {
  now = op;
  now_lives_on = false;
  if (!t->try_one(NOWHERE) || !t->try_one(0))
    return false;
  count_passes();
  printf("%-28s %6u instructions", op->name, found->length);
  bool good = try_places(t, false) && ((op->flags & LIVES_ON) == 0 || try_places(t, true));
  printf("\n");
  return good;
}

static bool try_operations(const char *only, trial *t) {
  bool good = true;
  for (int n = 0; n < TABLES && good; n++) {
    t->try_one = n < FIRST_TABLES ? try_one_first : try_one;
    for (size_t i = 0; i < tables[n]->count && good; i++)
      if (strstr(tables[n]->all[i].name, only) != NULL)
        good = try_operation(&tables[n]->all[i], t);
  }
  return good;
}

int main(int count, char **arguments) {
  const char *seed_given = getenv("WALLOC_SEED"), *prove = getenv("WALLOC_PROVE");
  bool finds_fault = count > 1 && strcmp(arguments[1], "--finds-fault") == 0;
  const char *only = count > 1 ? arguments[count - 1] : "";
  trial t = {.proves = prove != NULL && *prove == '1', .finds_fault = finds_fault};
  t.seed = seed_given != NULL ? (uint32_t)strtoul(seed_given, NULL, 10) : (uint32_t)time(NULL);
  status_when_late = finds_fault ? EXIT_SUCCESS : EXIT_FAILURE;
  setvbuf(stdout, NULL, _IONBF, 0);
  printf("WALLOC_SEED=%u\n", t.seed);
  signal(SIGALRM, too_late);
  storage_find();
  found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (found == MAP_FAILED)
    return EXIT_FAILURE;
  bool good = try_operations(only, &t);
  printf("%u kills; %u times the operation ended before\n", t.kills, t.ended);
  if (finds_fault)
    printf("the fault is %s\n", good ? "not found" : "found");
  return good == finds_fault;
}
