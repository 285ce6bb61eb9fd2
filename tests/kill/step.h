/* A thread that is stopped after chosen instructions: a child that runs an operation, one instruction at a time. Linux
 * on x86-64. For the tester, one child at a time. */
#ifndef KILL_STEP_H
#define KILL_STEP_H

#include "kill/kill.h"

#include <sys/types.h>

/* Whether to stop, when so many instructions have been carried out, and the one that comes next has come so often. Runs
 * in the child, on its signal stack. */
typedef bool step_chooser(uint32_t taken, uint32_t passes);

typedef enum step_state { STEP_STOPPED, STEP_ENDED, STEP_BROKEN } step_state;

/* The last child: its process, for a signal handler of the tester. */
extern volatile pid_t step_child;

/* A child begins, and stops before the operation runs. False: there is none. */
bool step_start(const operation *op, step_chooser *chooses);

/* On to the next place that is chosen, where the instruction before has taken effect and the next has not begun, or
 * to the end of the operation. */
step_state step_on(void);

/* In a fork of the tester, which has a copy of a child's memory and registers, but no child: one goes on from there to
 * the end of the operation. False: it has ended in another way. */
bool step_finish_copy(void);

/* The child is killed, where it is. */
void step_kill(void);

/* Of the last child: its number for walloc_thread_lost, and how many instructions it has carried out. */
uint32_t step_thread(void);
uint32_t step_taken(void);

#endif
