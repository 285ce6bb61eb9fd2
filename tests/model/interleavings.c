/* The cursor's protocol, P1 to P5 of arena.h, in every possible interleaving of a few threads.
 *
 * A model, not the code itself: one arena with two chunk entries over three runs of pages, two units each;
 * threads that add, compare and swap, reset, mark, give a chunk up and grow again. A step is one atomic
 * access. All orders of all steps are walked, each state once. After every step must hold:
 *
 *   - no two blocks that are valid overlap
 *   - no valid block lies in a run that is not the arena's
 *   - a block lies in the run that its chunk had when the cursor was moved for it, if it had one
 *
 * So that the model can fail, it is run again with one rule of the protocol broken at a time, and must then
 * find a state in which one of these does not hold. One thread; no locks, since there is one who grows. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_UNITS = 2, ENTRIES = 2, NONE = 0, RUNS = 4, THREADS = 4, BLOCKS = 8, TRIES = 2 };

typedef enum rule {
  NO_RULE_BROKEN,
  SWAP_WITHOUT_COMPARING_THE_ENTRY,
  ADDITION_WITHOUT_READING_THE_CURSOR_AGAIN,
  MARK_TAKES_NO_CHUNK_FOR_AN_EMPTY_ONE,
  GIVING_UP_WITHOUT_LOOKING_AGAIN,
  RULES
} rule;

static const char *const rule_names[RULES] = {
    "as it is",
    "a swap does not compare the entry",
    "an addition does not read the cursor again",
    "a mark takes a missing chunk for one without length",
    "giving up does not look at the cursor again",
};

typedef enum kind { ABSENT, ADDS, SWAPS, RESETS, MARKS, GIVES_UP } kind;

typedef struct place {
  uint8_t generation, chunk, offset;
} place;

/* What a thread is at, and what it has read. */
typedef struct thread {
  uint8_t kind, at, tries;
  place seen, end;
  uint8_t entry;    /* read from the table, or about to be written */
  uint8_t run_then; /* for checking only: the chunk's run when the cursor was moved */
} thread;

typedef struct block {
  uint8_t generation, run, offset; /* one unit; run NONE: no block */
} block;

/* All bytes, so that states can be compared as such. */
typedef struct state {
  place cursor;
  uint8_t entry[ENTRIES];
  uint8_t run[ENTRIES]; /* for checking only: what the entry is when nobody just looks at it */
  uint8_t count;
  uint8_t is_arenas[RUNS]; /* by run */
  uint8_t last_reset;      /* generation */
  block blocks[BLOCKS];
  thread threads[THREADS];
} state;

static rule broken;

/* ---- States that were seen ------------------------------------------------------------------ */

enum { SEEN_MAX = 1 << 20 };
static state *seen;
static uint8_t *is_seen;
static size_t seen_count;

static bool is_new(const state *s) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < sizeof *s; i++)
    hash = (hash ^ ((const uint8_t *)s)[i]) * 1099511628211u;
  size_t at = hash % SEEN_MAX;
  for (; is_seen[at]; at = (at + 1) % SEEN_MAX) {
    if (memcmp(&seen[at], s, sizeof *s) == 0)
      return false;
  }
  if (++seen_count > SEEN_MAX / 2) {
    fprintf(stderr, "too many states\n");
    exit(EXIT_FAILURE);
  }
  is_seen[at] = 1;
  seen[at] = *s;
  return true;
}

/* ---- What must hold ------------------------------------------------------------------------- */

static bool is_valid(const state *s, const block *b) {
  return b->run != NONE && b->generation >= s->last_reset;
}

static bool holds(const state *s) {
  for (int i = 0; i < BLOCKS; i++) {
    const block *a = &s->blocks[i];
    if (!is_valid(s, a))
      continue;
    if (!s->is_arenas[a->run] || a->offset >= RUN_UNITS)
      return false;
    for (int k = 0; k < i; k++) {
      const block *b = &s->blocks[k];
      if (is_valid(s, b) && a->run == b->run && a->offset == b->offset)
        return false;
    }
  }
  return true;
}

static bool hand_out(state *s, uint8_t generation, uint8_t run, uint8_t offset) {
  for (int i = 0; i < BLOCKS; i++) {
    if (s->blocks[i].run == NONE) {
      s->blocks[i] = (block){generation, run, offset};
      return true;
    }
  }
  return false;
}

/* ---- Threads: one step each; false when a rule is found violated ------------------------------ */

static bool same(place a, place b) {
  return a.generation == b.generation && a.chunk == b.chunk && a.offset == b.offset;
}

static uint8_t entry_at(const state *s, uint8_t chunk) {
  return chunk < ENTRIES ? s->entry[chunk] : NONE;
}

static bool has_room(uint8_t entry, uint8_t offset) { return entry != NONE && offset < RUN_UNITS; }

static void finish(thread *t) { *t = (thread){.kind = ABSENT}; }

static void start_over(thread *t) {
  if (++t->tries == TRIES)
    finish(t);
  else
    t->at = 0;
}

static bool step_addition(state *s, thread *t) {
  switch (t->at++) {
  case 0:
    t->seen = s->cursor;
    return true;
  case 1:
    if (!has_room(entry_at(s, t->seen.chunk), t->seen.offset))
      finish(t);
    return true;
  case 2:
    t->end = s->cursor;
    t->run_then = s->cursor.chunk < ENTRIES ? s->run[s->cursor.chunk] : NONE;
    s->cursor.offset++;
    return true;
  case 3:
    t->entry = entry_at(s, t->end.chunk);
    if (!has_room(t->entry, t->end.offset))
      finish(t);
    return true;
  default: {
    bool alive = s->cursor.generation == t->end.generation;
    bool right = t->run_then == NONE || t->entry == t->run_then;
    if (alive || broken == ADDITION_WITHOUT_READING_THE_CURSOR_AGAIN)
      hand_out(s, t->end.generation, t->entry, t->end.offset);
    else
      right = true; /* nobody gets it */
    finish(t);
    return right;
  }
  }
}

static bool step_swap(state *s, thread *t) {
  switch (t->at++) {
  case 0:
    t->seen = t->end = s->cursor;
    return true;
  case 1:
    t->entry = entry_at(s, t->end.chunk);
    if (t->entry == NONE) {
      finish(t);
    } else if (!has_room(t->entry, t->end.offset)) {
      t->end.chunk++; /* looks into the next */
      t->end.offset = 0;
      t->at = 1;
    }
    return true;
  case 2:
    if (!same(s->cursor, t->seen)) {
      start_over(t);
    } else {
      s->cursor = t->end;
      s->cursor.offset++;
    }
    return true;
  default:
    if (broken == SWAP_WITHOUT_COMPARING_THE_ENTRY || entry_at(s, t->end.chunk) == t->entry) {
      hand_out(s, t->end.generation, t->entry, t->end.offset);
      finish(t);
    } else {
      start_over(t);
    }
    return true;
  }
}

static bool step_reset(state *s, thread *t) {
  if (t->at == 0 || !same(s->cursor, t->seen)) { /* a failed swap reads it too */
    t->seen = s->cursor;
    t->at = 1;
  } else {
    s->cursor = (place){(uint8_t)((t->seen.generation + 2) & ~1), 0, 0};
    s->last_reset = s->cursor.generation;
    finish(t);
  }
  return true;
}

static bool step_mark(state *s, thread *t) {
  switch (t->at++) {
  case 0:
    t->seen = s->cursor;
    return true;
  case 1:
    t->entry = entry_at(s, t->seen.chunk);
    t->end = t->seen;
    t->end.generation = (uint8_t)((t->seen.generation + 1) | 1);
    if (t->entry != NONE && t->end.offset > RUN_UNITS)
      t->end.offset = RUN_UNITS;
    if (t->entry == NONE && broken == MARK_TAKES_NO_CHUNK_FOR_AN_EMPTY_ONE)
      t->end.offset = 0;
    return true;
  default:
    if (same(s->cursor, t->seen)) {
      s->cursor = t->end;
      finish(t);
    } else {
      start_over(t);
    }
    return true;
  }
}

static bool is_before(place now, uint8_t n) {
  return now.chunk < n || (now.chunk == 0 && now.offset == 0);
}

/* Gives the last chunk up; then its run becomes somebody else's, and the arena grows by another. */
static bool step_giving_up(state *s, thread *t) {
  uint8_t n = (uint8_t)(s->count - 1);
  switch (t->at++) {
  case 0: /* without this first look the protocol must hold as well: see the second pass of main */
    if (t->tries == 0 && !is_before(s->cursor, n))
      finish(t);
    return true;
  case 1:
    t->entry = s->entry[n];
    s->entry[n] = NONE;
    return true;
  case 2:
    if (broken != GIVING_UP_WITHOUT_LOOKING_AGAIN && !is_before(s->cursor, n)) {
      t->at = 9;
      return true;
    }
    s->is_arenas[t->entry] = false;
    s->run[n] = NONE;
    s->count = n;
    return true;
  case 3: /* the next run, never seen before */
    t->entry = (uint8_t)(t->entry + 1);
    s->is_arenas[t->entry] = true;
    s->entry[s->count] = s->run[s->count] = t->entry;
    s->count++;
    finish(t);
    return true;
  default: /* 9: in use after all */
    s->entry[n] = t->entry;
    finish(t);
    return true;
  }
}

static bool step(state *s, thread *t) {
  switch ((kind)t->kind) {
  case ADDS:
    return step_addition(s, t);
  case SWAPS:
    return step_swap(s, t);
  case RESETS:
    return step_reset(s, t);
  case MARKS:
    return step_mark(s, t);
  case GIVES_UP:
    return step_giving_up(s, t);
  default:
    return true;
  }
}

/* ---- All interleavings ---------------------------------------------------------------------- */

/* False when a state was found in which something does not hold. */
static bool explore(const state *s) {
  if (!is_new(s))
    return true;
  for (int i = 0; i < THREADS; i++) {
    if (s->threads[i].kind == ABSENT)
      continue;
    state next = *s;
    if (!step(&next, &next.threads[i]) || !holds(&next) || !explore(&next))
      return false;
  }
  return true;
}

/* Chunk 0 is run 1, chunk 1 is run 2; every unit before the cursor is a valid block. */
static state begin_at(uint8_t chunk, uint8_t offset, const kind kinds[THREADS], bool looks_first) {
  state s;
  memset(&s, 0, sizeof s);
  s.cursor = (place){2, chunk, offset};
  s.last_reset = 2;
  s.count = ENTRIES;
  s.entry[0] = s.run[0] = 1;
  s.entry[1] = s.run[1] = 2;
  s.is_arenas[1] = s.is_arenas[2] = true;
  for (int n = 0; n < chunk * RUN_UNITS + offset; n++)
    hand_out(&s, 2, (uint8_t)(1 + n / RUN_UNITS), (uint8_t)(n % RUN_UNITS));
  for (int i = 0; i < THREADS; i++) {
    s.threads[i].kind = (uint8_t)kinds[i];
    if (kinds[i] == GIVES_UP && !looks_first)
      s.threads[i].tries = 1;
  }
  return s;
}

/* Everybody who can meet the one who gives up. */
static const kind casts[][THREADS] = {
    {GIVES_UP, ADDS, ADDS, RESETS},   {GIVES_UP, SWAPS, SWAPS, RESETS},
    {GIVES_UP, ADDS, SWAPS, RESETS},  {GIVES_UP, ADDS, SWAPS, MARKS},
    {GIVES_UP, SWAPS, SWAPS, MARKS},  {GIVES_UP, ADDS, ADDS, MARKS},
    {GIVES_UP, SWAPS, MARKS, RESETS}, {GIVES_UP, ADDS, MARKS, RESETS},
    {ADDS, SWAPS, MARKS, RESETS},
};

/* The number of states, or 0 when something did not hold. */
static size_t explore_all(void) {
  size_t states = 0;
  for (size_t cast = 0; cast < sizeof casts / sizeof *casts; cast++) {
    for (int start = 0; start < ENTRIES * RUN_UNITS; start++) {
      for (int looks_first = 0; looks_first < 2; looks_first++) {
        memset(is_seen, 0, SEEN_MAX);
        seen_count = 0;
        state s = begin_at((uint8_t)(start / RUN_UNITS), (uint8_t)(start % RUN_UNITS), casts[cast],
                           looks_first != 0);
        if (!explore(&s))
          return 0;
        states += seen_count;
      }
    }
  }
  return states;
}

int main(void) {
  seen = malloc(SEEN_MAX * sizeof *seen);
  is_seen = malloc(SEEN_MAX);
  if (seen == NULL || is_seen == NULL)
    return EXIT_FAILURE;
  bool as_expected = true;
  for (broken = NO_RULE_BROKEN; broken < RULES; broken++) {
    size_t states = explore_all();
    bool expected = (states == 0) == (broken != NO_RULE_BROKEN);
    if (states == 0)
      printf("%s: violated", rule_names[broken]);
    else
      printf("%s: holds in %zu states", rule_names[broken], states);
    printf("%s\n", expected ? "" : " (NOT AS EXPECTED)");
    as_expected = as_expected && expected;
  }
  free(seen);
  free(is_seen);
  return as_expected ? EXIT_SUCCESS : EXIT_FAILURE;
}
