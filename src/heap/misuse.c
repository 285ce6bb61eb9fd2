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

/* Appends text, and returns where it ends. */
static char *append(char *to, const char *text) {
  while (*text != 0)
    *to++ = *text++;
  return to;
}

static char *append_address(char *to, uintptr_t address) {
  for (int bits = (int)sizeof address * 8 - 4; bits >= 0; bits -= 4)
    *to++ = "0123456789abcdef"[address >> bits & 15];
  return to;
}

static _Noreturn void abort_with(walloc_misuse_kind kind, const void *address) {
  static const char kinds[][12] = {"foreign", "interior", "double free", "overrun", "corruption"};
  char message[64], *end = append(message, "walloc: ");
  end = append(append(end, kinds[kind - 1]), ": 0x");
  end = append(append_address(end, (uintptr_t)address), "\n");
  *end = 0;
  walloc_platform_abort(message);
}

void walloc_misuse_report(walloc_misuse_kind kind, void *address, size_t size, unsigned part) {
  walloc_misuse misuse = {kind, address, size, part};
  if (told == NULL)
    abort_with(kind, address);
  told(&misuse, told_user);
}
