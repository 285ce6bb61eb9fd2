/* Steps, kills, recovers: see kill.h.
 *
 *     kill                     every operation; long ones at places that a printed seed chooses (WALLOC_SEED)
 *     WALLOC_PROVE=1 kill      after every instruction
 *     kill --finds-fault       of a library with a fault in it: 0 if the fault is found
 *     kill NAME                only the operations whose name contains it */
#include "kill/kill.h"

#include <asm/prctl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Single steps that an operation may take in all, unless everything is to be proven. */
#define STEPS_BY_DEFAULT 40000u

#define SECONDS_AT_MOST 20 /* for one kill: longer is a lock that nobody left */

/* ---- Thread-local storage of the child ------------------------------------------------------- */

enum { TLS_BELOW = 16384, TLS_ABOVE = 2304, STACK_SIZE = 262144 };

static _Alignas(64) unsigned char tls[TLS_BELOW + TLS_ABOVE];
static _Alignas(64) unsigned char stack[STACK_SIZE];
static unsigned char *const child_thread = tls + TLS_BELOW;

/* Where the tester's own ends, and what a thread of this program begins with. */
static struct {
  unsigned char *end, *begin, *own;
  const void *image;
  size_t image_size, size;
} storage;

static int find_storage(struct dl_phdr_info *module, size_t size, void *unused) {
  (void)size;
  (void)unused;
  unsigned char *data = module->dlpi_tls_data;
  if (data == NULL)
    return 0;
  if (data < storage.begin)
    storage.begin = data;
  for (int i = 0; i < module->dlpi_phnum && storage.own == NULL; i++) {
    const ElfW(Phdr) *part = &module->dlpi_phdr[i];
    if (part->p_type != PT_TLS)
      continue;
    storage.own = data;
    storage.image = (const void *)(module->dlpi_addr + part->p_vaddr);
    storage.image_size = part->p_filesz;
    storage.size = part->p_memsz;
  }
  return 0;
}

static void find_all_storage(void) {
  syscall(SYS_arch_prctl, ARCH_GET_FS, &storage.end);
  storage.begin = storage.end;
  dl_iterate_phdr(find_storage, NULL);
  if (storage.end - storage.begin > TLS_BELOW)
    abort();
}

/* The C library's is copied, this program's as it is in a new thread. The first and third word of what lies above
 * point to themselves. */
static void make_storage(void) {
  size_t below = (size_t)(storage.end - storage.begin);
  memcpy(child_thread - below, storage.begin, below + TLS_ABOVE);
  memset(child_thread - (storage.end - storage.own), 0, storage.size);
  memcpy(child_thread - (storage.end - storage.own), storage.image, storage.image_size);
  memcpy(child_thread, &(void *){child_thread}, sizeof(void *));
  memcpy(child_thread + 2 * sizeof(void *), &(void *){child_thread}, sizeof(void *));
}

/* ---- The child ------------------------------------------------------------------------------- */

static volatile uint32_t child_number;
static volatile bool child_ended;

static void stop_here(void) { syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP); }

static int run_child(void *operation_of_child) {
  const operation *op = operation_of_child;
  child_number = walloc_thread_self();
  syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL);
  if (op->begin != NULL)
    op->begin();
  stop_here();
  op->run();
  child_ended = true;
  stop_here();
  syscall(SYS_exit_group, 0);
  return 0;
}

/* ---- The tester ------------------------------------------------------------------------------ */

static const operation *now;
static uint32_t now_after;

static void say(const char *problem) {
  fprintf(stderr, "%s, killed after %u instructions: %s\n", now->name, now_after, problem);
}

static void too_late(int signal) {
  (void)signal;
  static const char text[] = "nothing goes on: a lock is held\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  _exit(written < 0 ? 3 : 2);
}

/* Until the next stop. False, with a message: not a stop, or by another signal. */
static bool await_stop(pid_t child, int signal) {
  int status = 0;
  if (waitpid(child, &status, 0) == child && WIFSTOPPED(status) && WSTOPSIG(status) == signal)
    return true;
  say("the thread has ended in another way");
  return false;
}

/* Steps so many times at most, and kills: the number of steps, 0 when something has gone wrong. */
static uint32_t step_and_kill(uint32_t steps) {
  make_storage();
  child_ended = false;
  pid_t child = clone(run_child, stack + STACK_SIZE, CLONE_VM | CLONE_SETTLS | SIGCHLD,
                      (void *)(uintptr_t)now, NULL, child_thread);
  bool good = child > 0 && await_stop(child, SIGSTOP);
  uint32_t taken = 0;
  if (good && now->between != NULL)
    now->between();
  while (good && taken < steps && !child_ended) {
    good = ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 && await_stop(child, SIGTRAP);
    taken++;
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return good ? taken : 0;
}

/* Twice, as the second must find nothing left to do. */
static const char *recover(void) {
  for (int times = 0; times < 2; times++)
    if (walloc_thread_lost(child_number) != WALLOC_OK)
      return "recovery is refused";
  return NULL;
}

/* False: something was wrong, which has been said. *steps: as many as were taken. */
static bool try_one(uint32_t after, uint32_t *steps) {
  now_after = after;
  alarm(SECONDS_AT_MOST);
  kill_start();
  if (now->prepare != NULL)
    now->prepare();
  *steps = step_and_kill(after);
  if (*steps == 0)
    return false;
  const char *problem = recover();
  if (problem == NULL)
    problem = kill_check(now);
  if (problem == NULL)
    problem = kill_use_and_end();
  if (problem != NULL)
    say(problem);
  return problem == NULL;
}

static uint32_t distance_of(uint32_t length, bool all) {
  uint64_t steps = (uint64_t)length * length / 2;
  return all ? 1 : (uint32_t)(steps / STEPS_BY_DEFAULT) + 1;
}

/* The whole operation first, to know how long it is. */
static bool try_operation(const operation *op, bool all, uint32_t seed, uint64_t *kills) {
  uint32_t length, steps;
  now = op;
  if (!try_one(UINT32_MAX, &length))
    return false;
  uint32_t distance = distance_of(length, all), tried = 1;
  for (uint32_t after = 1 + seed % distance; after < length + distance; after += distance, tried++)
    if (!try_one(after < length ? after : length, &steps))
      return false;
  *kills += tried;
  printf("%-28s %6u instructions, killed at %u of them\n", op->name, length, tried);
  return true;
}

int main(int count, char **arguments) {
  const char *seed_given = getenv("WALLOC_SEED"), *prove = getenv("WALLOC_PROVE");
  bool finds_fault = count > 1 && strcmp(arguments[1], "--finds-fault") == 0;
  const char *only = count > 1 && !finds_fault ? arguments[1] : "";
  uint32_t seed =
      seed_given != NULL ? (uint32_t)strtoul(seed_given, NULL, 10) : (uint32_t)time(NULL);
  bool good = true;
  uint64_t kills = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("WALLOC_SEED=%u\n", seed);
  signal(SIGALRM, too_late);
  find_all_storage();
  for (size_t i = 0; i < kill_operation_count && good; i++)
    if (strstr(kill_operations[i].name, only) != NULL)
      good = try_operation(&kill_operations[i], prove != NULL && *prove == '1', seed, &kills);
  printf("%llu kills\n", (unsigned long long)kills);
  if (finds_fault)
    printf("the fault is %s\n", good ? "not found" : "found");
  return good == finds_fault;
}
