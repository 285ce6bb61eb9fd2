/* Replays a trace: see replay.h, and docs/trace.md for the format.
 *
 * replay_open goes through the trace once, refuses what is not in order, and writes down what is to be done
 * as an array of steps. So replay_run needs no checks, and what it costs beside the malloc under test is small:
 * every slot that is named holds a block, and at the end none does. The table of live blocks is static, one for
 * each thread, so that nothing here asks that malloc for memory.
 *
 * A block holds in its first bytes a pattern made of the number of the operation and the thread, in its last
 * byte the lowest byte of the same; and the first byte of each further 4096 is written. */
#include "replay.h"
#include <stdlib.h>
#include <string.h>

enum { OP_MALLOC, OP_FREE, OP_REALLOC, OP_OTHER };  /* the lowest two bits of a code */
enum { OTHER_CALLOC, OTHER_ALIGNED, OTHER_THREAD }; /* the two above, of OP_OTHER */
enum { VERSION = 1, ALIGNMENT_BITS = 16, PAGE = 4096 };

static const uint32_t NONE = UINT32_MAX;
static const uint32_t SIZE_MOST = (1u << 28) - 1;

enum { DO_MALLOC, DO_FREE, DO_REALLOC, DO_CALLOC, DO_ALIGNED };

typedef struct {
  uint32_t slot_and_kind; /* | alignment's logarithm : 5 | kind : 3 | slot : 24 | */
  uint32_t size;
} step;

typedef struct {
  unsigned char *block; /* NULL in a free slot */
  uint32_t size;        /* while the trace is read, in a free slot: the next free one, or NONE */
  uint32_t stamp;       /* the operation that wrote the pattern */
} slot;

typedef struct {
  _Alignas(128) slot slots[REPLAY_SLOTS];
  uint32_t free;  /* while the trace is read: the slot that was freed last */
  uint32_t fresh; /* from here on none was used yet */
} table;

static table tables[REPLAY_THREADS];  /* each is its thread's own */
static step steps[REPLAY_OPERATIONS]; /* written by replay_open */
static uint32_t operations;

/* ---- The table, while the trace is read ----------------------------------------------------- */

static void clear(table *t) {
  t->free = NONE;
  t->fresh = 0;
}

static uint32_t take_slot(table *t) {
  uint32_t index = t->free;
  if (index == NONE)
    return t->fresh++;
  t->free = t->slots[index].size;
  return index;
}

static void leave_slot(table *t, uint32_t index) {
  t->slots[index].size = t->free;
  t->free = index;
}

/* The distance is written as 0, -1, 1, -2, ... */
static uint32_t move(uint32_t index, uint32_t distance) {
  return index + ((distance >> 1) ^ (0u - (distance & 1)));
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* Seven bits in each byte, the lowest first; the highest bit tells that another follows. 0: not in order. */
static int read_number(const unsigned char **at, const unsigned char *end, uint32_t *value) {
  uint64_t sum = 0;
  for (unsigned shift = 0; shift < 35 && *at < end; shift += 7) {
    unsigned char byte = *(*at)++;
    sum |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) {
      *value = (uint32_t)sum;
      return sum <= UINT32_MAX;
    }
  }
  return 0;
}

/* ---- Opening ------------------------------------------------------------------------------- */

/* A trace that is being read. In its table a slot's stamp tells whether it is in use. */
typedef struct {
  const unsigned char *at, *end;
  table *table;
  uint32_t last; /* the slot of the operation before */
} reader;

static int note(unsigned kind, unsigned bits, uint32_t index, uint32_t size) {
  if (operations == REPLAY_OPERATIONS)
    return 0;
  steps[operations++] = (step){(uint32_t)bits << 27 | (uint32_t)kind << 24 | index, size};
  return 1;
}

static int read_taken(reader *r, unsigned kind, unsigned bits, uint32_t size) {
  table *t = r->table;
  if (size > SIZE_MOST || (t->free == NONE && t->fresh == REPLAY_SLOTS))
    return 0;
  r->last = take_slot(t);
  t->slots[r->last].stamp = 1;
  return note(kind, bits, r->last, size);
}

static int read_other(reader *r, uint32_t code) {
  uint32_t value = code >> 4, size;
  switch (code >> 2 & 3) {
  case OTHER_CALLOC:
    return read_taken(r, DO_CALLOC, 0, value);
  case OTHER_ALIGNED:
    return value <= ALIGNMENT_BITS && read_number(&r->at, r->end, &size) &&
           read_taken(r, DO_ALIGNED, value, size);
  default:
    return (code >> 2 & 3) == OTHER_THREAD;
  }
}

static int read_operation(reader *r) {
  uint32_t code, size;
  if (!read_number(&r->at, r->end, &code))
    return 0;
  if ((code & 3) == OP_MALLOC)
    return read_taken(r, DO_MALLOC, 0, code >> 2);
  if ((code & 3) == OP_OTHER)
    return read_other(r, code);
  r->last = move(r->last, code >> 2);
  if (r->last >= r->table->fresh || r->table->slots[r->last].stamp == 0)
    return 0;
  if ((code & 3) == OP_REALLOC)
    return read_number(&r->at, r->end, &size) && size > 0 && size <= SIZE_MOST &&
           note(DO_REALLOC, 0, r->last, size);
  r->table->slots[r->last].stamp = 0;
  leave_slot(r->table, r->last);
  return note(DO_FREE, 0, r->last, 0);
}

/* 0 when an operation is not in order. */
static int read_operations(reader *r) {
  clear(r->table);
  while (r->at < r->end)
    if (!read_operation(r))
      return 0;
  return 1;
}

static int is_left(const reader *r, uint32_t index) { return r->table->slots[index].stamp != 0; }

/* 0 when blocks are left at the end. */
static int read_whole(reader *r) {
  if (!read_operations(r))
    return 0;
  for (uint32_t i = 0; i < r->table->fresh; i++)
    if (is_left(r, i))
      return 0;
  return 1;
}

/* What a process has left that was killed: up to the first operation that is not whole. What is alive there is
 * freed. */
static int read_unfinished(reader *r) {
  (void)read_operations(r);
  for (uint32_t i = 0; i < r->table->fresh; i++)
    if (is_left(r, i) && !note(DO_FREE, 0, i, 0))
      return 0;
  return operations > 0;
}

/* What is written before the stream. */
static int read_head(reader *r, uint32_t *count) {
  uint32_t name, slots, peak, threads, left;
  if (r->end - r->at < 7 || memcmp(r->at, "WTRACE", 6) != 0 || r->at[6] != VERSION)
    return 0;
  r->at += 7;
  if (!read_number(&r->at, r->end, &name) || name > (size_t)(r->end - r->at))
    return 0;
  r->at += name;
  if (!read_number(&r->at, r->end, count) || !read_number(&r->at, r->end, &slots) ||
      !read_number(&r->at, r->end, &peak) || !read_number(&r->at, r->end, &threads) ||
      !read_number(&r->at, r->end, &left) || slots > REPLAY_SLOTS)
    return 0;
  return *count == 0 || left == (size_t)(r->end - r->at);
}

int replay_open(const unsigned char *bytes, size_t length) {
  reader r = {bytes, bytes + length, &tables[0], 0};
  uint32_t count;
  operations = 0;
  if (read_head(&r, &count) &&
      (count == 0 ? read_unfinished(&r) : read_whole(&r) && operations == count)) {
    memset(&tables[0], 0, sizeof tables[0]);
    return 0;
  }
  operations = 0;
  return -1;
}

uint64_t replay_operations(void) { return operations; }

/* ---- What blocks hold ---------------------------------------------------------------------- */

static inline uint64_t pattern_of(uint32_t stamp, unsigned thread) {
  return ((uint64_t)stamp << 4 | thread) * 0x9E3779B97F4A7C15u;
}

static void mark_short(unsigned char *block, uint32_t size, uint64_t pattern) {
  for (uint32_t i = 0; i < size; i++)
    block[i] = (unsigned char)(pattern >> 8 * i);
}

static inline void mark(unsigned char *block, uint32_t size, uint64_t pattern) {
  if (size <= 8) {
    mark_short(block, size, pattern);
    return;
  }
  memcpy(block, &pattern, 8);
  block[size - 1] = (unsigned char)pattern;
  for (uint32_t at = PAGE; at < size - 1; at += PAGE)
    block[at] = 0;
}

static void check_short(const unsigned char *block, uint32_t size, uint64_t pattern) {
  for (uint32_t i = 0; i < size; i++)
    if (block[i] != (unsigned char)(pattern >> 8 * i))
      abort();
}

/* Both ends. A pattern of zero is what calloc's blocks hold. */
static inline void check(const unsigned char *block, uint32_t size, uint64_t pattern) {
  uint64_t first;
  if (size <= 8) {
    check_short(block, size, pattern);
    return;
  }
  memcpy(&first, block, 8);
  if (first != pattern || block[size - 1] != (unsigned char)pattern)
    abort();
}

/* ---- Replaying ----------------------------------------------------------------------------- */

/* 0 when there is no block: for no bytes that is right. */
static inline int enter(slot *s, unsigned char *block, uint32_t size, uint32_t stamp,
                        unsigned thread) {
  if (block == NULL && size != 0)
    return 0;
  *s = (slot){block, size, stamp};
  mark(block, size, pattern_of(stamp, thread));
  return 1;
}

static int resize(slot *s, uint32_t size, uint32_t stamp, unsigned thread) {
  uint64_t pattern = pattern_of(s->stamp, thread);
  check(s->block, s->size, pattern);
  unsigned char *block = realloc(s->block, size);
  if (block == NULL)
    return 0;
  check_short(block, size < s->size ? size < 8 ? size : 8 : s->size < 8 ? s->size : 8, pattern);
  return enter(s, block, size, stamp, thread);
}

static unsigned char *take_zeros(uint32_t size) {
  unsigned char *block = calloc(1, size), *seen = block;
  __asm__ volatile("" : "+r"(seen)); /* else compilers know that it holds zeros */
  if (seen != NULL)
    check(seen, size, 0);
  return block;
}

static unsigned char *take_aligned(uint32_t size, uint32_t bits) {
  uint32_t most = (1u << bits) - 1;
  unsigned char *block = aligned_alloc(most + 1, (size + most) & ~most);
  if (((uintptr_t)block & most) != 0)
    abort();
  return block;
}

static int do_step(slot *slots, uint32_t number, unsigned thread, uint64_t *sum) {
  step now = steps[number];
  slot *s = &slots[now.slot_and_kind & 0xFFFFFF];
  switch (now.slot_and_kind >> 24 & 7) {
  case DO_MALLOC:
    return enter(s, malloc(now.size), now.size, number, thread);
  case DO_FREE:
    check(s->block, s->size, pattern_of(s->stamp, thread));
    *sum += (uint64_t)s->stamp * 31 + s->size;
    free(s->block);
    s->block = NULL;
    return 1;
  case DO_REALLOC:
    return resize(s, now.size, number, thread);
  case DO_CALLOC:
    return enter(s, take_zeros(now.size), now.size, number, thread);
  default:
    return enter(s, take_aligned(now.size, now.slot_and_kind >> 27), now.size, number, thread);
  }
}

/* Frees what an unfinished run has left. */
static void free_all(table *t) {
  for (uint32_t i = 0; i < REPLAY_SLOTS; i++) {
    free(t->slots[i].block);
    t->slots[i].block = NULL;
  }
}

uint64_t replay_run(unsigned thread, uint64_t *checksum) {
  if (thread >= REPLAY_THREADS)
    return 0;
  uint64_t sum = thread;
  uint32_t done = 0;
  while (done < operations && do_step(tables[thread].slots, done, thread, &sum))
    done++;
  if (done < operations)
    free_all(&tables[thread]);
  *checksum += sum;
  return done;
}
