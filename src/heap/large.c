/* Large blocks. See tag.h for how they lie, strategy.h for how a free one is chosen.
 *
 * What a kill leaves behind, with the shard's lock, which names the dead thread: each change of the tags is
 * written so that it takes hold by one store of a size, before which the walk sees the old blocks and
 * behind which it sees the new ones. `before` of the next tag, the index and the scrap may be old then: recovery
 * (walloc_large_thread_lost) makes them again from the walk. */
#include "heap/large.h"

#include <stdalign.h>

#include "heap/hardened.h"
#include "heap/obtain.h"
#include "heap/part.h"
#include "heap/poison.h"
#include "lock/lock.h"

#define PAGE ((uint32_t)WALLOC_PAGE_SIZE)

typedef struct large_shard {
  alignas(64) walloc_lock lock;
  /* A region that was one free block when it came here; 0: none. Written under the lock. */
  page_index kept;
  /* The last free block that came to be too small for the index; NULL: none, or it is gone. Written under the lock. */
  tag *scrap;
} large_shard;

static large_shard shards[PAGE_SHARDS];
static const strategy *chosen = &walloc_first_fit; /* written under all locks */

static uint32_t shard_of(const void *block) { return page_entry(page_of(block)) % PAGE_SHARDS; }

/* ---- The index, under the lock -------------------------------------------------------------- */

/* What is too small for any large block waits for its neighbours; the last such is where small blocks may come from. */
static bool is_indexed(uint32_t size) { return size > SMALL_MAX; }

static void put_of_size(uint32_t shard, tag *t, uint32_t size) {
  if (is_indexed(size))
    chosen->insert(shard, (node *)(void *)t, size);
  else
    shards[shard].scrap = t;
}

static void put(uint32_t shard, tag *t) { put_of_size(shard, t, tag_size(t)); }

static void pick(uint32_t shard, tag *t) {
  if (is_indexed(tag_size(t)))
    chosen->remove(shard, (node *)(void *)t);
  else if (shards[shard].scrap == t)
    shards[shard].scrap = NULL;
}

static void clear(uint32_t shard) {
  chosen->clear(shard);
  shards[shard].scrap = NULL;
}

/* NULL: there is none. A small block takes from what may become a large one only where the memory has just grown for it,
 * by a page that may have joined its neighbours. */
static tag *find(uint32_t shard, uint32_t size, bool grown) {
  tag *scrap = shards[shard].scrap;
  if (scrap != NULL && tag_size(scrap) >= size)
    return scrap;
  return size > SMALL_MAX || grown ? (tag *)(void *)chosen->find(shard, size) : NULL;
}

/* ---- Tags, under the lock ------------------------------------------------------------------- */

/* Cuts a block in two. The second becomes one by the first's new size. Killed before that store: one block; behind
 * it: two, and `after->before` is old.
 *
 * The second's tag is often memory that nobody has touched for long. A store need not wait for it, but who reads it next
 * does: so its size is told rather than read again where there is a choice. */
static tag *split(tag *t, uint32_t size) {
  uint32_t rest = tag_size(t) - size;
  tag *second = tag_at(tag_offset(t) + size);
  tag *after = tag_after(t);
  memory_unpoison(second, NODE_SIZE);
  set_tag_word(second, rest | (tag_word(t) & TAG_ZERO));
  second->before = size;
  stores_in_order();
  set_tag_word(t, size | (tag_word(t) & TAG_FLAGS));
  after->before = rest;
  return second;
}

/* A block joins the free one behind it, neither of them in the index; it may be in use, and stays so. Where both are
 * zero, so must be the seam. Killed behind the store of the size: `after->before` is old, and the seam may not be zero
 * though the block says so; recovery takes no block for zero. */
static void absorb(tag *t, tag *second) {
  uint32_t size = tag_size(t) + tag_size(second);
  uint32_t flags = tag_word(t) & (tag_word(second) | TAG_USED) & (TAG_ZERO | TAG_USED);
  tag *after = tag_after(second);
  set_tag_word(t, size | flags);
  after->before = size;
  if ((flags & TAG_ZERO) != 0)
    __builtin_memset((void *)second, 0, NODE_SIZE);
}

/* ---- Regions, under the lock ---------------------------------------------------------------- */

static bool is_in_region(uint32_t shard, page_index page) {
  return page_owner(page) == PAGE_LARGE + shard;
}

static bool begins_region(uint32_t shard, page_index page) {
  return page_entry(page) == PAGE_LARGE + shard;
}

/* For one block of this size, and the end tag. */
static page_index pages_of_region(uint32_t size) { return (size + TAG_SIZE + PAGE - 1) / PAGE; }

/* Two regions that meet at a page become one, where the block before the page is free: that gets the end tag's
 * bytes, and becomes one with the next if that is free too. Neither is in the index.
 *
 * Killed before the store that adds to the last block: two regions, the first one's end perhaps without its flag.
 * Behind it: the walk of the first goes on into the second, whose first page still says that it begins one. */
static void join_regions(uint32_t shard, tag *last) {
  tag *end = tag_after(last), *behind = (tag *)((uintptr_t)end + TAG_SIZE);
  if (!tag_is_end(end) || !begins_region(shard, page_of(behind)))
    return;
  set_tag_word(end, 0); /* its bytes may be counted as zero */
  end->before = 0;
  stores_in_order();
  set_tag_word(last, tag_word(last) + TAG_SIZE);
  stores_in_order();
  (void)walloc_map_take(page_of(behind), 1, (page_mark)(PAGE_LARGE + shard) | PAGE_NOT_FIRST);
  behind->before = tag_size(last);
}

/* A free block that is not in the index joins its free neighbours, also beyond the end of its region, and goes
 * into the index; returns what it has become. */
static tag *settle(uint32_t shard, tag *t) {
  join_regions(shard, t);
  tag *after = tag_after(t), *before = tag_before(t);
  if (!tag_is_used(after)) {
    pick(shard, after);
    absorb(t, after);
  }
  if (before != NULL && !tag_is_used(before)) {
    pick(shard, before);
    absorb(before, t);
    t = before;
  }
  put(shard, t);
  return t;
}

/* Before this, nobody takes the pages for a region that has tags. Killed before the map is written, or while it is,
 * from the last page to the first: its first page is PAGE_RAW, and recovery gives back that run and what of it is
 * large already. */
static void add_region(uint32_t shard, const page_run *run, page_index pages) {
  tag *t = tag_at(run->first * PAGE);
  uint32_t size = pages * PAGE - TAG_SIZE;
  tag *end = tag_at(run->first * PAGE + size);
  set_tag_word(end, TAG_USED);
  end->before = size;
  t->before = 0;
  set_tag_word(t, size | (run->fresh ? TAG_ZERO : 0));
  stores_in_order();
  (void)walloc_map_take(run->first, pages, (page_mark)(PAGE_LARGE + shard));
  (void)settle(shard, t);
  if (!is_in_region(shard, run->first - 1))
    return;
  tag *last = tag_before(tag_at(run->first * PAGE - TAG_SIZE));
  if (!tag_is_used(last)) {
    pick(shard, last);
    (void)settle(shard, last);
  }
}

/* With its tag. */
static uint32_t total_of(size_t size) { return (uint32_t)((size + TAG_SIZE + 15) & ~(size_t)15); }

/* ---- Regions without blocks, under the lock ------------------------------------------------- */

/* Whether a region is one free block. */
static bool is_idle(uint32_t shard, page_index first) {
  tag *t = tag_at(first * PAGE);
  return begins_region(shard, first) && !tag_is_used(t) && tag_is_end(tag_after(t));
}

/* Where the provider is busy, it stays. */
static void give_if_idle(uint32_t shard, page_index first) {
  tag *t = tag_at(first * PAGE);
  if (!is_idle(shard, first))
    return;
  pick(shard, t);
  if (!walloc_pages_give(first, pages_of_region(tag_size(t))))
    put(shard, t);
}

/* ---- Allocating ----------------------------------------------------------------------------- */

/* Under the lock. */
static tag *take(uint32_t shard, uint32_t size, bool grown) {
  tag *t = find(shard, size, grown);
  if (t == NULL)
    return NULL;
  pick(shard, t);
  uint32_t rest = tag_size(t) - size;
  if (rest >= NODE_SIZE)
    put_of_size(shard, split(t, size), rest);
  set_tag_word(t, tag_word(t) | TAG_USED);
  return t;
}

/* Under the lock. */
static walloc_error grow(uint32_t shard, uint32_t size) {
  page_index pages = pages_of_region(size);
  page_run run;
  page_mark raw = (page_mark)(PAGE_RAW + shard);
  walloc_error error = walloc_heap_take(pages, 1, raw, &run);
  if (error == WALLOC_OK)
    add_region(shard, &run, pages);
  return error;
}

/* Under the lock: the block of a tag that was just taken. */
static void *hand_out(tag *t, bool *zero) {
  *zero = tag_is_zero(t);
  set_tag_word(t, tag_word(t) & ~TAG_ZERO);
  memory_unpoison(tag_block(t), tag_size(t) - TAG_SIZE);
  return tag_block(t);
}

/* First in the thread's own shard, then in those that nobody is in, and where there is no room either, in
 * more memory of its own; before, what is kept there and everywhere goes back to the page provider. Where there is
 * no more, also in the others, whoever is in them; and once more in memory of its own, as these give back what they
 * kept. One lock at a time. */
void *walloc_large_allocate(uint32_t own, size_t size, bool *zero, walloc_error *error) {
  uint32_t total = total_of(size);
  void *block = NULL;
  *error = WALLOC_ERROR_BUSY;
  for (uint32_t turn = 0; turn <= 2 * PAGE_SHARDS && block == NULL; turn++) {
    uint32_t shard = (own + turn) % PAGE_SHARDS;
    walloc_lock *lock = &shards[shard].lock;
    bool waits = turn == 0 || turn >= PAGE_SHARDS;
    if (waits ? !walloc_lock_insist(lock) : !walloc_lock_try(lock))
      continue;
    tag *t = take(shard, total, false);
    if (t == NULL && turn != 0)
      give_if_idle(shard, shards[shard].kept);
    if (t == NULL && turn != 0 && turn % PAGE_SHARDS == 0 &&
        (*error = grow(shard, total)) == WALLOC_OK)
      t = take(shard, total, true);
    if (t != NULL)
      block = hand_out(t, zero);
    walloc_lock_release(lock);
  }
  return block;
}

/* ---- Freeing and resizing ------------------------------------------------------------------- */

/* Under the lock: the address may be anything within the pages of a region. */
static bool is_block(uint32_t shard, tag *t) {
  if (tag_offset(t) % 16 != 0 || !is_in_region(shard, page_of(t)) ||
      memory_is_poisoned(t, TAG_SIZE))
    return false;
  uint32_t size = tag_size(t);
  return size >= NODE_SIZE && is_in_region(shard, page_of(tag_after(t))) &&
         !memory_is_poisoned(tag_after(t), TAG_SIZE) && tag_after(t)->before == size;
}

static bool is_live(uint32_t shard, tag *t) { return is_block(shard, t) && tag_is_used(t); }

/* A region without blocks goes back to the page provider: at once if it is as large as a huge block, else
 * when another one has come to be so. One is kept, as who frees a large block often wants another. Under the lock. */
static void keep_idle(uint32_t shard, tag *t) {
  page_index *kept = &shards[shard].kept;
  page_index idle = tag_offset(t) / PAGE;
  if (tag_size(t) < HUGE_MIN) {
    page_index before = *kept;
    *kept = idle;
    idle = before == idle ? 0 : before;
  }
  give_if_idle(shard, idle);
}

/* Under the lock. */
static void free_tag(uint32_t shard, tag *t) {
  poison_freed(tag_block(t), tag_size(t) - TAG_SIZE);
  set_tag_word(t, tag_size(t));
  t = settle(shard, t);
  if (t->before == 0 && tag_is_end(tag_after(t)))
    keep_idle(shard, t);
}

bool walloc_large_free(void *block, walloc_misuse_kind *kind) {
  tag *t = tag_of_block(block);
  uint32_t shard = shard_of(block);
  walloc_lock *lock = &shards[shard].lock;
  if (!walloc_lock_insist(lock))
    return true;
  bool found = is_block(shard, t), live = found && tag_is_used(t);
  *kind = found ? WALLOC_MISUSE_DOUBLE_FREE : WALLOC_MISUSE_INTERIOR;
  if (live)
    free_tag(shard, t);
  walloc_lock_release(lock);
  return live;
}

bool walloc_large_is_live(void *block) {
  uint32_t shard = shard_of(block);
  walloc_lock *lock = &shards[shard].lock;
  if (!walloc_lock_insist(lock))
    return false;
  bool live = is_live(shard, tag_of_block(block));
  walloc_lock_release(lock);
  return live;
}

/* Under the lock. Room comes from a free block behind; what is too much becomes one. */
static bool resize(uint32_t shard, tag *t, uint32_t total) {
  tag *after = tag_after(t);
  uint32_t before = tag_size(t);
  uint32_t behind = tag_is_used(after) ? 0 : tag_size(after);
  if (before < total && before + behind < total)
    return false;
  if (before < total) {
    pick(shard, after);
    absorb(t, after);
    memory_unpoison(tag_block(t), tag_size(t) - TAG_SIZE);
  }
  if (tag_size(t) - total >= NODE_SIZE) {
    tag *rest = split(t, total);
    set_tag_word(rest, tag_size(rest));
    poison_freed(tag_block(rest), tag_size(rest) - TAG_SIZE);
    (void)settle(shard, rest);
  }
  return true;
}

bool walloc_large_resize(void *block, size_t size) {
  uint32_t shard = shard_of(block);
  walloc_lock *lock = &shards[shard].lock;
  if (size > HUGE_MIN || !walloc_lock_insist(lock))
    return false;
  bool done = resize(shard, tag_of_block(block), total_of(size));
  walloc_lock_release(lock);
  return done;
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* Calls for each free block. Under the lock. */
static void for_each_free(uint32_t shard, void (*visit)(uint32_t, tag *, void *), void *user) {
  page_index end = walloc_pages_top();
  for (page_index page = 0; page < end; page++) {
    if (!begins_region(shard, page))
      continue;
    for (tag *t = tag_at(page * PAGE); !tag_is_end(t); t = tag_after(t))
      if (!tag_is_used(t))
        visit(shard, t, user);
  }
}

typedef struct measure {
  size_t blocks, bytes;
} measure;

static void add_to_measure(uint32_t shard, tag *t, void *user) {
  (void)shard;
  measure *m = user;
  m->blocks++;
  m->bytes += tag_size(t);
}

void walloc_large_measure(size_t *blocks, size_t *bytes) {
  measure m = {0, 0};
  for (uint32_t shard = 0; shard < PAGE_SHARDS; shard++) {
    if (!walloc_lock_insist(&shards[shard].lock))
      continue;
    for_each_free(shard, add_to_measure, &m);
    walloc_lock_release(&shards[shard].lock);
  }
  *blocks = m.blocks;
  *bytes = m.bytes;
}

/* ---- The strategy --------------------------------------------------------------------------- */

static void put_again(uint32_t shard, tag *t, void *unused) {
  (void)unused;
  put(shard, t);
}

/* Makes the index again from the tags. Under the lock. */
static void index_all(uint32_t shard) {
  clear(shard);
  for_each_free(shard, put_again, NULL);
}

void walloc_large_forget(void) {
  for (uint32_t shard = 0; shard < PAGE_SHARDS; shard++)
    clear(shard);
}

/* Nobody else holds one lock and asks for another, so all are had in the end. */
walloc_error walloc_large_choose(const strategy *next) {
  uint32_t held = 0;
  while (held < PAGE_SHARDS && walloc_lock_insist(&shards[held].lock))
    held++;
  bool all = held == PAGE_SHARDS, changes = all && next != chosen;
  if (changes)
    chosen = next;
  for (uint32_t shard = 0; shard < held; shard++) {
    if (changes)
      index_all(shard);
    walloc_lock_release(&shards[shard].lock);
  }
  return all ? WALLOC_OK : WALLOC_ERROR_BUSY;
}

/* ---- When a thread has died ------------------------------------------------------------------ */

/* Of a region: sets `before` of all its tags, joins free neighbours, and finishes joining it with the next.
 * No block is taken for zero any more. Killed in here: each store leaves a good walk, and all is done again. */
static void mend_region(uint32_t shard, page_index page) {
  tag *t = tag_at(page * PAGE), *before = NULL;
  for (; !tag_is_end(t); t = tag_after(t)) {
    if (before != NULL && tag_offset(t) % PAGE == 0 && begins_region(shard, page_of(t)))
      (void)walloc_map_take(page_of(t), 1, (page_mark)(PAGE_LARGE + shard) | PAGE_NOT_FIRST);
    set_tag_word(t, tag_word(t) & ~TAG_ZERO);
    if (before != NULL && !tag_is_used(before) && !tag_is_used(t)) {
      set_tag_word(before, tag_size(before) + tag_size(t));
      t = before;
    } else {
      t->before = before == NULL ? 0 : tag_size(before);
      before = t;
    }
  }
  set_tag_word(t, TAG_USED);
  t->before = before == NULL ? 0 : tag_size(before);
}

/* Pages that were to be a region, and what of them is one already. Under the page lock. */
static void give_raw(uint32_t shard, page_index first) {
  page_index end = first + 1;
  while (page_entry(end) == ((PAGE_RAW + shard) | PAGE_NOT_FIRST))
    end++;
  while (page_entry(end) == ((PAGE_LARGE + shard) | PAGE_NOT_FIRST))
    end++;
  walloc_pages_give_held(first, end - first);
}

static void mend_shard(uint32_t shard) {
  page_index end = walloc_pages_top();
  for (page_index page = 0; page < end; page++) {
    if (page_entry(page) == PAGE_RAW + shard)
      give_raw(shard, page);
    if (begins_region(shard, page))
      mend_region(shard, page);
  }
  index_all(shard);
}

void walloc_large_thread_lost(uint32_t thread) {
  for (uint32_t shard = 0; shard < PAGE_SHARDS; shard++) {
    if (!walloc_lock_take_over(&shards[shard].lock, thread))
      continue;
    mend_shard(shard);
    walloc_lock_release(&shards[shard].lock);
  }
}
