/* Vectors that grow by realloc as things are appended to them, and are thrown away when they are as long as
 * they happen to become: 64 at a time, of up to 256 KiB, each half as large again when it is full. */
#include "workload.h"

#include <string.h>

enum { VECTORS = 64, APPENDS = 9600000, PIECE = 64, FIRST = 128 };

typedef struct vector {
  unsigned char *bytes;
  uint32_t length, room, end; /* end: where it is thrown away */
} vector;

static void grow(vector *v, result *sum) {
  v->room = v->room == 0 ? FIRST : v->room + v->room / 2;
  v->bytes = realloc(v->bytes, v->room);
  if (v->bytes == NULL)
    abort();
  sum->operations++;
}

static void drop(vector *v, result *sum) {
  if (v->length != 0)
    sum->checksum += v->bytes[0] + v->bytes[v->length / 2] + v->length;
  free(v->bytes);
  sum->operations++;
  *v = (vector){NULL, 0, 0, 0};
}

static void append(vector *v, uint32_t *random, result *sum) {
  if (v->bytes == NULL)
    v->end = random_size(random, 8, 18);
  if (v->length + PIECE > v->room)
    grow(v, sum);
  /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): grow aborts without bytes */
  memset(v->bytes + v->length, (int)(v->length / PIECE), PIECE);
  v->length += PIECE;
  if (v->length >= v->end)
    drop(v, sum);
}

static result run(unsigned thread, unsigned threads) {
  static vector all[THREADS_MAX][VECTORS]; /* each its thread's own */
  uint32_t random = random_seed(thread);
  result sum = {0, 0};
  for (uint32_t i = 0; i < APPENDS / threads; i++)
    append(&all[thread][random_below(&random, VECTORS)], &random, &sum);
  for (int i = 0; i < VECTORS; i++)
    drop(&all[thread][i], &sum);
  return sum;
}

const workload vectors = {"vector", NULL, run, NULL};
