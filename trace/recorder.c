/* The recorder: follows which blocks are alive, and writes the operations. See recorder.h.
 *
 * A block is found by its address in a table with open addressing, whose entries are numbers of blocks; those
 * alive are in a list besides, the oldest first. In the trace a block has a slot: the one that was left last is
 * the next to be taken. All static variables here are written under the lock, unless they say otherwise. */
#include "recorder.h"
#include <stdatomic.h>
#include <string.h>

enum { OP_MALLOC = 0, OP_FREE = 1, OP_REALLOC = 2, OP_CALLOC = 3, OP_ALIGNED = 7, OP_THREAD = 11 };
enum { NUMBER_BYTES = 5, OPERATION_BYTES = 3 * NUMBER_BYTES, VERSION = 1 };
enum { ROOM_FIRST = 1 << 12, ALIGNMENT_BITS = 16, SPINS_MOST = 1 << 28 };

static const uint32_t NONE = UINT32_MAX;
static const size_t HEAD_NUMBERS_BYTES = 5 * (size_t)NUMBER_BYTES;
static const size_t SIZE_MOST = ((size_t)1 << 28) - 1; /* larger blocks are left out */

typedef struct block {
  uintptr_t address;
  uint32_t size;
  uint32_t slot;         /* in the trace; NONE while nothing is written */
  uint32_t older, newer; /* neighbours in the list; of a free block, newer is the next free one */
  uint16_t thread;
  uint8_t kind, bits;
} block;

static block *blocks;    /* room of them */
static uint32_t *table;  /* 2 * room: number + 1 of the block, or 0 */
static uint32_t *vacant; /* room: the slots that were left, the last on top */
static uint32_t room, fresh, free_block;
static uint32_t vacant_count, slots;
static uint32_t oldest, newest;

static size_t length, head; /* of all that is written, and of what is before the stream */
static uint32_t last_slot;
static uint16_t last_thread;
static uint64_t operations, calls, skip_calls, operations_most;
static uint64_t alive_bytes, peak_bytes;
static bool is_writing;

/* Read by all, before the lock. Release by who has prepared the above, acquire by who then uses it. */
static _Atomic bool is_on;
static atomic_flag lock = ATOMIC_FLAG_INIT; /* acquire to take it, release to leave it */
static _Atomic uint16_t threads;            /* relaxed: only a number for each */
static _Thread_local uint16_t own_thread;   /* number + 1 */

/* ---- The lock ------------------------------------------------------------------------------ */

static bool enter(void) {
  if (!atomic_load_explicit(&is_on, memory_order_acquire))
    return false;
  for (uint32_t spins = 0; atomic_flag_test_and_set_explicit(&lock, memory_order_acquire); spins++)
    if (spins == SPINS_MOST) {
      atomic_store_explicit(&is_on, false, memory_order_relaxed);
      return false;
    }
  if (atomic_load_explicit(&is_on, memory_order_relaxed))
    return true;
  atomic_flag_clear_explicit(&lock, memory_order_release); /* it has ended meanwhile */
  return false;
}

static void leave(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

static void end(void) { atomic_store_explicit(&is_on, false, memory_order_relaxed); }

static uint16_t thread_number(void) {
  if (own_thread == 0)
    own_thread = (uint16_t)(atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) + 1);
  return (uint16_t)(own_thread - 1);
}

/* ---- The table of blocks ------------------------------------------------------------------- */

static uint32_t home_of(uintptr_t address) {
  return (uint32_t)(((uint64_t)address >> 3) * 0x9E3779B97F4A7C15u >> 32) & (2 * room - 1);
}

static uint32_t next_place(uint32_t place) { return (place + 1) & (2 * room - 1); }

/* Where the address is, or would be. */
static uint32_t place_of(uintptr_t address) {
  uint32_t place = home_of(address);
  while (table[place] != 0 && blocks[table[place] - 1].address != address)
    place = next_place(place);
  return place;
}

static void enter_table(uint32_t number) { table[place_of(blocks[number].address)] = number + 1; }

/* Those behind move up, where they may: no gap between an entry and its home. */
static void leave_table(uint32_t number) {
  uint32_t gap = place_of(blocks[number].address);
  for (uint32_t at = next_place(gap); table[at] != 0; at = next_place(at)) {
    uint32_t home = home_of(blocks[table[at] - 1].address);
    if (((at - home) & (2 * room - 1)) < ((at - gap) & (2 * room - 1)))
      continue;
    table[gap] = table[at];
    gap = at;
  }
  table[gap] = 0;
}

static bool grow(void) {
  uint32_t before = room, wanted = before == 0 ? ROOM_FIRST : 2 * before;
  block *more_blocks = sink_obtain(wanted * sizeof *blocks);
  uint32_t *more_table = sink_obtain(2 * (size_t)wanted * sizeof *table);
  uint32_t *more_vacant = sink_obtain(wanted * sizeof *vacant);
  if (more_blocks == NULL || more_table == NULL || more_vacant == NULL)
    return false;
  if (before != 0) {
    memcpy(more_blocks, blocks, before * sizeof *blocks);
    memcpy(more_vacant, vacant, before * sizeof *vacant);
    sink_return(blocks, before * sizeof *blocks);
    sink_return(table, 2 * (size_t)before * sizeof *table);
    sink_return(vacant, before * sizeof *vacant);
  }
  blocks = more_blocks;
  table = more_table;
  vacant = more_vacant;
  room = wanted;
  for (uint32_t i = oldest; i != NONE; i = blocks[i].newer)
    if (blocks[i].address != 0) /* else a realloc has it */
      enter_table(i);
  return true;
}

/* ---- The blocks that are alive ------------------------------------------------------------- */

static void append(uint32_t number) {
  blocks[number].older = newest;
  blocks[number].newer = NONE;
  *(newest == NONE ? &oldest : &blocks[newest].newer) = number;
  newest = number;
}

static void take_out(uint32_t number) {
  block *b = &blocks[number];
  *(b->older == NONE ? &oldest : &blocks[b->older].newer) = b->newer;
  *(b->newer == NONE ? &newest : &blocks[b->newer].older) = b->older;
}

/* The number of a block at an address, or NONE. */
static uint32_t known(const void *address) {
  uint32_t entry = table[place_of((uintptr_t)address)];
  return entry == 0 ? NONE : entry - 1;
}

static uint32_t new_block(void) {
  if (free_block != NONE) {
    uint32_t number = free_block;
    free_block = blocks[number].newer;
    return number;
  }
  return fresh < room || grow() ? fresh++ : NONE;
}

static void free_number(uint32_t number) {
  blocks[number].newer = free_block;
  free_block = number;
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* Seven bits in each byte, the lowest first; the highest bit tells that another follows. With `width` bytes, if
 * need be with zeros on top. */
static unsigned char *put(unsigned char *at, uint64_t value, unsigned width) {
  for (; value > 127 || width > 1; value >>= 7, width -= width > 0)
    *at++ = (unsigned char)(value & 127) | 128;
  *at++ = (unsigned char)value;
  return at;
}

/* Without the byte that ends it. */
static unsigned char *put_text(unsigned char *at, const char *text) {
  for (; *text != 0; text++)
    *at++ = (unsigned char)*text;
  return at;
}

/* The distance from the slot before, as 0, -1, 1, -2, ... */
static uint64_t distance(uint32_t slot) {
  int64_t away = (int64_t)slot - last_slot;
  return away < 0 ? (uint64_t)(-2 * away - 1) : (uint64_t)(2 * away);
}

/* An operation of up to two numbers, the second if it has one, on a slot, by a thread. */
static void write_operation(uint16_t thread, uint32_t slot, uint64_t code, const size_t *more) {
  unsigned char *bytes = sink_room(length, OPERATION_BYTES);
  if (bytes == NULL) {
    end();
    return;
  }
  unsigned char *at = bytes + length;
  if (thread != last_thread)
    at = put(at, (uint64_t)thread * 16 + OP_THREAD, 0);
  at = put(at, code, 0);
  if (more != NULL)
    at = put(at, *more, 0);
  length = (size_t)(at - bytes);
  last_thread = thread;
  last_slot = slot;
  operations++;
}

static void write_taken(block *b) {
  static const unsigned char code_of[] = {OP_MALLOC, OP_CALLOC, OP_ALIGNED};
  size_t size = b->size;
  b->slot = vacant_count > 0 ? vacant[--vacant_count] : slots++;
  if (b->kind == TRACE_MALLOC)
    write_operation(b->thread, b->slot, (uint64_t)size * 4 + OP_MALLOC, NULL);
  else if (b->kind == TRACE_CALLOC)
    write_operation(b->thread, b->slot, (uint64_t)size * 16 + code_of[b->kind], NULL);
  else
    write_operation(b->thread, b->slot, (uint64_t)b->bits * 16 + code_of[b->kind], &size);
  alive_bytes += size;
  peak_bytes = alive_bytes > peak_bytes ? alive_bytes : peak_bytes;
}

static void write_freed(const block *b, uint16_t thread) {
  write_operation(thread, b->slot, distance(b->slot) * 4 + OP_FREE, NULL);
  vacant[vacant_count++] = b->slot;
  alive_bytes -= b->size;
}

static void write_head(unsigned char *at, const uint64_t numbers[5]) {
  for (unsigned i = 0; i < 5; i++)
    at = put(at, numbers[i] < UINT32_MAX ? numbers[i] : UINT32_MAX, NUMBER_BYTES);
}

/* All that is left is freed by thread 0, the oldest first. */
static void complete(void) {
  if (!is_writing)
    for (uint32_t i = oldest; i != NONE; i = blocks[i].newer)
      write_taken(&blocks[i]);
  for (uint32_t i = oldest; i != NONE; i = blocks[i].newer)
    write_freed(&blocks[i], last_thread);
  unsigned char *bytes = sink_room(length, 0);
  if (bytes == NULL)
    return;
  uint32_t most = atomic_load_explicit(&threads, memory_order_relaxed);
  write_head(bytes + head - HEAD_NUMBERS_BYTES,
             (const uint64_t[]){operations, slots, peak_bytes, most, length - head});
  sink_close(length);
}

static void finish(void) {
  complete();
  end();
}

/* A call has been told: where the part begins that is written, and where it ends. */
static void count_call(void) {
  calls++;
  if (!is_writing && calls > skip_calls) {
    is_writing = true;
    for (uint32_t i = oldest; i != NONE; i = blocks[i].newer)
      write_taken(&blocks[i]);
  }
  if (operations_most != 0 && operations >= operations_most)
    finish();
}

/* ---- Beginning and ending ------------------------------------------------------------------ */

bool trace_begin(const char *name, uint64_t skip, uint64_t count) {
  size_t name_length = strlen(name);
  oldest = newest = free_block = NONE;
  unsigned char *bytes =
      sink_room(0, 2 * (size_t)NUMBER_BYTES + HEAD_NUMBERS_BYTES + name_length + 6);
  if (bytes == NULL || !grow())
    return false;
  unsigned char *at = bytes;
  at = put_text(at, "WTRACE");
  at = put(at, VERSION, 0);
  at = put(at, name_length, 0);
  at = put_text(at, name);
  write_head(at, (const uint64_t[5]){0}); /* not finished */
  head = length = (size_t)(at - bytes) + HEAD_NUMBERS_BYTES;
  skip_calls = skip;
  operations_most = count;
  is_writing = skip == 0;
  atomic_store_explicit(&is_on, true, memory_order_release);
  return true;
}

void trace_finish(void) {
  if (!enter())
    return;
  finish();
  leave();
}

void trace_abandon(void) { end(); }

/* ---- Calls --------------------------------------------------------------------------------- */

static unsigned bits_of(size_t alignment) {
  unsigned bits = 0;
  while (bits < ALIGNMENT_BITS + 1 && (size_t)1 << bits < alignment)
    bits++;
  return bits;
}

static void take(trace_kind kind, uintptr_t address, size_t size, unsigned bits) {
  uint32_t number = new_block();
  if (number == NONE) {
    end();
    return;
  }
  blocks[number] = (block){.address = address,
                           .size = (uint32_t)size,
                           .slot = NONE,
                           .thread = thread_number(),
                           .kind = (uint8_t)kind,
                           .bits = (uint8_t)bits};
  append(number);
  enter_table(number);
  if (is_writing)
    write_taken(&blocks[number]);
}

void trace_took(trace_kind kind, const void *address, size_t size, size_t alignment) {
  unsigned bits = bits_of(alignment);
  if (address == NULL || size > SIZE_MOST || bits > ALIGNMENT_BITS || !enter())
    return;
  take(kind, (uintptr_t)address, size, bits);
  count_call();
  leave();
}

void trace_gives(const void *address) {
  if (address == NULL || !enter())
    return;
  uint32_t number = known(address);
  if (number != NONE) {
    leave_table(number);
    take_out(number);
    if (is_writing)
      write_freed(&blocks[number], thread_number());
    free_number(number);
  }
  count_call();
  leave();
}

trace_move trace_leaves(const void *address) {
  trace_move move = {NONE, false};
  if (!enter())
    return move;
  move.block = known(address);
  move.is_known = move.block != NONE;
  if (move.is_known) {
    leave_table(move.block);
    blocks[move.block].address = 0; /* it stays in the list, and keeps its age */
  }
  leave();
  return move;
}

/* A block whose new size cannot be in a trace goes out of it. */
static void resize(block *b, size_t size) {
  alive_bytes += is_writing ? size - b->size : 0;
  peak_bytes = alive_bytes > peak_bytes ? alive_bytes : peak_bytes;
  b->size = (uint32_t)size;
  if (is_writing)
    write_operation(thread_number(), b->slot, distance(b->slot) * 4 + OP_REALLOC, &size);
}

void trace_arrives(trace_move move, const void *address, const void *before, size_t size) {
  if (!enter())
    return;
  if (move.is_known) {
    blocks[move.block].address = (uintptr_t)(address != NULL ? address : before);
    enter_table(move.block);
    if (address != NULL && size <= SIZE_MOST)
      resize(&blocks[move.block], size);
  } else if (address != NULL && size <= SIZE_MOST) {
    take(TRACE_MALLOC, (uintptr_t)address, size, 0);
  }
  count_call();
  leave();
}
