/* Contexts: one word each, in a table.
 *
 *     handle:   | serial : 22 | place in the table : 10 |
 *     word:     | serial : 22 | serial of the arena : 20 | its slot : 5 | resets : 1 | references : 16 |
 *
 *     references 0: nobody's, its serial that of the last one    65535: the last one is resetting the arena
 *
 * Argument. Everything about a context is in its word, so whoever reads the word knows all of it at one moment,
 * and every change is one compare-and-swap of the whole.
 * - No reference is added to a context without any, nor to the next one in its place: the word that is compared
 *   has the handle's serial and some references. So a count that has reached 0 stays there.
 * - One thread brings it there: the one whose compare-and-swap does. Where the arena is to be reset that thread
 *   goes by 65535, a number that every other refuses, and alone writes the word after that.
 * - Releasing is acq_rel: what was done under each reference happens before the reset. Retaining needs no order:
 *   who retains has got the handle from somebody, or holds a reference.
 *
 * What a kill leaves behind: before a compare-and-swap nothing; after one what it said. The references of a dead
 * thread are held until walloc_shutdown, as nobody knows of them; in the middle of a last release, the place in
 * the table, and an arena that is reset or not. Any thread. */
#include "context/context.h"

#include "arena/arena.h"
#include "error/error.h"
#include "walloc_context.h"

typedef uint64_t context_word;

#define COUNT_MASK ((context_word)0xFFFF)
#define RESETTING COUNT_MASK
#define RESETS ((context_word)1 << 16)
#define SLOT_SHIFT 17
#define ARENA_SERIAL_SHIFT 22
#define ARENA_SERIAL_MASK 0xFFFFFu
#define SERIAL_SHIFT 42
#define SERIALS (1u << 22)

_Static_assert(WALLOC_REFERENCES_MAX == RESETTING - 1, "all other numbers are counts");
_Static_assert(WALLOC_CONTEXTS_MAX == UINT32_MAX / SERIALS + 1, "a handle holds both");
_Static_assert(WALLOC_ARENAS_MAX <= 1 << (ARENA_SERIAL_SHIFT - SLOT_SHIFT), "a slot fits");

/* Changed by whoever creates, retains or releases. */
static _Atomic context_word contexts[WALLOC_CONTEXTS_MAX];

/* Where the next one is looked for, so that serials last. Relaxed: a hint. */
static _Atomic uint32_t next;

static _Atomic context_word *place_in_table(walloc_context context) {
  return &contexts[context % WALLOC_CONTEXTS_MAX];
}

static bool swap(_Atomic context_word *at, context_word *seen, context_word to) {
  return atomic_compare_exchange_strong_explicit(at, seen, to, memory_order_acq_rel,
                                                 memory_order_relaxed);
}

/* Relaxed: it carries nothing but itself. */
static context_word load(_Atomic context_word *at) {
  return atomic_load_explicit(at, memory_order_relaxed);
}

/* References, if the word is the context's; else 0. */
static uint32_t count_in(context_word word, walloc_context context) {
  uint32_t count = (uint32_t)(word & COUNT_MASK);
  bool is_own = word >> SERIAL_SHIFT == context / WALLOC_CONTEXTS_MAX;
  return is_own && count != RESETTING ? count : 0;
}

static uint32_t serial_of(walloc_arena *arena) {
  return atomic_load_explicit(&arena->serial, memory_order_acquire) & ARENA_SERIAL_MASK;
}

/* NULL when it has been destroyed. */
static walloc_arena *arena_in(context_word word) {
  walloc_arena *arena = &walloc_arenas[word >> SLOT_SHIFT & (WALLOC_ARENAS_MAX - 1)];
  return serial_of(arena) == (word >> ARENA_SERIAL_SHIFT & ARENA_SERIAL_MASK) ? arena : NULL;
}

static walloc_context no_context(walloc_error error) {
  walloc_fail(error);
  return WALLOC_NO_CONTEXT;
}

walloc_context walloc_context_create(walloc_arena *arena, unsigned flags) {
  walloc_error error = walloc_arena_check(arena);
  if (error == WALLOC_OK && flags > WALLOC_CONTEXT_RESETS)
    error = WALLOC_ERROR_CONFIG;
  if (error != WALLOC_OK)
    return no_context(error);
  context_word own = (context_word)serial_of(arena) << ARENA_SERIAL_SHIFT |
                     (context_word)arena->slot << SLOT_SHIFT | flags * RESETS | 1;
  uint32_t first = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
  for (uint32_t i = 0; i < WALLOC_CONTEXTS_MAX; i++) {
    uint32_t n = (first + i) % WALLOC_CONTEXTS_MAX;
    context_word seen = load(&contexts[n]);
    uint32_t serial = (uint32_t)(seen >> SERIAL_SHIFT) % (SERIALS - 1) + 1; /* never 0 */
    if ((seen & COUNT_MASK) == 0 &&
        swap(&contexts[n], &seen, (context_word)serial << SERIAL_SHIFT | own))
      return serial * WALLOC_CONTEXTS_MAX + n;
  }
  return no_context(WALLOC_ERROR_LIMIT);
}

walloc_context walloc_context_create_child(walloc_context parent, walloc_arena *arena,
                                           unsigned flags) {
  walloc_arena *parents = walloc_context_arena(parent);
  if (parents == NULL)
    return WALLOC_NO_CONTEXT;
  return walloc_context_create(arena == NULL ? parents : arena, flags);
}

walloc_context walloc_context_create_entity(walloc_context parent) {
  return walloc_context_create_child(parent, &walloc_arenas[WALLOC_ENTITY], 0);
}

walloc_error walloc_context_retain(walloc_context context) {
  _Atomic context_word *at = place_in_table(context);
  context_word seen = load(at);
  for (;;) {
    uint32_t count = count_in(seen, context);
    if (count == 0)
      return WALLOC_ERROR_HANDLE;
    if (count == WALLOC_REFERENCES_MAX)
      return WALLOC_ERROR_LIMIT;
    if (swap(at, &seen, seen + 1))
      return WALLOC_OK;
  }
}

/* The last reference, of which the word `held` tells. Release: the next one in this place comes after. */
static walloc_error reset_and_release(_Atomic context_word *at, context_word held) {
  walloc_arena *arena = arena_in(held);
  walloc_error error = arena == NULL ? WALLOC_OK : walloc_reset(arena);
  bool refused = error == WALLOC_ERROR_PINNED || error == WALLOC_ERROR_BUSY;
  atomic_store_explicit(at, refused ? held : held - 1, memory_order_release);
  return refused ? error : WALLOC_OK;
}

walloc_error walloc_context_release(walloc_context context) {
  _Atomic context_word *at = place_in_table(context);
  context_word seen = load(at);
  for (;;) {
    uint32_t count = count_in(seen, context);
    if (count == 0)
      return WALLOC_ERROR_HANDLE;
    bool is_reset = count == 1 && (seen & RESETS) != 0;
    context_word held = seen;
    if (!swap(at, &seen, is_reset ? seen | RESETTING : seen - 1))
      continue;
    return is_reset ? reset_and_release(at, held) : WALLOC_OK;
  }
}

walloc_arena *walloc_context_arena(walloc_context context) {
  context_word seen = load(place_in_table(context));
  if (count_in(seen, context) == 0)
    return walloc_fail(WALLOC_ERROR_HANDLE);
  walloc_arena *arena = arena_in(seen);
  return arena != NULL ? arena : walloc_fail(WALLOC_ERROR_ARENA);
}

walloc_error walloc_context_reset(walloc_context context) {
  walloc_arena *arena = walloc_context_arena(context);
  return arena != NULL ? walloc_reset(arena) : walloc_last_error();
}

void *walloc_context_alloc(walloc_context context, size_t size) {
  walloc_arena *arena = walloc_context_arena(context);
  return arena != NULL ? walloc_alloc(arena, size) : NULL;
}

walloc_ref walloc_context_alloc_ref(walloc_context context, size_t size) {
  walloc_arena *arena = walloc_context_arena(context);
  return arena != NULL ? walloc_alloc_ref(arena, size) : (walloc_ref){NULL, NULL, 0, 0};
}

unsigned walloc_context_references(walloc_context context) {
  return count_in(load(place_in_table(context)), context);
}

void walloc_contexts_end(void) {
  for (uint32_t n = 0; n < WALLOC_CONTEXTS_MAX; n++)
    atomic_store_explicit(&contexts[n], load(&contexts[n]) & ~COUNT_MASK, memory_order_relaxed);
}
