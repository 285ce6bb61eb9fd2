/* The heap under a fuzzer: the input is a program of operations on a model, which finds what is wrong.
 *
 *     input    | settings : 8 | operation : 8 | its numbers ... | operation : 8 | ...
 *
 * Linked with libFuzzer (the preset `fuzz`), or with replay.c, which runs the inputs that were stored. */
#include "heap/model.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOM ((size_t)64 << 20)
#define LITTLE_ROOM ((size_t)6 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of the input; behind its end there are zeros. */
typedef struct input {
  const uint8_t *next, *end;
} input;

static uint32_t read_byte(input *in) { return in->next == in->end ? 0 : *in->next++; }

static uint32_t read_word(input *in) {
  uint32_t low = read_byte(in);
  return low | read_byte(in) << 8;
}

/* From 0 to 16 MiB: three bits tell how large a step is, thirteen how many. */
static size_t read_size(input *in) {
  static const uint8_t shifts[8] = {0, 0, 0, 2, 3, 4, 7, 11};
  uint32_t word = read_word(in);
  return (size_t)(word & 0x1FFF) << shifts[word >> 13];
}

static const char *allocate(heap_model *model, input *in, uint32_t kind) {
  if (!model_has_room(model))
    return NULL;
  if (kind < 4)
    return model_malloc(model, read_size(in));
  if (kind < 6) {
    size_t count = read_byte(in);
    return model_calloc(model, count, read_size(in));
  }
  size_t alignment = (size_t)1 << read_byte(in) % 22;
  return model_aligned_alloc(model, alignment, read_size(in));
}

static bool ignore(const walloc_heap_range *range, void *unused) {
  (void)range;
  (void)unused;
  return false;
}

/* Where there is no memory left for a walk, blocks make room for it. */
static const char *compare(heap_model *model) {
  const char *problem = NULL;
  while (problem == NULL && model->count != 0 &&
         walloc_heap_walk(ignore, NULL) == WALLOC_ERROR_OUT_OF_MEMORY)
    problem = model_free(model, 0);
  return problem != NULL ? problem : model_compare(model);
}

static const char *operate(heap_model *model, input *in) {
  uint32_t operation = read_byte(in) % 16;
  if (operation < 8 || model->count == 0)
    return allocate(model, in, operation);
  size_t block = read_word(in) % model->count;
  if (operation < 11)
    return model_realloc(model, block, read_size(in));
  return operation == 15 ? compare(model) : model_free(model, block);
}

/* What stays for ever comes first, so that it lies in nobody's way. Then all memory there may be is obtained,
 * so that every input finds the same; and most of it is in use if little is wanted. */
static void begin(heap_model *model, uint32_t settings) {
  walloc_config config = {.maximum = ROOM, .reserve = 1, .share = {1, 1, 1}};
  if (walloc_init(&config) != WALLOC_OK || walloc_shutdown() != WALLOC_OK ||
      walloc_heap_set_strategy((walloc_strategy)(settings & 3)) != WALLOC_OK)
    abort();
  model_begin(model, 1);
  walloc_free(walloc_malloc(1));
  void *all = walloc_malloc(ROOM - LITTLE_ROOM / 2);
  walloc_free(all);
  if (all == NULL || ((settings & 4) != 0 && model_malloc(model, ROOM - LITTLE_ROOM) != NULL))
    abort();
  model->may_fail = true;
}

/* The heap is empty before and after. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {data, data + size};
  heap_model model;
  const char *problem = NULL;
  begin(&model, read_byte(&in));
  while (in.next != in.end && problem == NULL)
    problem = operate(&model, &in);
  if (problem == NULL)
    problem = compare(&model);
  if (problem == NULL && (size & 1) != 0)
    problem = model_free_all(&model);
  if (problem != NULL) {
    fprintf(stderr, "%s\n", problem);
    abort();
  }
  model_end(&model);
  if (walloc_heap_reset() != WALLOC_OK)
    abort();
  return 0;
}
