/* Every interleaving of two or three threads in the arena's protocols: walloc's own code, see explore.h.
 *
 *     scenarios             all scenarios; then, that each fault of the protocol is found
 *     scenarios NUMBER      with that fault of the protocol (explore.h): fails when it is found
 *
 * What must hold after every step of every interleaving, in the words of DESIGN.md's promises:
 *
 *   - blocks that are valid do not overlap, and lie in pages of their arena: nothing is handed out
 *     twice, nobody uses a chunk that was given up;
 *   - a block's generation is not older than the one in which its allocation began, and its address is
 *     of a chunk that the arena had in that generation;
 *   - what a mark or walloc_preserve was called after lies before it; recycling never throws that away;
 *   - a reference is answered as it was right at some moment of the question;
 *   - nobody but who takes a block back loses one by that;
 *   - nobody waits for ever; the offset stays within the bound of its overshoot.
 *
 * Whether a block is valid is computed here from the moves of the cursor alone, not from the arena's
 * history: each block is valid until a generation begins at a place before its end. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

#include "arena/room.h"
#include "pages/pages.h"

enum { CALLS_MAX = 4, BLOCKS_MAX = 16, MOVES_MAX = 12, TABLE = 3 };

/* ---- Scenarios ------------------------------------------------------------------------------ */

typedef enum call_kind {
  END,
  ALLOC,         /* by lane, addition or growth; size */
  ALLOC_ALIGNED, /* by compare-and-swap; size, aligned to 4096 */
  ALLOC_OTHER,   /* from the second arena */
  RESET,
  COMPACT, /* to size bytes */
  MARK,
  REWIND, /* to the thread's own mark, else to that of the preparation */
  PRESERVE,
  TRIM,
  RESERVE,   /* size */
  TAKE_BACK, /* the thread's own last block */
  CHECK      /* the reference of the preparation's block number `size` */
} call_kind;

typedef struct call {
  call_kind kind;
  size_t size;
} call;

typedef struct scenario {
  const char *name;
  bool larger; /* only where all is to be proven */
  walloc_arena_config config;
  call before[CALLS_MAX]; /* the preparation, by one thread */
  call program[EXPLORE_THREADS_MAX][CALLS_MAX];
} scenario;

#define NO_LANE .config = {.lane = WALLOC_NO_LANE}
#define SMALL_LANE .config = {.lane = 4096}

#define WITH_RESERVE .config = {.lane = WALLOC_NO_LANE, .reserve = 65536}
#define RECYCLING \
  .config = {.lane = WALLOC_NO_LANE, .hard_budget = 65536, .recycle = WALLOC_RECYCLE_TO_MARK}

/* Small ones first: those with a fault end at the first that finds it. */
static const scenario scenarios[] = {
    {"a reference is checked during two compacts", NO_LANE,
     .before = {{ALLOC, 64}, {MARK, 0}, {ALLOC, 64}},
     .program = {{{CHECK, 0}}, {{COMPACT, 128}, {COMPACT, 64}, {COMPACT, 64}}}},
    {"a stale reference is checked during two compacts", NO_LANE,
     .before = {{ALLOC, 64}, {ALLOC, 64}, {COMPACT, 64}},
     .program = {{{CHECK, 1}}, {{COMPACT, 64}, {COMPACT, 0}}}},
    {"a reference is checked during resets and compacts", NO_LANE,
     .before = {{ALLOC, 64}, {MARK, 0}},
     .program = {{{CHECK, 0}, {CHECK, 0}}, {{COMPACT, 64}, {RESET, 0}}, {{MARK, 0}, {COMPACT, 0}}}},
    {"a lane meets a reset", SMALL_LANE, .before = {{ALLOC, 64}},
     .program = {{{ALLOC, 64}, {ALLOC, 64}, {ALLOC, 64}}, {{RESET, 0}, {ALLOC, 64}}}},
    {"a lane meets a mark and a rewind", SMALL_LANE, .before = {{ALLOC, 64}},
     .program = {{{ALLOC, 64}, {ALLOC, 64}}, {{MARK, 0}, {ALLOC, 64}, {REWIND, 0}, {ALLOC, 64}}}},
    {"two lanes meet a compact", SMALL_LANE, .before = {{ALLOC, 64}, {ALLOC, 64}},
     .program = {{{ALLOC, 64}, {ALLOC, 64}}, {{ALLOC, 64}}, {{COMPACT, 64}}}},
    {"an addition, a compare-and-swap and a compact", NO_LANE, .before = {{ALLOC, 64}},
     .program = {{{ALLOC, 64}}, {{ALLOC_ALIGNED, 64}}, {{COMPACT, 64}, {ALLOC, 64}}}},
    {"three additions to the last room, and growth", NO_LANE, .before = {{ALLOC, 65536 - 128}},
     .program = {{{ALLOC, 128}}, {{ALLOC, 64}}, {{ALLOC, 64}}}},
    {"a chunk is given up and entered", NO_LANE, .before = {{ALLOC, 65000}, {RESERVE, 65536}},
     .program = {{{ALLOC, 1024}, {ALLOC, 64}}, {{TRIM, 0}, {ALLOC_OTHER, 65536}}}},
    {"a chunk is given up and entered by two", NO_LANE,
     .before = {{ALLOC, 65000}, {RESERVE, 65536}},
     .program = {{{ALLOC, 1024}}, {{TRIM, 0}, {ALLOC_OTHER, 65536}}, {{ALLOC_ALIGNED, 1024}}}},
    {"a chunk is replaced behind an addition", WITH_RESERVE,
     .before = {{ALLOC, 65536}, {ALLOC, 64}},
     .program = {{{ALLOC, 64}}, {{RESET, 0}, {TRIM, 0}, {ALLOC_OTHER, 65536}, {ALLOC, 70000}}}},
    {"a chunk in use is asked for during a mark", NO_LANE, .before = {{ALLOC, 64}},
     .program = {{{MARK, 0}, {ALLOC, 64}}, {{TRIM, 0}}, {{ALLOC, 64}}}},
    {"a chunk in use is asked for during compact and rewind", NO_LANE,
     .before = {{ALLOC, 64}, {MARK, 0}, {ALLOC, 64}},
     .program = {{{COMPACT, 64}, {ALLOC, 64}}, {{TRIM, 0}}, {{REWIND, 0}, {ALLOC, 64}}}},
    {"a chunk is given up and fetched again during a mark", NO_LANE,
     .before = {{ALLOC, 65000}, {RESERVE, 65536}},
     .program = {{{MARK, 0}}, {{TRIM, 0}, {RESERVE, 65536}}, {{ALLOC, 1024}}}},
    {"a place is preserved while another recycles", RECYCLING,
     .before = {{ALLOC, 64}, {PRESERVE, 0}, {ALLOC, 1024}},
     .program = {{{ALLOC, 64}, {PRESERVE, 0}, {ALLOC, 64}}, {{ALLOC, 64800}}}},
    {"a place is preserved while the chunk is asked for", RECYCLING, .before = {{ALLOC, 64}},
     .program = {{{PRESERVE, 0}, {ALLOC, 65536}}, {{TRIM, 0}}}},
    {"a place is preserved while another compacts", RECYCLING, .before = {{ALLOC, 64}, {ALLOC, 64}},
     .program = {{{ALLOC, 64}, {PRESERVE, 0}}, {{COMPACT, 64}, {ALLOC, 65536 - 128}}}},
    {"two recycle at once", RECYCLING, .before = {{ALLOC, 64}, {PRESERVE, 0}, {ALLOC, 1024}},
     .program = {{{ALLOC, 65000}}, {{ALLOC, 65000}}}},
    {"additions meet two resets", NO_LANE, .before = {{ALLOC, 64}},
     .program = {{{ALLOC, 64}, {ALLOC, 64}}, {{RESET, 0}, {ALLOC, 64}}, {{RESET, 0}}}},
    {"a block is taken back while others allocate and mark", NO_LANE, .before = {{ALLOC, 64}},
     .program = {{{ALLOC, 64}, {TAKE_BACK, 0}}, {{ALLOC, 64}, {TAKE_BACK, 0}}, {{MARK, 0}}}},
    {"two blocks are taken back, and a third thread rewinds", .larger = true, NO_LANE,
     .before = {{ALLOC, 64}},
     .program = {{{ALLOC, 64}, {TAKE_BACK, 0}, {ALLOC, 64}},
                 {{ALLOC, 64}, {TAKE_BACK, 0}},
                 {{MARK, 0}, {REWIND, 0}}}},
    {"a block is taken back while others compact and preserve", NO_LANE, .before = {{ALLOC, 64}},
     .program = {{{ALLOC_ALIGNED, 64}, {TAKE_BACK, 0}},
                 {{COMPACT, 64}, {ALLOC, 64}},
                 {{PRESERVE, 0}, {RESET, 0}}}},
    {"two grow at once, a third resets", NO_LANE, .before = {{ALLOC, 65536}},
     .program = {{{ALLOC, 64}}, {{ALLOC, 65536}}, {{RESET, 0}, {ALLOC, 64}}}},
    {"a chunk is replaced behind an addition, a third helps", WITH_RESERVE,
     .before = {{ALLOC, 65536}, {ALLOC, 64}},
     .program = {{{ALLOC, 64}}, {{RESET, 0}, {TRIM, 0}, {ALLOC, 70000}}, {{ALLOC_OTHER, 65536}}}},
    {"three grow at once", .larger = true, NO_LANE, .before = {{ALLOC, 65536}},
     .program = {{{ALLOC, 65536}}, {{ALLOC, 65536}, {ALLOC, 64}}, {{ALLOC, 65536}}}},
    {"lanes meet a mark, a rewind and a reset", .larger = true, SMALL_LANE, .before = {{ALLOC, 64}},
     .program = {{{ALLOC, 64}, {ALLOC, 64}, {ALLOC, 64}},
                 {{MARK, 0}, {ALLOC, 64}, {REWIND, 0}, {ALLOC, 64}},
                 {{RESET, 0}, {ALLOC, 64}}}},
    {"additions and a compare-and-swap meet a mark and two compacts", .larger = true, NO_LANE,
     .before = {{ALLOC, 64}, {ALLOC, 64}},
     .program = {{{ALLOC, 64}, {ALLOC_ALIGNED, 64}},
                 {{MARK, 0}, {COMPACT, 128}, {ALLOC, 64}},
                 {{COMPACT, 64}, {ALLOC, 64}}}},
    {"two check references while a third compacts and rewinds", .larger = true, NO_LANE,
     .before = {{ALLOC, 64}, {MARK, 0}, {ALLOC, 64}},
     .program = {{{CHECK, 0}, {CHECK, 1}},
                 {{CHECK, 1}, {ALLOC, 64}, {CHECK, 0}},
                 {{COMPACT, 128}, {REWIND, 0}, {COMPACT, 64}}}},
    {"two recycle at once, a third preserves", .larger = true, RECYCLING,
     .before = {{ALLOC, 64}, {PRESERVE, 0}, {ALLOC, 1024}},
     .program = {{{ALLOC, 65000}}, {{ALLOC, 65000}}, {{ALLOC, 64}, {PRESERVE, 0}}}},
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---- What the checks remember --------------------------------------------------------------- */

typedef struct handed_out {
  walloc_ref ref;
  bool is_protected; /* walloc_preserve has been called after it */
} handed_out;

typedef struct move {
  uint32_t generation; /* that began */
  place least;         /* where: what ends behind it is gone */
  uint32_t ended;      /* the generation before */
  chunk table[TABLE];  /* the first entries of the chunk table when it ended */
} move;

/* Of each thread: its current call. */
typedef struct caller {
  call_kind kind;
  uint32_t generation;  /* when it began */
  size_t blocks_before; /* bit i: block i had been handed out when it began */
  size_t checked;       /* CHECK: which block */
  unsigned answers;     /* CHECK: bit 0: stale was right at some moment; bit 1: valid was */
  walloc_mark mark;
  size_t last; /* TAKE_BACK: the block that it handed out last */
} caller;

typedef struct observed {
  handed_out blocks[BLOCKS_MAX];
  size_t block_count;
  move moves[MOVES_MAX];
  size_t move_count;
  caller callers[EXPLORE_THREADS_MAX];
} observed;

static const scenario *current;
static walloc_arena *arena, *other;
static observed now;

static uint32_t generation_now(void) { return place_generation(arena->cursor); }

static bool is_valid(const walloc_ref *ref) {
  for (size_t i = 0; ref->arena == arena && i < now.move_count; i++) {
    if (now.moves[i].generation > place_generation(ref->place) &&
        place_position(ref->place) > now.moves[i].least)
      return false;
  }
  return true;
}

static size_t all_blocks(void) { return ((size_t)1 << now.block_count) - 1; }

/* ---- The promises --------------------------------------------------------------------------- */

static bool overlap(const walloc_ref *a, const walloc_ref *b) {
  char *x = a->address, *y = b->address;
  return x < y + b->size && y < x + a->size;
}

static bool is_in_its_arena(const walloc_ref *ref) {
  uintptr_t start = (uintptr_t)ref->address - walloc_platform_base();
  uintptr_t last = (start + ref->size - 1) / WALLOC_PAGE_SIZE;
  for (uintptr_t page = start / WALLOC_PAGE_SIZE; page <= last; page++) {
    if (page_owner((page_index)page) != PAGE_ARENA + ref->arena->slot)
      return false;
  }
  return true;
}

static void check_blocks(void) {
  for (size_t i = 0; i < now.block_count; i++) {
    const walloc_ref *a = &now.blocks[i].ref;
    if (!is_valid(a))
      continue;
    if (!is_in_its_arena(a))
      explore_violation("a valid block lies in pages that its arena has given up");
    for (size_t k = 0; k < i; k++) {
      if (is_valid(&now.blocks[k].ref) && overlap(a, &now.blocks[k].ref))
        explore_violation("two valid blocks overlap");
    }
  }
}

static void check_overshoot(void) {
  uint64_t length = chunk_bytes(arena->chunks[place_chunk(arena->cursor)]);
  if (place_offset(arena->cursor) > length + EXPLORE_THREADS_MAX * (uint64_t)65536 && length != 0)
    explore_violation("the offset is further behind the chunk's end than it can be");
}

/* What recycling may not throw away. */
static void check_protected(place least) {
  for (size_t i = 0; i < now.block_count; i++) {
    const handed_out *block = &now.blocks[i];
    if (block->is_protected && is_valid(&block->ref) && place_position(block->ref.place) > least)
      explore_violation("recycling has thrown away what was preserved");
  }
}

/* Before the move is noted, all but the one that is taken back stay. */
static void check_taken_back(place least, const caller *own) {
  for (size_t i = 0; i < now.block_count; i++) {
    const walloc_ref *ref = &now.blocks[i].ref;
    if (i != own->last && ref->arena == arena && is_valid(ref) &&
        place_position(ref->place) > least)
      explore_violation("taking a block back has thrown away another");
  }
}

static void check_mark(const caller *own) {
  for (size_t i = 0; i < now.block_count; i++) {
    const walloc_ref *ref = &now.blocks[i].ref;
    if ((own->blocks_before >> i & 1) != 0 && ref->arena == arena && is_valid(ref) &&
        place_position(ref->place) > place_position(own->mark.place))
      explore_violation("a mark lies before a block that is older");
  }
}

static void check_answer(bool valid, const caller *own) {
  if ((own->answers >> valid & 1) == 0)
    explore_violation("a reference was answered as it never was");
}

/* The moment at which a call ends a generation. */
static void note_move(place from, place to, const caller *own) {
  call_kind kind = own->kind;
  place least = kind == MARK ? POSITION_MASK : place_position(to);
  if (kind == TAKE_BACK)
    check_taken_back(least, own);
  if (kind == ALLOC || kind == ALLOC_ALIGNED)
    check_protected(least);
  if (now.move_count == MOVES_MAX)
    abort();
  move *m = &now.moves[now.move_count++];
  *m = (move){place_generation(to), least, place_generation(from), {0}};
  for (int n = 0; n < TABLE; n++)
    m->table[n] = arena->chunks[n] & ~CHUNK_INSTALLING;
  for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++)
    now.callers[i].answers |= 1u << is_valid(&now.blocks[now.callers[i].checked].ref);
}

static void cursor_moved(uint64_t from, uint64_t to) {
  if (place_same_generation(from, to))
    return;
  if (generation_age(place_generation(from), place_generation(to)) > 2)
    explore_violation("a generation came again");
  note_move(from, to, &now.callers[explore_thread()]);
}

/* Also of a block whose generation has ended meanwhile: place and address are of the same one. */
static void check_address(const walloc_ref *ref) {
  for (size_t i = 0; i < now.move_count; i++) {
    const move *m = &now.moves[i];
    uint32_t n = place_chunk(ref->place);
    if (m->ended != place_generation(ref->place) || n >= TABLE || m->table[n] == CHUNK_NONE)
      continue;
    size_t offset = (size_t)((char *)ref->address - chunk_address(m->table[n]));
    if (offset + ref->size > chunk_bytes(m->table[n]))
      explore_violation("a block of one generation lies in a chunk of another");
  }
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static void hand_out(walloc_ref ref, caller *own) {
  if (ref.address == NULL)
    return;
  if (ref.arena == arena && own != NULL &&
      generation_age(own->generation, place_generation(ref.place)) > GENERATION_MASK / 2)
    explore_violation("a block is of a generation that had ended before its allocation began");
  if (ref.arena == arena)
    check_address(&ref);
  if (now.block_count == BLOCKS_MAX)
    abort();
  if (own != NULL)
    own->last = now.block_count;
  now.blocks[now.block_count++] = (handed_out){ref, false};
}

static void protect(size_t blocks) {
  for (size_t i = 0; i < now.block_count; i++) {
    if ((blocks >> i & 1) != 0 && now.blocks[i].ref.arena == arena)
      now.blocks[i].is_protected = true;
  }
}

static void allocate(const call *asked, caller *own) {
  walloc_arena *from = asked->kind == ALLOC_OTHER ? other : arena;
  walloc_ref ref = asked->kind == ALLOC_ALIGNED ? walloc_alloc_aligned_ref(from, asked->size, 4096)
                                                : walloc_alloc_ref(from, asked->size);
  hand_out(ref, own);
}

static void take_back(const walloc_ref *ref) {
  bool was_last = arena->cursor == ref->place;
  bool taken = walloc_arena_take_back(arena, ref->address, ref->place);
  if (taken && (!was_last || is_valid(ref)))
    explore_violation("a block was taken back that could not be, or is still there");
}

static void carry_out(const call *asked, caller *own) {
  switch (asked->kind) {
  case RESET:
    walloc_reset(arena);
    break;
  case COMPACT:
    walloc_compact(arena, asked->size);
    break;
  case MARK:
    if (walloc_set_mark(arena, &own->mark) == WALLOC_OK)
      check_mark(own);
    break;
  case REWIND:
    walloc_rewind(own->mark);
    break;
  case PRESERVE:
    if (walloc_preserve(arena) == WALLOC_OK)
      protect(own->blocks_before);
    break;
  case TRIM:
    walloc_trim(arena);
    break;
  case RESERVE:
    walloc_reserve(arena, asked->size);
    break;
  case TAKE_BACK:
    take_back(&now.blocks[own->last].ref);
    break;
  case CHECK:
    check_answer(walloc_ref_valid(now.blocks[own->checked].ref), own);
    break;
  default:
    allocate(asked, own);
  }
}

static void run_program(unsigned thread) {
  caller *own = &now.callers[thread];
  for (const call *asked = current->program[thread];
       asked < current->program[thread] + CALLS_MAX && asked->kind != END; asked++) {
    if (asked->kind == ALLOC || asked->kind == ALLOC_ALIGNED)
      explore_pause(); /* others may end the generation before this call begins */
    own->kind = asked->kind;
    own->generation = generation_now();
    own->blocks_before = all_blocks();
    own->checked = asked->kind == CHECK ? asked->size : 0;
    own->answers = 1u << is_valid(&now.blocks[own->checked].ref);
    carry_out(asked, own);
    check_blocks();
    check_overshoot();
    *own = (caller){.kind = END, .mark = own->mark, .last = own->last};
    explore_call_ended();
  }
}

static page_index pages_of_arena(void) {
  page_index count = 0, end = walloc_pages_top();
  for (page_index page = 0; page < end; page++)
    count += page_owner(page) == PAGE_ARENA + arena->slot;
  return count;
}

static page_index pages_of_chunks(void) {
  page_index count = 0;
  for (uint32_t n = 0; n < WALLOC_CHUNKS_MAX; n++)
    count += chunk_pages(arena->chunks[n]);
  return count;
}

/* Afterwards the arena itself must agree on what is valid, and its pages must be those that it knows. */
static void end_run(void) {
  check_blocks();
  for (size_t i = 0; i < now.block_count; i++) {
    if (walloc_ref_valid(now.blocks[i].ref) != is_valid(&now.blocks[i].ref))
      explore_violation("the arena does not know which blocks are valid");
  }
  if (arena->growth.word != 0 || arena->history_lock.word != 0)
    explore_violation("a lock is held by nobody");
  if (pages_of_arena() != pages_of_chunks())
    explore_violation("an arena's pages are not those of its chunks");
}

static uint64_t hash_block(const handed_out *block) {
  uint64_t hash = explore_mix((uintptr_t)block->ref.address, block->ref.place);
  return explore_mix(hash, block->ref.size * 2 + block->is_protected);
}

/* What can still matter: the blocks that are valid, and whether a call began after each; and the moves
 * that a block whose allocation has begun may be older than. */
static uint64_t state_of_checks(void) {
  uint64_t state = 0;
  uint32_t oldest = UINT32_MAX;
  for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++) {
    const caller *c = &now.callers[i];
    state = explore_mix(state, (uint64_t)c->generation << 8 | c->answers);
    state = explore_mix(state, c->mark.place);
    state = explore_mix(state, now.blocks[c->last].ref.place);
    if (c->kind != END && c->generation < oldest)
      oldest = c->generation;
  }
  for (size_t i = 0; i < now.move_count; i++) {
    const move *m = &now.moves[i];
    if (m->generation <= oldest)
      continue;
    state = explore_mix(state, (uint64_t)m->generation << 40 | m->least);
    for (int n = 0; n < TABLE; n++)
      state = explore_mix(state, m->table[n]);
  }
  uint64_t blocks = 0;
  for (size_t i = 0; i < now.block_count; i++) {
    uint64_t hash = hash_block(&now.blocks[i]);
    for (unsigned k = 0; k < EXPLORE_THREADS_MAX; k++)
      hash = explore_mix(hash, now.callers[k].blocks_before >> i & 1);
    if (is_valid(&now.blocks[i].ref))
      blocks ^= hash;
  }
  return explore_mix(state, blocks);
}

/* ---- Running -------------------------------------------------------------------------------- */

/* By one thread, which nobody interrupts. */
static void prepare(void) {
  walloc_config config = {.maximum = 4 << 20, .reserve = 196608, .share = {1, 1, 1}};
  explore_require(walloc_init(&config) == WALLOC_OK, "walloc_init");
  arena = walloc_arena_create(&current->config);
  other = walloc_arena_create(&(walloc_arena_config){.lane = WALLOC_NO_LANE});
  explore_require(arena != NULL && other != NULL, "walloc_arena_create");
  now = (observed){.block_count = 0};
  caller preparing = {.kind = END};
  for (const call *asked = current->before; asked < current->before + CALLS_MAX; asked++) {
    if (asked->kind == END)
      break;
    preparing.blocks_before = all_blocks();
    preparing.generation = generation_now();
    place from = arena->cursor;
    carry_out(asked, &preparing);
    if (!place_same_generation(from, arena->cursor))
      note_move(from, arena->cursor, &(caller){.kind = asked->kind});
  }
  for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++)
    now.callers[i].mark = preparing.mark;
}

static unsigned threads_of(const scenario *s) {
  unsigned count = 0;
  while (count < EXPLORE_THREADS_MAX && s->program[count][0].kind != END)
    count++;
  return count;
}

/* The number of states; 0 when a promise was broken. */
static uint64_t explore_scenario(const scenario *s, mutation fault) {
  current = s;
  prepare();
  exploration what = {.threads = threads_of(s),
                      .body = run_program,
                      .cursor_moved = cursor_moved,
                      .ended = end_run,
                      .slot = arena->slot,
                      .checks = &now,
                      .checks_size = sizeof now,
                      .checks_state = state_of_checks,
                      .fault = fault};
  uint64_t states = explore(&what);
  explore_require(walloc_shutdown() == WALLOC_OK, "walloc_shutdown");
  return states;
}

static uint64_t explore_nth(size_t n, int fault) {
  return explore_scenario(&scenarios[n], (mutation)fault);
}

static const char *name_of(size_t n) { return scenarios[n].name; }

static bool is_larger(size_t n) { return scenarios[n].larger; }

int main(int count, char **values) {
  static const explorer e = {SCENARIOS,   name_of,           is_larger,
                             explore_nth, MUTATION_NONE + 1, MUTATIONS};
  return explore_main(&e, count, values);
}
