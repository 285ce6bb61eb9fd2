/* See misuse.h. The default message is put together here, as printf is larger than the heap. */
#include "heap/misuse.h"

#include "platform/platform.h"

/* Written by walloc_heap_on_misuse, alone. */
static walloc_misuse_function *told;
static void *told_user;

void walloc_heap_on_misuse(walloc_misuse_function *function, void *user) {
  told = function;
  told_user = user;
}

/* By the kind's number: names would take more room than all the rest. */
static _Noreturn void abort_with(walloc_misuse_kind kind, const void *address) {
  char message[] = "walloc: misuse 0 of 0x................\n";
  uint64_t left = (uintptr_t)address;
  message[15] = (char)('0' + kind);
  for (int i = 37; i > 21; left /= 16)
    message[i--] = "0123456789abcdef"[left % 16];
  walloc_platform_abort(message);
}

void walloc_misuse_report(walloc_misuse_kind kind, void *address, size_t size, unsigned part) {
  walloc_misuse misuse = {kind, address, size, part};
  if (told == NULL)
    abort_with(kind, address);
  told(&misuse, told_user);
}
