/* Replays a trace: see replay.h, and record/README.md for the format.
 *
 * The table of live blocks is static, one for each thread, so that nothing here asks the malloc under
 * test for memory. A free slot is the next one to be used: allocations need not name their slots, and
 * what they touch of the table is warm. replay_open goes through the whole trace once and refuses what is
 * not in order, so that replay_run needs no checks: every slot that is named holds a block, and at the end
 * none does.
 *
 * A block holds at byte i the byte i % 8 of a pattern made of its slot, the number of the operation and
 * the thread; only both ends and the first byte of each further 4096 are written. The byte order is little
 * endian, as WebAssembly's is. */
#include "replay.h"
#include <stdlib.h>
#include <string.h>

enum { OP_MALLOC, OP_FREE, OP_REALLOC, OP_OTHER };  /* the lowest two bits of a code */
enum { OTHER_CALLOC, OTHER_ALIGNED, OTHER_THREAD }; /* the two above, of OP_OTHER */
enum { VERSION = 1, ALIGNMENT_BITS = 16, PAGE = 4096 };

static const uint32_t NONE = UINT32_MAX;
static const uint32_t SIZE_MOST = (1u << 28) - 1;

typedef struct {
  unsigned char *block; /* NULL in a free slot */
  uint32_t size;        /* in a free slot: the next free one, or NONE */
  uint32_t stamp;       /* the operation that wrote the pattern */
} slot;

typedef struct {
  _Alignas(128) slot slots[REPLAY_SLOTS];
  uint32_t free;  /* the slot that was freed last */
  uint32_t fresh; /* from here on none was used yet */
} table;

static table tables[REPLAY_THREADS];        /* each is its thread's own */
static const unsigned char *stream, *limit; /* of the operations; written by replay_open */
static uint64_t operations;

/* ---- The table ----------------------------------------------------------------------------- */

static inline void clear(table *t) {
  t->free = NONE;
  t->fresh = 0;
}

static inline uint32_t take_slot(table *t) {
  uint32_t index = t->free;
  if (index == NONE)
    return t->fresh++;
  t->free = t->slots[index].size;
  return index;
}

static inline void leave_slot(table *t, uint32_t index) {
  t->slots[index].block = NULL;
  t->slots[index].size = t->free;
  t->free = index;
}

/* The distance is written as 0, -1, 1, -2, ... */
static inline uint32_t move(uint32_t index, uint32_t distance) {
  return index + ((distance >> 1) ^ (0u - (distance & 1)));
}

/* ---- What blocks hold ---------------------------------------------------------------------- */

static inline uint64_t pattern_of(uint32_t index, uint32_t stamp, unsigned thread) {
  uint64_t x = ((uint64_t)stamp << 32 | index) + ((uint64_t)thread << 20);
  x *= 0x9E3779B97F4A7C15u;
  return x ^ x >> 29;
}

/* The pattern as it looks from byte at on. */
static inline uint64_t turned(uint64_t pattern, uint32_t at) {
  uint32_t bits = at % 8 * 8;
  return pattern >> bits | pattern << (64 - bits) % 64;
}

static inline void mark_short(unsigned char *block, uint32_t size, uint64_t pattern) {
  for (uint32_t i = 0; i < size; i++)
    block[i] = (unsigned char)(pattern >> 8 * i);
}

static inline void mark(unsigned char *block, uint32_t size, uint64_t pattern) {
  if (size < 8) {
    mark_short(block, size, pattern);
    return;
  }
  uint64_t tail = turned(pattern, size);
  memcpy(block, &pattern, 8);
  memcpy(block + size - 8, &tail, 8);
  for (uint32_t at = PAGE; at < size; at += PAGE)
    block[at] = (unsigned char)pattern;
}

static inline void check_short(const unsigned char *block, uint32_t size, uint64_t pattern) {
  for (uint32_t i = 0; i < size; i++) {
    if (block[i] != (unsigned char)(pattern >> 8 * i))
      abort();
  }
}

/* Both ends. A pattern of zero is what calloc's blocks hold. */
static inline void check(const unsigned char *block, uint32_t size, uint64_t pattern) {
  if (size < 8) {
    check_short(block, size, pattern);
    return;
  }
  uint64_t first, last;
  memcpy(&first, block, 8);
  memcpy(&last, block + size - 8, 8);
  if (first != pattern || last != turned(pattern, size))
    abort();
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* Seven bits in each byte, the lowest first; the highest bit tells that another follows. */
static inline uint32_t varint(const unsigned char **at) {
  const unsigned char *next = *at;
  uint32_t value = *next++;
  if (value >= 128) {
    value &= 127;
    uint32_t byte;
    for (unsigned shift = 7;; shift += 7) {
      byte = *next++;
      value |= (byte & 127) << shift;
      if (byte < 128)
        break;
    }
  }
  *at = next;
  return value;
}

/* The same, where what follows is not yet known to be in order. 0 when it is not. */
static int read_checked(const unsigned char **at, const unsigned char *end, uint32_t *value) {
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

/* In the check of a trace a slot's stamp tells whether it is in use; block stays NULL. */
static int check_taken(table *t, uint32_t *last, uint32_t size) {
  if (size > SIZE_MOST || (t->free == NONE && t->fresh == REPLAY_SLOTS))
    return 0;
  *last = take_slot(t);
  t->slots[*last].stamp = 1;
  return 1;
}

static int check_other(table *t, uint32_t *last, uint32_t code, const unsigned char **at) {
  uint32_t value = code >> 4, size;
  switch (code >> 2 & 3) {
  case OTHER_CALLOC:
    return check_taken(t, last, value);
  case OTHER_ALIGNED:
    return value <= ALIGNMENT_BITS && read_checked(at, limit, &size) && check_taken(t, last, size);
  default:
    return (code >> 2 & 3) == OTHER_THREAD;
  }
}

static int check_operation(table *t, uint32_t *last, const unsigned char **at) {
  uint32_t code, size;
  if (!read_checked(at, limit, &code))
    return 0;
  if ((code & 3) == OP_MALLOC)
    return check_taken(t, last, code >> 2);
  if ((code & 3) == OP_OTHER)
    return check_other(t, last, code, at);
  *last = move(*last, code >> 2);
  if (*last >= t->fresh || t->slots[*last].stamp == 0)
    return 0;
  if ((code & 3) == OP_REALLOC)
    return read_checked(at, limit, &size) && size > 0 && size <= SIZE_MOST;
  t->slots[*last].stamp = 0;
  leave_slot(t, *last);
  return 1;
}

/* 0 when an operation is not in order, or blocks are left at the end. Counts the operations. */
static int check_operations(void) {
  table *t = &tables[0];
  uint32_t last = 0;
  clear(t);
  for (const unsigned char *at = stream; at < limit;) {
    operations += (*at & 15) != (OTHER_THREAD << 2 | OP_OTHER);
    if (!check_operation(t, &last, &at))
      return 0;
  }
  for (uint32_t i = 0; i < t->fresh; i++) {
    if (t->slots[i].stamp != 0)
      return 0;
  }
  return 1;
}

int replay_open(const unsigned char *bytes, size_t length) {
  const unsigned char *at = bytes, *end = bytes + length;
  uint32_t name, count, slots, peak, threads, left;
  operations = 0;
  stream = limit = NULL;
  if (length < 7 || memcmp(bytes, "WTRACE", 6) != 0 || bytes[6] != VERSION)
    return -1;
  at += 7;
  if (!read_checked(&at, end, &name) || name > (size_t)(end - at))
    return -1;
  at += name;
  if (!read_checked(&at, end, &count) || !read_checked(&at, end, &slots) ||
      !read_checked(&at, end, &peak) || !read_checked(&at, end, &threads) ||
      !read_checked(&at, end, &left))
    return -1;
  if (slots > REPLAY_SLOTS || left != (size_t)(end - at))
    return -1;
  stream = at;
  limit = end;
  if (check_operations() && operations == count)
    return 0;
  stream = limit = NULL;
  operations = 0;
  return -1;
}

uint64_t replay_operations(void) { return operations; }

/* ---- Replaying ----------------------------------------------------------------------------- */

typedef struct {
  table *table;
  uint64_t sum;
  unsigned thread;
  uint32_t last; /* the slot of the operation before */
} run;

/* Puts a block that was just allocated into a slot. 0 when there is none: for no bytes that is right. */
static inline int enter(run *r, uint32_t stamp, unsigned char *block, uint32_t size) {
  if (block == NULL && size != 0)
    return 0;
  uint32_t index = take_slot(r->table);
  slot *s = &r->table->slots[index];
  s->block = block;
  s->size = size;
  s->stamp = stamp;
  mark(block, size, pattern_of(index, stamp, r->thread));
  r->last = index;
  return 1;
}

static inline void give_back(run *r) {
  slot *s = &r->table->slots[r->last];
  uint64_t pattern = pattern_of(r->last, s->stamp, r->thread);
  check(s->block, s->size, pattern);
  r->sum += pattern ^ s->size;
  free(s->block);
  leave_slot(r->table, r->last);
}

static inline int resize(run *r, uint32_t stamp, uint32_t size) {
  slot *s = &r->table->slots[r->last];
  uint64_t pattern = pattern_of(r->last, s->stamp, r->thread);
  check(s->block, s->size, pattern);
  unsigned char *block = realloc(s->block, size);
  if (block == NULL)
    return 0;
  if (size >= s->size)
    check(block, s->size, pattern);
  else
    check(block, size < 8 ? size : 8, pattern);
  r->sum += pattern ^ s->size;
  s->block = block;
  s->size = size;
  s->stamp = stamp;
  mark(block, size, pattern_of(r->last, stamp, r->thread));
  return 1;
}

static int other(run *r, uint32_t stamp, uint32_t code, const unsigned char **at) {
  uint32_t value = code >> 4;
  if ((code >> 2 & 3) == OTHER_CALLOC) {
    unsigned char *block = calloc(1, value), *seen = block;
    __asm__ volatile("" : "+r"(seen)); /* else compilers know that it holds zeros */
    if (seen != NULL)
      check(seen, value, 0);
    return enter(r, stamp, block, value);
  }
  uint32_t size = varint(at), most = (1u << value) - 1;
  unsigned char *block = aligned_alloc(most + 1, (size + most) & ~most);
  if (((uintptr_t)block & most) != 0)
    abort();
  return enter(r, stamp, block, size);
}

/* Frees what an unfinished run has left. */
static void free_all(table *t) {
  for (uint32_t i = 0; i < t->fresh; i++) {
    free(t->slots[i].block);
    t->slots[i].block = NULL;
  }
}

uint64_t replay_run(unsigned thread, uint64_t *checksum) {
  if (thread >= REPLAY_THREADS)
    return 0;
  run r = {.table = &tables[thread], .thread = thread};
  uint32_t done = 0;
  int enough = 1;
  clear(r.table);
  for (const unsigned char *at = stream; at < limit && enough;) {
    uint32_t code = varint(&at), value = code >> 2;
    switch (code & 3) {
    case OP_MALLOC:
      enough = enter(&r, done, malloc(value), value);
      break;
    case OP_FREE:
      r.last = move(r.last, value);
      give_back(&r);
      break;
    case OP_REALLOC:
      r.last = move(r.last, value);
      enough = resize(&r, done, varint(&at));
      break;
    default:
      if ((value & 3) == OTHER_THREAD)
        continue;
      enough = other(&r, done, code, &at);
    }
    done += (uint32_t)enough;
  }
  if (!enough)
    free_all(r.table);
  *checksum += r.sum;
  return done;
}
