/* See storage.h. */
#include "kill/storage.h"

#include <asm/prctl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TLS_BELOW = 16384, TLS_ABOVE = 2304, STACK_SIZE = 262144 };

static _Alignas(64) unsigned char tls[CHILDREN_MAX][TLS_BELOW + TLS_ABOVE];
static _Alignas(64) unsigned char stacks[CHILDREN_MAX][STACK_SIZE];

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

void storage_find(void) {
  syscall(SYS_arch_prctl, ARCH_GET_FS, &storage.end);
  storage.begin = storage.end;
  dl_iterate_phdr(find_storage, NULL);
  if (storage.end - storage.begin > TLS_BELOW)
    abort();
}

/* The C library's is copied, this program's as it is in a new thread. The first and third word of what lies above
 * point to themselves. */
static void make_storage(unsigned char *child_thread) {
  size_t below = (size_t)(storage.end - storage.begin);
  memcpy(child_thread - below, storage.begin, below + TLS_ABOVE);
  memset(child_thread - (storage.end - storage.own), 0, storage.size);
  memcpy(child_thread - (storage.end - storage.own), storage.image, storage.image_size);
  memcpy(child_thread, &(void *){child_thread}, sizeof(void *));
  memcpy(child_thread + 2 * sizeof(void *), &(void *){child_thread}, sizeof(void *));
}

static pid_t start(unsigned n, unsigned char *stack, int (*run)(void *), void *argument) {
  return clone(run, stack + STACK_SIZE, CLONE_VM | CLONE_SETTLS | SIGCHLD, argument, NULL,
               tls[n] + TLS_BELOW);
}

pid_t storage_start(unsigned n, int (*run)(void *), void *argument) {
  make_storage(tls[n] + TLS_BELOW);
  return start(n, stacks[n], run, argument);
}

pid_t storage_resume(unsigned n, int (*run)(void *), void *argument) {
  static _Alignas(64) unsigned char stack[STACK_SIZE];
  return start(n, stack, run, argument);
}
