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

#if UINTPTR_MAX > UINT32_MAX
#define DIGITS "................"
#else
#define DIGITS "........"
#endif

/* By the kind's number: names would take more room than all the rest. */
static _Noreturn void abort_with(walloc_misuse_kind kind, const void *address) {
  char message[] = "walloc: misuse 0 of 0x" DIGITS "\n";
  uintptr_t left = (uintptr_t)address;
  message[15] = (char)('0' + kind);
  for (char *digit = message + sizeof message - 3; *digit == '.'; left /= 16)
    *digit-- = (char)(left % 16 + (left % 16 < 10 ? '0' : 'a' - 10));
  walloc_platform_abort(message);
}

void walloc_misuse_report(walloc_misuse_kind kind, void *address, size_t size, unsigned part) {
  walloc_misuse misuse = {kind, address, size, part};
  if (told == NULL)
    abort_with(kind, address);
  told(&misuse, told_user);
}
