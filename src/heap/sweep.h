/* Sweeping: a part gives those of its spans back to the page provider in which no block is in use.
 *
 * Nothing counts the blocks of a span while the program runs. A sweep counts those in the part's lists, and
 * where the count is the span's own, all of them are free. That costs a step for each free block of the part,
 * so it is done only when the heap has grown by an eighth of all it holds since the last time: its
 * cost is spread over that growth, and a heap that no longer grows is not swept. */
#ifndef WALLOC_HEAP_SWEEP_H
#define WALLOC_HEAP_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

struct heap_part;

/* Whether the heap has grown by an eighth of what it holds since the part was swept. */
bool walloc_sweep_is_due(const struct heap_part *part);

/* The part is due, whatever the heap has grown. */
void walloc_sweep_soon(struct heap_part *part);

/* Sweeps the calling thread's part: where it is not due, only the classes that are quick to sweep, as they
 * have few blocks. On request also the parts that no thread has, where it is due. `forced`: as if all were
 * due. True when any page was given back; false too while another thread sweeps. */
bool walloc_sweep(struct heap_part *own, bool idle_too, bool forced);

/* For recovery: the thread has died, and its parts still name it. Finishes its sweep. Under the page lock. */
void walloc_sweep_thread_lost(uint32_t thread);

#endif
