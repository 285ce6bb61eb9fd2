/* See misuse.h. The message has no numbers in it: a printf would be larger than the heap. Who wants to
 * know which block it was has a callback told. */
#include "heap/misuse.h"

#include "platform/platform.h"

/* Written by walloc_heap_on_misuse, alone. */
static walloc_misuse_function *told;
static void *told_user;

void walloc_heap_on_misuse(walloc_misuse_function *function, void *user) {
  told = function;
  told_user = user;
}

void walloc_misuse_report(walloc_misuse_kind kind, void *address, size_t size, unsigned part) {
  walloc_misuse misuse = {kind, address, size, part};
  if (told == NULL)
    walloc_platform_abort("walloc: heap misuse\n");
  told(&misuse, told_user);
}
