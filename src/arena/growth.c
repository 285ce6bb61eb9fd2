/* Growth: how an arena gets chunks, gives them up, and what happens when there is nothing to get.
 *
 * Under the growth lock, so by one thread at a time for each arena. The lock is left before another
 * arena's is taken and before the program's callback runs; the page lock is taken inside it.
 *
 *     get a chunk:   pages from the provider | entry, marked installing | count | cursor moved into it
 *                                                                              | entry unmarked
 *     give one up:   entry emptied | cursor read (P4) | pages back to the provider | count
 *
 * What a kill leaves behind at each "|", with the lock that names the dead thread: pages that the map
 * says are the arena's but no entry names (recovery finds them by that: walloc_growth_thread_lost); a count that
 * differs by one from the table, or a chunk marked installing, both of which the next holder settles. */
#include "arena/gate.h"
#include "arena/room.h"
#include "fallback/fallback.h"
#include "pages/pages.h"

/* The first chunk of an arena without a reserve, unless the request is larger. */
#define PAGES_AT_FIRST ((page_index)(65536 / WALLOC_PAGE_SIZE))

/* How often one allocation tries again because others have recycled the arena under it. */
#define TRIES_MAX 16

/* ---- The chunk table, under the growth lock ------------------------------------------------ */

/* Relaxed: written and read under the lock; others read it as statistics. */
static uint32_t chunk_count(walloc_arena *arena) {
  return atomic_load_explicit(&arena->count, memory_order_relaxed);
}

static void set_chunk_count(walloc_arena *arena, uint32_t count) {
  atomic_store_explicit(&arena->count, count, memory_order_relaxed);
}

/* Sequentially consistent: the giver's half of P4; as a release it publishes `start` and the run. */
static void set_chunk(walloc_arena *arena, uint32_t n, chunk c) {
  atomic_store_explicit(&arena->chunks[n], c, memory_order_seq_cst);
}

/* Finishes what a holder that died may have left half done. */
static void settle(walloc_arena *arena) {
  uint32_t count = chunk_count(arena);
  if (count > 0 && arena_chunk(arena, count - 1) == CHUNK_NONE)
    set_chunk_count(arena, --count);
  if (count < WALLOC_CHUNKS_MAX && arena_chunk(arena, count) != CHUNK_NONE)
    set_chunk_count(arena, ++count);
  if (count > 0 && chunk_is_installing(arena_chunk(arena, count - 1)))
    set_chunk(arena, count - 1, arena_chunk(arena, count - 1) & ~CHUNK_INSTALLING);
}

static bool lock_growth(walloc_arena *arena) {
  if (!walloc_lock_acquire(&arena->growth))
    return false;
  settle(arena);
  return true;
}

static page_index capacity_of(walloc_arena *arena) {
  uint32_t count = chunk_count(arena);
  if (count == 0)
    return 0;
  return atomic_load_explicit(&arena->start[count - 1], memory_order_relaxed) +
         chunk_pages(arena_chunk(arena, count - 1));
}

/* Adds a chunk behind the others. */
static uint32_t append(walloc_arena *arena, chunk c) {
  uint32_t n = chunk_count(arena);
  atomic_store_explicit(&arena->start[n], capacity_of(arena), memory_order_relaxed);
  set_chunk(arena, n, c);
  set_chunk_count(arena, n + 1);
  count_event(&arena->counters.growths);
  return n;
}

/* Whether the cursor is before the chunk. Nothing has ever been taken from an arena whose cursor is at its
 * very start. */
static bool is_before(place now, uint32_t n) {
  return place_chunk(now) < n || place_position(now) == 0;
}

/* Gives up the last chunk if it is idle. The reserve stays. A chunk that is seen in use is left alone
 * from the start: others would find its entry empty for a moment, and grow for nothing. */
static bool give_up_last(walloc_arena *arena) {
  uint32_t count = chunk_count(arena);
  if (count <= kept_chunks(arena) || !is_before(arena_cursor(arena), count - 1))
    return false;
  uint32_t n = count - 1;
  chunk c = arena_chunk(arena, n);
  set_chunk(arena, n, CHUNK_NONE);
  place now = atomic_load_explicit(&arena->cursor, memory_order_seq_cst); /* P4 */
  if (!is_before(now, n) || !walloc_pages_give(chunk_first_page(c), chunk_pages(c))) {
    set_chunk(arena, n, c);
    return false;
  }
  set_chunk_count(arena, n);
  return true;
}

/* ---- Obtaining pages, under the growth lock ------------------------------------------------ */

/* Makes the budget and the table leave room for `need` more pages; *room says for how many. */
static walloc_error keep_within_budget(walloc_arena *arena, page_index need, page_index *room) {
  page_index limit = UINT32_MAX;
  if (arena->hard_budget != 0)
    limit = (page_index)(arena->hard_budget / WALLOC_PAGE_SIZE);
  for (;;) {
    page_index capacity = capacity_of(arena);
    *room = capacity < limit ? limit - capacity : 0;
    bool table_full = chunk_count(arena) == WALLOC_CHUNKS_MAX;
    if (need <= *room && !table_full)
      return WALLOC_OK;
    if (!give_up_last(arena))
      return need > *room ? WALLOC_ERROR_BUDGET : WALLOC_ERROR_LIMIT;
  }
}

/* Half of what the arena has, so that the number of chunks grows with the logarithm of its size; less,
 * down to what is needed, when memory or budget say no. */
static walloc_error obtain(walloc_arena *arena, page_index need, chunk *obtained) {
  page_index room = 0;
  walloc_error error = keep_within_budget(arena, need, &room);
  if (error != WALLOC_OK)
    return error;
  page_index want = capacity_of(arena) / 2;
  if (want < PAGES_AT_FIRST)
    want = PAGES_AT_FIRST;
  if (want > room)
    want = room;
  if (want < need)
    want = need;
  for (;;) {
    page_run run;
    page_mark owner = (page_mark)(PAGE_ARENA + arena->slot);
    error = walloc_pages_take(want, 1, owner, true, &run);
    if (error == WALLOC_OK)
      *obtained = chunk_of(run.first, want);
    if (error != WALLOC_ERROR_OUT_OF_MEMORY || want == need)
      return error;
    want = want / 2 > need ? want / 2 : need;
  }
}

/* A chunk's base is aligned to a page; what is asked beyond that may cost up to the difference. */
static page_index pages_for(const request *r) {
  uint64_t slack = r->alignment > WALLOC_PAGE_SIZE ? r->alignment - WALLOC_PAGE_SIZE : 0;
  return pages_holding(r->bytes + slack);
}

/* Moves the cursor into the new chunk, n, and takes the request there at once, so that nobody else can
 * use it up before. Not when the request has come to fit elsewhere (after a reset), nor when the cursor
 * is in the chunk already (an arena's first). */
static block enter(walloc_arena *arena, const request *r, uint32_t n, chunk c) {
  place seen = arena_cursor(arena);
  spot elsewhere, here = {0, c, n};
  request_fits(r, c, 0, &here.start);
  while (place_chunk(seen) != n && !walloc_arena_find_room(arena, r, seen, &elsewhere)) {
    block b = {chunk_address(c) + here.start, spot_end(&here, r, seen)};
    arena_gate_enter(arena);
    bool moved = arena_move_cursor(arena, &seen, b.end);
    if (moved)
      arena_mark_handed_out(b.address, r->size);
    arena_gate_leave(arena);
    if (moved)
      return b;
  }
  return (block){NULL, 0};
}

/* What an attempt to grow brought. */
typedef struct growth {
  walloc_error error;
  block taken;     /* address NULL: the room is there, but not taken yet */
  bool above_soft; /* this growth took the arena above its soft budget */
} growth;

static bool is_above_soft_budget(walloc_arena *arena) {
  return arena->soft_budget != 0 &&
         (uint64_t)capacity_of(arena) * WALLOC_PAGE_SIZE > arena->soft_budget;
}

/* Adds a chunk that holds the request, or finds that somebody else has made room meanwhile. With
 * `take` the request is taken too, when that can be done in the same move. */
static growth add_chunk(walloc_arena *arena, const request *r, bool take) {
  growth result = {WALLOC_OK, {NULL, 0}, false};
  spot s;
  chunk c = CHUNK_NONE;
  if (!lock_growth(arena)) {
    result.error = WALLOC_ERROR_BUSY;
    return result;
  }
  if (!walloc_arena_find_room(arena, r, arena_cursor(arena), &s)) {
    bool was_above = is_above_soft_budget(arena);
    result.error = obtain(arena, pages_for(r), &c);
    if (result.error == WALLOC_OK) {
      arena_mark_chunk(c);
      uint32_t n = append(arena, take ? c | CHUNK_INSTALLING : c);
      if (take) {
        result.taken = enter(arena, r, n, c);
        set_chunk(arena, n, c);
      }
      result.above_soft = !was_above && is_above_soft_budget(arena);
    }
  }
  walloc_lock_release(&arena->growth);
  return result;
}

/* ---- Pressure: outside any lock ------------------------------------------------------------ */

/* Idle chunks of all arenas go back until a run of `need` pages can be had. */
static bool reclaim(page_index need) {
  for (uint32_t slot = 0; slot < WALLOC_ARENAS_MAX; slot++) {
    walloc_arena *arena = &walloc_arenas[slot];
    if (!arena_is_live(arena) || !lock_growth(arena))
      continue;
    bool enough = false;
    while (!enough && arena_is_live(arena) && give_up_last(arena))
      enough = walloc_pages_prepare(need) == WALLOC_OK;
    walloc_lock_release(&arena->growth);
    if (enough)
      return true;
  }
  return false;
}

/* A callback's own allocations do not call back again. */
static bool call_back(walloc_arena *arena, page_index need, walloc_pressure level) {
  static _Thread_local bool calling;
  if (arena->on_pressure == NULL || calling)
    return false;
  calling = true;
  count_event(&arena->counters.pressure);
  size_t bytes = (size_t)need * WALLOC_PAGE_SIZE;
  bool relieved = arena->on_pressure(arena, bytes, level, arena->user);
  calling = false;
  return relieved;
}

/* Adds a chunk, and tells the program when that takes the arena above its soft budget. */
static walloc_error grow(walloc_arena *arena, const request *r, block *taken) {
  growth result = add_chunk(arena, r, taken != NULL);
  if (result.above_soft) {
    call_back(arena, pages_for(r), WALLOC_PRESSURE_SOFT);
    if (!place_same_generation(result.taken.end, arena_cursor(arena)))
      result.taken.address = NULL; /* the callback may have thrown it away */
  }
  if (taken != NULL)
    *taken = result.taken;
  return result.error;
}

/* How far a failing allocation has got: each of these is tried once, the first again after the others,
 * since what they have thrown away may lie in arenas that are idle now. */
typedef struct relief {
  bool reclaimed, called_back, recycled;
} relief;

/* Whether the budget, and the maximum, have room for the request behind the preserved part. */
static bool fits_behind_preserved(walloc_arena *arena, const request *r) {
  place saved = atomic_load_explicit(&arena->preserved, memory_order_acquire);
  uint64_t needed = walloc_arena_distance(arena, saved) + r->bytes;
  return pages_holding(needed) <= walloc_pages_count().maximum &&
         (arena->hard_budget == 0 || needed <= arena->hard_budget);
}

/* Tries what has not been tried yet, until something may have helped. `seen` is the cursor when the
 * allocation failed: who finds the generation ended by others must not end theirs. */
static bool relieve(walloc_arena *arena, const request *r, walloc_error error, place seen,
                    relief *tried) {
  page_index need = pages_for(r);
  if (error == WALLOC_ERROR_OUT_OF_MEMORY && !tried->reclaimed) {
    tried->reclaimed = true;
    if (reclaim(need))
      return true;
  }
  if (!tried->called_back) {
    tried->called_back = true;
    if (call_back(arena, need, WALLOC_PRESSURE_HARD)) {
      tried->reclaimed = false;
      return true;
    }
  }
  if (!tried->recycled && arena->recycle == WALLOC_RECYCLE_TO_MARK &&
      fits_behind_preserved(arena, r)) {
    recycling result = walloc_arena_recycle(arena, seen);
    tried->recycled = result == RECYCLED;
    tried->reclaimed = false;
    return result != NOTHING_TO_RECYCLE;
  }
  return false;
}

static bool is_pressure(walloc_error error) {
  return error == WALLOC_ERROR_OUT_OF_MEMORY || error == WALLOC_ERROR_BUDGET ||
         error == WALLOC_ERROR_LIMIT;
}

block walloc_arena_grow_and_take(walloc_arena *arena, const request *r, walloc_error *error) {
  relief tried = {false, false, false};
  for (int tries = 0;;) {
    block b = {NULL, 0};
    place seen = arena_cursor(arena);
    *error = grow(arena, r, &b);
    if (b.address == NULL && *error == WALLOC_OK)
      b = walloc_arena_take(arena, r);
    if (b.address != NULL)
      return b;
    if (*error == WALLOC_OK)
      continue; /* others have used up the room: they made progress */
    if (is_pressure(*error) && tries++ < TRIES_MAX && relieve(arena, r, *error, seen, &tried)) {
      b = walloc_arena_take(arena, r);
      if (b.address != NULL)
        return b;
      continue;
    }
    if (arena->recycle == WALLOC_FALL_BACK && is_pressure(*error))
      b = walloc_fallback_take(arena, r);
    if (b.address == NULL)
      count_event(&arena->counters.failures);
    return b;
  }
}

walloc_error walloc_arena_make_room(walloc_arena *arena, const request *r) {
  spot s;
  if (walloc_arena_find_room(arena, r, arena_cursor(arena), &s))
    return WALLOC_OK;
  walloc_error error = grow(arena, r, NULL);
  if (error == WALLOC_ERROR_OUT_OF_MEMORY && reclaim(pages_for(r)))
    error = grow(arena, r, NULL);
  return error;
}

walloc_error walloc_trim(walloc_arena *arena) {
  walloc_error error = walloc_arena_check(arena);
  if (error != WALLOC_OK)
    return error;
  if (!lock_growth(arena))
    return WALLOC_ERROR_BUSY;
  while (give_up_last(arena)) {
  }
  walloc_lock_release(&arena->growth);
  return WALLOC_OK;
}

walloc_error walloc_arena_release_chunks(walloc_arena *arena) {
  if (!lock_growth(arena))
    return WALLOC_ERROR_BUSY;
  walloc_arena_reset_closed(arena);
  walloc_fallback_give(arena, true);
  set_kept(arena, 0);
  while (give_up_last(arena)) {
  }
  bool all = chunk_count(arena) == 0;
  walloc_lock_release(&arena->growth);
  return all ? WALLOC_OK : WALLOC_ERROR_BUSY;
}

/* ---- When a thread has died ------------------------------------------------------------------ */

static bool is_in_chunks(walloc_arena *arena, page_index page) {
  for (uint32_t n = 0; n < WALLOC_CHUNKS_MAX; n++) {
    chunk c = arena_chunk(arena, n);
    if (c != CHUNK_NONE && chunk_first_page(c) == page)
      return true;
  }
  return false;
}

/* The run that the map says is the arena's and no entry names: there is one at most, as one holder of the lock has
 * died. Under the page lock. */
static chunk find_unnamed(walloc_arena *arena) {
  page_index end = walloc_pages_top();
  for (page_index page = 0; page < end; page++) {
    if (page_entry(page) != PAGE_ARENA + arena->slot || is_in_chunks(arena, page))
      continue;
    page_index last = page;
    while (page_run_goes_on(last))
      last++;
    return chunk_of(page, last - page + 1);
  }
  return CHUNK_NONE;
}

/* Was it just obtained, nobody has a block of it; was it being given up, it goes on being so, unless the cursor has
 * come into it before its entry was emptied (P4): then somebody may have one, and the entry is put back, as its giver
 * would have done. Killed in here: the same again. */
static void mend_chunks(walloc_arena *arena) {
  chunk unnamed = find_unnamed(arena);
  uint32_t count = chunk_count(arena);
  bool was_given_up = count > 0 && arena_chunk(arena, count - 1) == CHUNK_NONE;
  if (unnamed == CHUNK_NONE)
    return;
  if (was_given_up && !is_before(arena_cursor(arena), count - 1))
    set_chunk(arena, count - 1, unnamed);
  else
    walloc_pages_give_held(chunk_first_page(unnamed), chunk_pages(unnamed));
}

void walloc_growth_thread_lost(walloc_arena *arena, uint32_t thread) {
  if (!walloc_lock_take_over(&arena->growth, thread))
    return;
  mend_chunks(arena);
  settle(arena);
  walloc_lock_release(&arena->growth);
}

void walloc_growth_forget(walloc_arena *arena) {
  if (!walloc_lock_try(&arena->growth))
    return;
  settle(arena);
  for (uint32_t n = chunk_count(arena); n-- > 0;) {
    chunk c = arena_chunk(arena, n);
    set_chunk(arena, n, CHUNK_NONE);
    walloc_pages_give_held(chunk_first_page(c), chunk_pages(c));
    set_chunk_count(arena, n);
  }
  walloc_lock_release(&arena->growth);
}
