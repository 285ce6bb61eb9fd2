/* The reference model of the heap: a table of the blocks that are live, each with a pattern in its bytes.
 *
 * Every operation does the same to the heap and to the table and checks what the header promises about
 * it. A function that returns a text has found something wrong; NULL: all is as it should be.
 *
 * A model belongs to one thread at a time. Only model_compare needs to be alone. */
#ifndef HEAP_MODEL_H
#define HEAP_MODEL_H

#include "walloc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_BLOCKS_MAX ((size_t)4096)

typedef struct heap_block {
  unsigned char *address;
  size_t asked;
  size_t usable; /* all of it has the pattern */
  uint32_t seed; /* of the pattern */
} heap_block;

typedef struct heap_model {
  heap_block *blocks; /* in no order */
  size_t count;
  size_t bytes;      /* usable, of all blocks */
  bool may_fail;     /* an allocation may run out of memory; else that is a fault */
  unsigned failures; /* how often one did */
  uint32_t next_seed;
} heap_model;

void model_begin(heap_model *model, uint32_t seed);
void model_end(heap_model *model);

/* There is room in the table for at least one more block. */
static inline bool model_has_room(const heap_model *model) {
  return model->count < MODEL_BLOCKS_MAX;
}

/* ---- Operations: a new block is the last of the table --------------------------------------- */

const char *model_malloc(heap_model *model, size_t size);
const char *model_calloc(heap_model *model, size_t count, size_t size);
const char *model_aligned_alloc(heap_model *model, size_t alignment, size_t size);

/* Of block number `i`. With size 0 the block is gone. */
const char *model_realloc(heap_model *model, size_t i, size_t size);
const char *model_free(heap_model *model, size_t i);
const char *model_free_all(heap_model *model);

/* Takes a block out of the table, for another model, which puts it in; the heap is not asked. */
heap_block model_take_out(heap_model *model, size_t i);
void model_put_in(heap_model *model, heap_block block);

/* ---- Checks --------------------------------------------------------------------------------- */

/* The block's bytes and its usable size are what they were. */
const char *model_check_block(const heap_block *block);

/* Writes a pattern over all usable bytes; also for blocks outside of any model. */
void model_fill(heap_block *block);

/* The walk shows exactly these blocks; census and statistics agree with the walk. Sorts the blocks. */
const char *model_compare_blocks(heap_block *blocks, size_t count);
const char *model_compare(heap_model *model);

#endif
