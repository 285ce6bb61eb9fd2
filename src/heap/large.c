/* Large blocks. See tag.h for how they lie, strategy.h for how a free one is chosen.
 *
 * What a kill leaves behind, with the lock, which names the dead thread: each change of the tags is
 * written so that it takes hold by one store of a size, before which the walk sees the old blocks and
 * behind which it sees the new ones. `before` of the next tag and the index may be old then: recovery
 * (walloc_large_thread_lost) makes both again from the walk. */
#include "heap/large.h"

#include "heap/hardened.h"
#include "heap/obtain.h"
#include "heap/part.h"
#include "heap/poison.h"
#include "lock/lock.h"

#define PAGE ((uint32_t)WALLOC_PAGE_SIZE)

static walloc_lock lock;
static const strategy *chosen = &walloc_first_fit; /* written under the lock */

/* ---- The index, under the lock -------------------------------------------------------------- */

/* What is too small for any large block only waits for its neighbours. */
static bool is_indexed(const tag *t) { return tag_size(t) > SMALL_MAX; }

static void put(tag *t) {
  if (is_indexed(t))
    chosen->insert((node *)(void *)t);
}

static void pick(tag *t) {
  if (is_indexed(t))
    chosen->remove((node *)(void *)t);
}

/* ---- Tags, under the lock ------------------------------------------------------------------- */

/* Cuts a block in two. The second becomes one by the first's new size. Killed before that store: one block; behind
 * it: two, and `after->before` is old. */
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

/* A free block that is not in the index joins its free neighbours and goes into the index; returns what it
 * has become. */
static tag *settle(tag *t) {
  tag *after = tag_after(t), *before = tag_before(t);
  if (!tag_is_used(after)) {
    pick(after);
    absorb(t, after);
  }
  if (before != NULL && !tag_is_used(before)) {
    pick(before);
    absorb(before, t);
    t = before;
  }
  put(t);
  return t;
}

/* ---- Regions, under the lock ---------------------------------------------------------------- */

static bool ends_region(page_index page) { return page_owner(page - 1) == PAGE_LARGE; }

static bool begins_region(page_index page) { return page_entry(page) == PAGE_LARGE; }

/* Two regions that meet at a page become one: the end tag's bytes go to the block before it. If that is
 * in use, its owner has 16 bytes more from then on, whether he notices or not; but a guard at its end must
 * stay where it is, and the two regions two.
 *
 * Killed before the store that adds to the last block: two regions, the first one's end perhaps without its flag.
 * Behind it: the walk of the first goes on into the second, whose first page still says that it begins one. */
static void join_regions(page_index page) {
  if (!ends_region(page) || !begins_region(page))
    return;
  tag *behind = tag_at(page * PAGE);
  tag *end = tag_at(page * PAGE - TAG_SIZE);
  tag *last = tag_before(end);
  bool is_free = !tag_is_used(last);
  if (BLOCKS_HAVE_GUARDS && !is_free)
    return;
  if (is_free)
    pick(last);
  set_tag_word(end, 0); /* its bytes may be counted as zero */
  end->before = 0;
  stores_in_order();
  set_tag_word(last, tag_word(last) + TAG_SIZE);
  stores_in_order();
  (void)walloc_map_take(page, 1, PAGE_LARGE | PAGE_NOT_FIRST);
  behind->before = tag_size(last);
  if (is_free)
    (void)settle(last);
}

/* Before this, nobody takes the pages for a region that has tags. Killed before the map is written, or while it is,
 * from the last page to the first: its first page is PAGE_RAW, and recovery gives back that run and what of it is
 * large already. */
static void add_region(const page_run *run, page_index pages) {
  tag *t = tag_at(run->first * PAGE);
  uint32_t size = pages * PAGE - TAG_SIZE;
  tag *end = tag_at(run->first * PAGE + size);
  set_tag_word(end, TAG_USED);
  end->before = size;
  t->before = 0;
  set_tag_word(t, size | (run->fresh ? TAG_ZERO : 0));
  stores_in_order();
  (void)walloc_map_take(run->first, pages, PAGE_LARGE);
  put(t);
  join_regions(run->first);
  join_regions(run->first + pages);
}

/* With its tag, and of a size that the index knows. */
static uint32_t total_of(size_t size) {
  size_t indexed = size > SMALL_MAX ? size : SMALL_MAX + 1;
  return (uint32_t)((indexed + TAG_SIZE + 15) & ~(size_t)15);
}

/* ---- Allocating ----------------------------------------------------------------------------- */

/* Under the lock. */
static tag *take(uint32_t size) {
  node *found = chosen->find(size);
  if (found == NULL)
    return NULL;
  tag *t = &found->tag;
  pick(t);
  if (tag_size(t) - size >= NODE_SIZE)
    put(split(t, size));
  set_tag_word(t, tag_word(t) | TAG_USED);
  return t;
}

static walloc_error grow(uint32_t size) {
  page_index pages = pages_holding((uint64_t)size + TAG_SIZE);
  page_run run;
  walloc_error error = walloc_heap_take(&(page_request){pages, 1, PAGE_RAW, true}, &run);
  if (error == WALLOC_OK)
    add_region(&run, pages);
  return error;
}

/* Under the lock. */
static walloc_error find_or_grow(uint32_t size, tag **found) {
  walloc_error error = WALLOC_OK;
  *found = take(size);
  if (*found == NULL && (error = grow(size)) == WALLOC_OK)
    *found = take(size);
  return error;
}

void *walloc_large_allocate(size_t size, bool *zero, walloc_error *error) {
  tag *t;
  *error = WALLOC_ERROR_BUSY;
  if (!walloc_lock_insist(&lock))
    return NULL;
  *error = find_or_grow(total_of(size), &t);
  if (t != NULL) {
    *zero = tag_is_zero(t);
    set_tag_word(t, tag_word(t) & ~TAG_ZERO);
    memory_unpoison(tag_block(t), tag_size(t) - TAG_SIZE);
  }
  walloc_lock_release(&lock);
  return t == NULL ? NULL : tag_block(t);
}

/* ---- Freeing and resizing ------------------------------------------------------------------- */

static bool is_in_region(const tag *t) { return page_owner(page_of(t)) == PAGE_LARGE; }

/* Under the lock: the address may be anything within the pages of a region. */
static bool is_live(tag *t) {
  if (tag_offset(t) % 16 != 0 || !is_in_region(t) || memory_is_poisoned(t, TAG_SIZE))
    return false;
  uint32_t size = tag_size(t);
  return tag_is_used(t) && size >= NODE_SIZE && is_in_region(tag_after(t)) &&
         !memory_is_poisoned(tag_after(t), TAG_SIZE) && tag_after(t)->before == size;
}

/* Whether a region is one free block. */
static bool is_idle(page_index first) {
  tag *t = tag_at(first * PAGE);
  return begins_region(first) && !tag_is_used(t) && tag_is_end(tag_after(t));
}

/* A region without blocks goes back to the page provider: at once if it is as large as a huge block, else
 * when another one has come to be so. One is kept, as who frees a large block often wants another. Where
 * the provider is busy, it stays. Under the lock. */
static void keep_idle(tag *t) {
  static page_index kept; /* under the lock; 0: none */
  page_index idle = tag_offset(t) / PAGE;
  if (tag_size(t) < HUGE_MIN) {
    page_index before = kept;
    kept = idle;
    idle = before == idle ? 0 : before;
  }
  if (!is_idle(idle))
    return;
  tag *other = tag_at(idle * PAGE);
  page_index pages = pages_holding((uint64_t)tag_size(other) + TAG_SIZE);
  pick(other);
  if (!walloc_pages_give(idle, pages))
    put(other);
}

/* Under the lock. */
static void free_tag(tag *t) {
  poison_freed(tag_block(t), tag_size(t) - TAG_SIZE);
  set_tag_word(t, tag_size(t));
  t = settle(t);
  if (t->before == 0 && tag_is_end(tag_after(t)))
    keep_idle(t);
}

bool walloc_large_free(void *block) {
  tag *t = tag_of_block(block);
  if (!walloc_lock_insist(&lock))
    return true;
  bool live = is_live(t);
  if (live)
    free_tag(t);
  walloc_lock_release(&lock);
  return live;
}

bool walloc_large_is_live(void *block) {
  if (!walloc_lock_insist(&lock))
    return false;
  bool live = is_live(tag_of_block(block));
  walloc_lock_release(&lock);
  return live;
}

/* Under the lock. Room comes from a free block behind; what is too much becomes one. */
static bool resize(tag *t, uint32_t total) {
  tag *after = tag_after(t);
  uint32_t before = tag_size(t);
  uint32_t behind = tag_is_used(after) ? 0 : tag_size(after);
  if (before < total && before + behind < total)
    return false;
  if (before < total) {
    pick(after);
    absorb(t, after);
    memory_unpoison(tag_block(t), tag_size(t) - TAG_SIZE);
  }
  if (tag_size(t) - total >= NODE_SIZE) {
    tag *rest = split(t, total);
    set_tag_word(rest, tag_size(rest));
    poison_freed(tag_block(rest), tag_size(rest) - TAG_SIZE);
    (void)settle(rest);
  }
  return true;
}

bool walloc_large_resize(void *block, size_t size) {
  if (size > HUGE_MIN || !walloc_lock_insist(&lock))
    return false;
  bool done = resize(tag_of_block(block), total_of(size));
  walloc_lock_release(&lock);
  return done;
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* Calls for each free block. Under the lock. */
static void for_each_free(void (*visit)(tag *, void *), void *user) {
  page_index end = walloc_pages_top();
  for (page_index page = 0; page < end; page++) {
    if (!begins_region(page))
      continue;
    for (tag *t = tag_at(page * PAGE); !tag_is_end(t); t = tag_after(t))
      if (!tag_is_used(t))
        visit(t, user);
  }
}

typedef struct measure {
  size_t blocks, bytes;
} measure;

static void add_to_measure(tag *t, void *user) {
  measure *m = user;
  m->blocks++;
  m->bytes += tag_size(t);
}

void walloc_large_measure(size_t *blocks, size_t *bytes) {
  measure m = {0, 0};
  if (walloc_lock_insist(&lock)) {
    for_each_free(add_to_measure, &m);
    walloc_lock_release(&lock);
  }
  *blocks = m.blocks;
  *bytes = m.bytes;
}

/* ---- The strategy --------------------------------------------------------------------------- */

static void put_again(tag *t, void *unused) {
  (void)unused;
  put(t);
}

/* Makes the index again from the tags. Under the lock. */
static void index_all(void) {
  chosen->clear();
  for_each_free(put_again, NULL);
}

void walloc_large_forget(void) { chosen->clear(); }

walloc_error walloc_large_choose(const strategy *next) {
  if (!walloc_lock_insist(&lock))
    return WALLOC_ERROR_BUSY;
  if (next != chosen) {
    chosen = next;
    index_all();
  }
  walloc_lock_release(&lock);
  return WALLOC_OK;
}

/* ---- When a thread has died ------------------------------------------------------------------ */

/* Of a region: sets `before` of all its tags, joins free neighbours, and finishes joining it with the next.
 * No block is taken for zero any more. Killed in here: each store leaves a good walk, and all is done again. */
static void mend_region(page_index page) {
  tag *t = tag_at(page * PAGE), *before = NULL;
  for (; !tag_is_end(t); t = tag_after(t)) {
    if (before != NULL && tag_offset(t) % PAGE == 0 && begins_region(page_of(t)))
      (void)walloc_map_take(page_of(t), 1, PAGE_LARGE | PAGE_NOT_FIRST);
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
static void give_raw(page_index first) {
  page_index end = first + 1;
  while (page_entry(end) == (PAGE_RAW | PAGE_NOT_FIRST))
    end++;
  while (page_entry(end) == (PAGE_LARGE | PAGE_NOT_FIRST))
    end++;
  walloc_pages_give_held(first, end - first);
}

void walloc_large_thread_lost(uint32_t thread) {
  page_index end = walloc_pages_top();
  if (!walloc_lock_take_over(&lock, thread))
    return;
  for (page_index page = 0; page < end; page++) {
    if (page_entry(page) == PAGE_RAW)
      give_raw(page);
    if (begins_region(page))
      mend_region(page);
  }
  index_all();
  walloc_lock_release(&lock);
}
