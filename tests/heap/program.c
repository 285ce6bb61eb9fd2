/* See program.h. */
#include "heap/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint32_t number_from(const char *name, uint32_t otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

uint32_t program_seed(void) {
  static uint32_t seed;
  if (seed == 0) {
    seed = number_from("WALLOC_SEED", (uint32_t)time(NULL) | 1);
    printf("WALLOC_SEED=%u\n", seed);
    fflush(stdout);
  }
  return seed;
}

unsigned program_rounds(void) { return number_from("WALLOC_ROUNDS", 1); }

uint32_t random_below(uint32_t *state, uint32_t limit) {
  *state = *state * 1664525u + 1013904223u;
  return (uint32_t)((uint64_t)*state * limit >> 32);
}

size_t random_size(uint32_t *state) {
  uint32_t kind = random_below(state, 100);
  if (kind < 60)
    return random_below(state, 1u << random_below(state, 11));
  if (kind < 88)
    return random_below(state, 40000);
  if (kind < 98)
    return 30000 + random_below(state, 500000);
  return (1 << 20) + random_below(state, 10 << 20);
}

static size_t random_block(const heap_model *model, uint32_t *random) {
  return random_below(random, (uint32_t)model->count);
}

static const char *allocate(heap_model *model, uint32_t *random, uint32_t kind) {
  size_t size = random_size(random);
  if (kind < 70)
    return model_malloc(model, size);
  if (kind < 85)
    return model_calloc(model, 1 + random_below(random, 4), size / 4);
  return model_aligned_alloc(model, (size_t)1 << random_below(random, 18), size);
}

static const char *free_half(heap_model *model, uint32_t *random) {
  const char *problem = NULL;
  for (size_t left = model->count / 2; model->count > left && problem == NULL;)
    problem = model_free(model, random_block(model, random));
  return problem;
}

const char *program_step(heap_model *model, uint32_t *random, size_t bytes_max) {
  uint32_t kind = random_below(random, 100);
  if (!model_has_room(model) || model->bytes > bytes_max)
    return free_half(model, random);
  if (model->count == 0 || kind < 50)
    return allocate(model, random, random_below(random, 100));
  if (kind < 70)
    return model_realloc(model, random_block(model, random), random_size(random));
  return model_free(model, random_block(model, random));
}
