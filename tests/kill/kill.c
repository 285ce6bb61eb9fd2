/* Steps, kills, recovers: see kill.h.
 *
 *     kill                     every operation; long ones at places that a printed seed chooses (WALLOC_SEED)
 *     WALLOC_PROVE=1 kill      after every instruction
 *     kill --finds-fault NAME  of a library with a fault in it, after every instruction: 0 if the fault is found
 *     kill NAME                only the operations whose name contains it */
#include "kill/kill.h"

#include <asm/prctl.h>
#include <link.h>
#include <sched.h>
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

/* Of each operation, unless everything is to be proven. */
#define KILLS_BY_DEFAULT 24u

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

/* ---- Where to kill --------------------------------------------------------------------------- */

/* Single steps cost some 50 us each on a virtual machine. So an operation is stepped once, to know at which address
 * it is after each of its instructions. To kill it after the n-th, a breakpoint is put at the address where it is
 * then, and passed as often as it was passed before. */

#define TRAP_FLAG 0x100 /* of the processor: a trap after each instruction */
#define BREAKPOINT 0xCC

enum { INSTRUCTIONS_MAX = 1 << 20 };

#define NOWHERE UINT32_MAX /* the thread is not killed, nor recorded */

static uintptr_t addresses[INSTRUCTIONS_MAX]; /* after the first instruction, the second, ... */
static uint32_t length;

static _Alignas(64) unsigned char signal_stack[65536];

/* Written by the tester before the child starts, and by the child. */
static struct {
  bool records;
  unsigned char *at;
  unsigned char instead;
  uint32_t passes; /* left */
  bool steps_over;
} place_to_die;

static volatile uint32_t child_number;
static volatile bool child_ended;

static void record(uintptr_t address) {
  if (length == INSTRUCTIONS_MAX)
    abort();
  addresses[length++] = address;
}

/* Not the C library's call, in which the breakpoint may be. */
static void end_process(void) {
  __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0) : "rcx", "r11", "memory");
}

/* On a stack of its own. At the place to die the process is no more: the instruction before has taken effect, that
 * one has not begun. */
static void trapped(int signal, siginfo_t *unused, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)signal;
  (void)unused;
  if (place_to_die.records) {
    record((uintptr_t)registers[REG_RIP]);
  } else if (place_to_die.steps_over) {
    place_to_die.steps_over = false;
    *place_to_die.at = BREAKPOINT;
    registers[REG_EFL] &= ~TRAP_FLAG;
  } else if (--place_to_die.passes == 0) {
    end_process();
  } else {
    place_to_die.steps_over = true;
    *place_to_die.at = place_to_die.instead;
    registers[REG_RIP]--;
    registers[REG_EFL] |= TRAP_FLAG;
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
  place_to_die.at = n == 0 || n == NOWHERE ? NULL : (unsigned char *)addresses[n - 1];
  place_to_die.passes = 0;
  place_to_die.steps_over = false;
  place_to_die.records = n == 0;
  if (n == 0)
    length = 0;
  if (place_to_die.at == NULL)
    return;
  for (uint32_t i = 0; i < n; i++)
    place_to_die.passes += addresses[i] == addresses[n - 1];
  uintptr_t page = addresses[n - 1] & ~(uintptr_t)4095;
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
  syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP);
  if (place_to_die.at != NULL)
    *place_to_die.at = BREAKPOINT;
}

static int run_child(void *operation_of_child) {
  const operation *op = operation_of_child;
  bool records = place_to_die.records;
  child_number = walloc_thread_self();
  if (op->begin != NULL)
    op->begin();
  begin_operation();
  if (records)
    change_trap_flag();
  op->run();
  if (records)
    change_trap_flag();
  child_ended = true;
  take_breakpoint_away();
  end_process();
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

/* False when it has ended in a way that it should not. */
static bool run_and_kill(uint32_t n) {
  int status = 0;
  make_storage();
  choose_place(n);
  child_ended = false;
  pid_t child = clone(run_child, stack + STACK_SIZE, CLONE_VM | CLONE_SETTLS | SIGCHLD,
                      (void *)(uintptr_t)now, NULL, child_thread);
  bool good = child > 0 && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status);
  if (good && now->between != NULL)
    now->between();
  kill(child, SIGCONT);
  good = waitpid(child, &status, 0) == child && WIFEXITED(status) && good;
  take_breakpoint_away();
  return good;
}

/* Twice, as the second must find nothing left to do. */
static const char *recover(void) {
  for (int times = 0; times < 2; times++)
    if (walloc_thread_lost(child_number) != WALLOC_OK)
      return "recovery is refused";
  return NULL;
}

/* False: something was wrong, which has been said. After 0 instructions: the operation is recorded, and ends. */
static bool try_one(uint32_t after) {
  now_after = after;
  alarm(SECONDS_AT_MOST);
  kill_start();
  if (now->prepare != NULL)
    now->prepare();
  const char *problem = run_and_kill(after) ? NULL : "the thread has ended in another way";
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

typedef struct totals {
  unsigned kills, ended; /* ended: the thread came to the end of its operation before */
} totals;

/* Recorded the second time, as the first of its kind may obtain memory. */
static bool try_operation(const operation *op, bool all, uint32_t seed, totals *sum) {
  now = op;
  if (!try_one(NOWHERE) || !try_one(0))
    return false;
  uint32_t distance = all ? 1 : length / KILLS_BY_DEFAULT + 1, tried = 0, ended = 0;
  for (uint32_t after = 1 + seed % distance; after <= length; after += distance, tried++) {
    if (!try_one(after))
      return false;
    ended += child_ended;
  }
  sum->kills += tried - ended;
  sum->ended += ended;
  printf("%-28s %6u instructions, killed after %u of them\n", op->name, length, tried - ended);
  return true;
}

int main(int count, char **arguments) {
  const char *seed_given = getenv("WALLOC_SEED"), *prove = getenv("WALLOC_PROVE");
  bool finds_fault = count > 1 && strcmp(arguments[1], "--finds-fault") == 0;
  bool all = finds_fault || (prove != NULL && *prove == '1');
  const char *only = count > 1 ? arguments[count - 1] : "";
  uint32_t seed =
      seed_given != NULL ? (uint32_t)strtoul(seed_given, NULL, 10) : (uint32_t)time(NULL);
  bool good = true;
  totals sum = {0, 0};
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("WALLOC_SEED=%u\n", seed);
  signal(SIGALRM, too_late);
  find_all_storage();
  for (size_t i = 0; i < kill_operation_count && good; i++)
    if (strstr(kill_operations[i].name, only) != NULL)
      good = try_operation(&kill_operations[i], all, seed, &sum);
  printf("%u kills; %u times the operation ended before\n", sum.kills, sum.ended);
  if (finds_fault)
    printf("the fault is %s\n", good ? "not found" : "found");
  return good == finds_fault;
}
