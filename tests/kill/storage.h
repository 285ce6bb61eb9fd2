/* Threads that are processes: children that share all memory, each with thread-local storage and a stack of its own,
 * so that one can be killed alone, at any instruction. Linux on x86-64. The tester starts them, one call at a time. */
#ifndef KILL_STORAGE_H
#define KILL_STORAGE_H

#include <sys/types.h>

enum { CHILDREN_MAX = 4 };

/* Once, before all others. */
void storage_find(void);

/* A child that runs on storage number n, whose last child is dead: its process number, negative when there is
 * none. What the C library has for each thread is a copy of the tester's; the rest is as in a new thread. */
pid_t storage_start(unsigned n, int (*run)(void *), void *argument);

/* A child on the storage and with the stack of number n as they are, that begins on another stack. */
pid_t storage_resume(unsigned n, int (*run)(void *), void *argument);

#endif
