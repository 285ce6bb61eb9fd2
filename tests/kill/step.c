/* See step.h. The processor traps after each instruction; the handler counts, and stops its process where it should. */
#include "kill/step.h"
#include "kill/storage.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define TRAP_FLAG 0x100 /* of the processor: a trap after each instruction */

#define STORAGE 0u /* the child's */

enum { ADDRESSES_MAX = 1 << 15 };

/* A table by open addressing: how often the child has come to each address. It alone writes it. */
static struct {
  uintptr_t address;
  uint32_t passes;
} addresses[ADDRESSES_MAX];

static _Alignas(64) unsigned char signal_stack[65536];

/* Written by the tester before the child starts, by the child until it ends. */
static struct {
  const operation *op;
  step_chooser *chooses;
  volatile uint32_t thread, taken;
  ucontext_t *volatile context; /* where it is stopped: on its signal stack */
} child;

volatile pid_t step_child;

static uint32_t pass(uintptr_t address) {
  uint32_t i = (uint32_t)(address * 2654435761u) % ADDRESSES_MAX;
  for (uint32_t tries = 0; addresses[i].address != address; tries++) {
    if (addresses[i].address == 0)
      addresses[i].address = address;
    else if (tries == ADDRESSES_MAX)
      abort();
    else
      i = (i + 1) % ADDRESSES_MAX;
  }
  return ++addresses[i].passes;
}

/* Until the tester lets it go on. */
static void stop(void) { syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP); }

/* The C library reads the clock in code of the kernel's, which begins anew when a tick has come meanwhile: whoever is
 * stopped after each of its instructions would never leave it. It writes nothing that is shared. */
static bool is_in_kernels_code(uintptr_t address) {
  enum { SIZE = 2 * 4096 };
  return address - getauxval(AT_SYSINFO_EHDR) < SIZE;
}

static void trapped(int signal, siginfo_t *unused, void *context) {
  (void)signal;
  (void)unused;
  child.context = context;
  child.taken++;
  uintptr_t address = (uintptr_t)child.context->uc_mcontext.gregs[REG_RIP];
  if (!is_in_kernels_code(address) && child.chooses(child.taken, pass(address)))
    stop();
}

#define CHANGE_TRAP_FLAG(how, operand)                              \
  __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\t" how       \
                   " %0, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp" \
                   :                                                \
                   : "i"(operand)                                   \
                   : "memory", "cc")

static int run_child(void *unused) {
  stack_t other = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_ONSTACK | SA_SIGINFO};
  (void)unused;
  child.thread = walloc_thread_self();
  if (child.op->begin != NULL)
    child.op->begin();
  sigaltstack(&other, NULL);
  sigaction(SIGTRAP, &action, NULL);
  stop();
  CHANGE_TRAP_FLAG("orq", TRAP_FLAG);
  child.op->run();
  CHANGE_TRAP_FLAG("andq", ~TRAP_FLAG);
  _exit(0);
}

static step_state wait_for_child(void) {
  int status = 0;
  if (waitpid(step_child, &status, WUNTRACED) != step_child)
    return STEP_BROKEN;
  if (WIFSTOPPED(status))
    return STEP_STOPPED;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? STEP_ENDED : STEP_BROKEN;
}

bool step_start(const operation *op, step_chooser *chooses) {
  memset(addresses, 0, sizeof addresses);
  child.op = op;
  child.chooses = chooses;
  child.taken = 0;
  step_child = storage_start(STORAGE, run_child, NULL);
  return step_child > 0 && wait_for_child() == STEP_STOPPED;
}

step_state step_on(void) {
  kill(step_child, SIGCONT);
  return wait_for_child();
}

/* The handler's return, by the kernel, which finds the registers behind the stack pointer. */
static int resume(void *context) {
  __asm__ volatile("mov %0, %%rsp\n\tsyscall" : : "r"(context), "a"(SYS_rt_sigreturn) : "memory");
  return 0;
}

bool step_finish_copy(void) {
  child.context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
  step_child = storage_resume(STORAGE, resume, child.context);
  return step_child > 0 && wait_for_child() == STEP_ENDED;
}

void step_kill(void) {
  if (step_child <= 0)
    return;
  kill(step_child, SIGKILL);
  waitpid(step_child, NULL, 0);
}

uint32_t step_thread(void) { return child.thread; }
uint32_t step_taken(void) { return child.taken; }
