/* Random programs: each step does one operation on a model, chosen by a random number. The same seed makes
 * the same program, as far as one thread can tell.
 *
 * WALLOC_SEED repeats a run, WALLOC_ROUNDS multiplies its length. */
#ifndef HEAP_PROGRAM_H
#define HEAP_PROGRAM_H

#include "heap/model.h"

/* The seed of this run, which is printed once. */
uint32_t program_seed(void);

/* WALLOC_ROUNDS, or 1. */
unsigned program_rounds(void);

uint32_t random_below(uint32_t *state, uint32_t limit);

/* From 0 bytes to some megabytes; small ones far more often. */
size_t random_size(uint32_t *state);

/* One operation. From `bytes_max` on, or with a full table, the program frees half of its blocks. Returns what
 * the model has found wrong; NULL: nothing. */
const char *program_step(heap_model *model, uint32_t *random, size_t bytes_max);

#endif
