/* What must be in order after each recovery. Alone: nobody else uses walloc. */
#include "kill/kill.h"

#include <string.h>

#include "arena/arena.h"
#include "heap/part.h"
#include "heap/picture.h"
#include "heap/tag.h"
#include "pages/pages.h"

common kill_common;

static uint32_t next_seed = 1;

/* ---- Blocks that the program holds ---------------------------------------------------------- */

/* Both ends: an overlap of two blocks reaches one of them. */
#define FILLED ((size_t)256)

static unsigned char byte_of(uint32_t seed, size_t i) {
  return (unsigned char)((size_t)seed * 37 + i * 11);
}

static void fill(unsigned char *address, size_t size, uint32_t seed) {
  for (size_t i = 0; i < size; i++) {
    if (i == FILLED && size > 2 * FILLED)
      i = size - FILLED;
    address[i] = byte_of(seed, i);
  }
}

static bool is_intact(const unsigned char *address, size_t size, uint32_t seed) {
  for (size_t i = 0; i < size; i++) {
    if (i == FILLED && size > 2 * FILLED)
      i = size - FILLED;
    if (address[i] != byte_of(seed, i))
      return false;
  }
  return true;
}

void refill(size_t held) {
  held_block *block = &kill_common.held[held];
  fill(block->address, block->size, block->seed);
}

static size_t remember(void *address, size_t size) {
  if (address == NULL || kill_common.held_count == HELD_MAX - 1)
    __builtin_trap();
  kill_common.held[kill_common.held_count] = (held_block){address, size, next_seed++, false};
  refill(kill_common.held_count);
  return kill_common.held_count++;
}

/* How many blocks of each class the calling thread's part is taken to have had from scraps. */
static void count_scraps(uint8_t count) {
  if (is_no_part(walloc_own_part))
    walloc_free(walloc_malloc(1));
  memset(walloc_own_part->scraps, count, sizeof walloc_own_part->scraps);
}

size_t hold(size_t size) {
  count_scraps(UINT8_MAX);
  return remember(walloc_malloc(size), size);
}

size_t hold_scrap(size_t size) {
  count_scraps(0);
  return remember(walloc_malloc(size), size);
}

size_t hold_run(size_t size) {
  return remember(walloc_aligned_alloc(WALLOC_PAGE_SIZE, size), size);
}

void let_go(size_t held) {
  walloc_free(kill_common.held[held].address);
  kill_common.held[held].address = NULL;
}

void hold_ref(size_t size) {
  walloc_ref ref = walloc_alloc_ref(kill_common.arena, size);
  if (ref.address == NULL || kill_common.ref_count == REFS_MAX)
    __builtin_trap();
  fill(ref.address, size, (uint32_t)kill_common.ref_count);
  kill_common.refs[kill_common.ref_count++] = ref;
}

static const char *check_held(void) {
  for (size_t i = 0; i < kill_common.held_count; i++) {
    const held_block *held = &kill_common.held[i];
    if (held->address != NULL && !held->in_doubt &&
        !is_intact(held->address, held->size, held->seed))
      return "a block of the heap was overwritten";
  }
  return NULL;
}

static const char *check_refs(bool recycled) {
  for (size_t i = 0; i < kill_common.ref_count; i++) {
    walloc_ref ref = kill_common.refs[i];
    if (!recycled && !walloc_ref_valid(ref))
      return "a block of an arena is gone";
    if (walloc_ref_valid(ref) && !is_intact(ref.address, ref.size, (uint32_t)i))
      return "a block of an arena was overwritten";
  }
  return NULL;
}

/* ---- The map -------------------------------------------------------------------------------- */

static const char *check_map(void) {
  page_index top = walloc_pages_top(), obtained = 0, free = 0, own = 0, heap = 0;
  for (page_index page = 1; page < top; page++) {
    page_mark mark = page_entry(page);
    obtained += mark != PAGE_FOREIGN;
    free += page_is_free(page);
    own += page_mark_is_own(mark);
    heap += page_mark_is_heap(mark);
    if (mark < PAGE_SPAN && (mark & PAGE_NOT_FIRST) != 0 &&
        page_owner(page - 1) != page_owner(page))
      return "a page belongs to no run";
    if (page_owner(page) >= PAGE_RAW && page_owner(page) < PAGE_RAW + PAGE_SHARDS)
      return "pages on the way to be large blocks are left";
  }
  walloc_pages_sums sums = walloc_pages_count();
  if (sums.obtained != obtained || sums.free != free || sums.own != own || sums.heap != heap)
    return "the sums are not those of the map";
  return NULL;
}

/* Every run of an arena is one of its chunks, and the other way round. */
static const char *check_chunks(void) {
  page_index top = walloc_pages_top(), pages = 0, chunks = 0;
  for (page_index page = 0; page < top; page++)
    pages += page_owner(page) >= PAGE_ARENA && page_owner(page) < PAGE_NOT_FIRST;
  for (uint32_t slot = 0; slot < WALLOC_ARENAS_MAX; slot++)
    for (uint32_t n = 0; n < WALLOC_CHUNKS_MAX; n++) {
      chunk c = arena_chunk(&walloc_arenas[slot], n);
      if (c == CHUNK_NONE)
        break;
      chunks += chunk_pages(c);
      if (page_entry(chunk_first_page(c)) != PAGE_ARENA + slot)
        return "a chunk is not the arena's";
    }
  return pages == chunks ? NULL : "an arena's pages are not its chunks'";
}

/* ---- Small blocks --------------------------------------------------------------------------- */

enum { UNITS_MAX = 1 << 23 }; /* of 16 bytes: 128 MiB */
static uint32_t seen_in[UNITS_MAX];
static uint32_t check_number;

static const char *see_block(block_offset block, uint32_t c) {
  page_mark mark = page_entry(page_of_block(block));
  uint32_t begin = span_first(c, page_of_block(block)) * (uint32_t)WALLOC_PAGE_SIZE;
  if (mark < PAGE_SPAN || mark % (1 << PART_SHIFT) != c || (block - begin) % class_size(c) != 0)
    return "a list holds what is no block of its class";
  if (seen_in[block / 16] == check_number)
    return "a block is in two lists, or twice in one";
  seen_in[block / 16] = check_number;
  return NULL;
}

static const char *see_list(block_offset block, uint32_t c) {
  const char *problem = NULL;
  for (; block != 0 && problem == NULL; block = list_below(block))
    problem = see_block(block, c);
  return problem;
}

static const char *see_lists(block_offset list, uint32_t c) {
  const char *problem = NULL;
  for (; list != 0 && problem == NULL; list = next_list(list))
    problem = see_list(list, c);
  return problem;
}

static const char *check_part(heap_part *part) {
  const char *problem = NULL;
  if (part->taker != 0)
    return "somebody takes lists for ever";
  for (uint32_t i = 0; i < OUTBOX && problem == NULL; i++)
    if (part->outbox[i].blocks != 0)
      problem = see_list(part->outbox[i].blocks, part->outbox[i].mark % (1 << PART_SHIFT));
  for (uint32_t c = 0; c < CLASSES && problem == NULL; c++) {
    problem = see_list(part->lists[c], c);
    if (problem == NULL)
      problem = see_lists(part->pending[c], c);
    if (problem == NULL)
      problem = see_lists(part->incoming[c], c);
  }
  return problem;
}

static const char *check_parts(void) {
  heap_part *part;
  const char *problem = NULL;
  check_number++;
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL && problem == NULL; n++) {
    problem = check_part(part);
    if (part->thread % 2 == 0 && part->thread != 0 && part->thread != walloc_thread_self())
      problem = "a dead thread has a part";
  }
  return problem;
}

/* ---- Large blocks --------------------------------------------------------------------------- */

static const char *check_region(page_index first) {
  page_index last = first;
  while (page_run_goes_on(last))
    last++;
  uint32_t end = (last + 1) * (uint32_t)WALLOC_PAGE_SIZE - TAG_SIZE;
  tag *t = tag_at(first * (uint32_t)WALLOC_PAGE_SIZE), *before = NULL;
  for (; !tag_is_end(t); before = t, t = tag_after(t)) {
    if (tag_size(t) % 16 != 0 || tag_size(t) < NODE_SIZE || tag_size(t) > end - tag_offset(t))
      return "a large block has an impossible size";
    if (t->before != (before == NULL ? 0 : tag_size(before)))
      return "a large block is wrong about the one before";
    if (before != NULL && !tag_is_used(before) && !tag_is_used(t))
      return "two free neighbours are two blocks";
  }
  if (tag_offset(t) != end || !tag_is_used(t) || before == NULL || t->before != tag_size(before))
    return "a region does not end where it should";
  return NULL;
}

static bool is_first_of_region(page_index page) {
  page_mark entry = page_entry(page);
  return page_mark_is_large(entry) && (entry & PAGE_NOT_FIRST) == 0;
}

static const char *check_regions(void) {
  page_index top = walloc_pages_top();
  for (page_index page = 0; page < top; page++) {
    const char *problem = is_first_of_region(page) ? check_region(page) : NULL;
    if (problem != NULL)
      return problem;
  }
  return NULL;
}

/* ---- The walk ------------------------------------------------------------------------------- */

/* What is live is held, or leaked. */
static const char *check_walk(size_t leak) {
  heap_picture picture;
  if (!picture_take(&picture))
    return "the heap cannot be walked";
  const char *problem = picture_problem(&picture);
  size_t live = picture_bytes(&picture, true), known = 0;
  for (size_t i = 0; i < kill_common.held_count && problem == NULL; i++) {
    const held_block *held = &kill_common.held[i];
    const walloc_heap_range *range =
        held->address == NULL ? NULL : picture_find(&picture, held->address);
    bool is_live = range != NULL && range->live;
    if (held->address != NULL && !held->in_doubt && (!is_live || range->size < held->size))
      problem = "a block that is held is not live";
    known += is_live && !held->in_doubt ? range->size : 0;
  }
  picture_drop(&picture);
  if (problem == NULL && live > known + leak)
    problem = "more has leaked than may";
  return problem;
}

const char *kill_check_structure(void) {
  const char *problem = check_map();
  if (problem == NULL)
    problem = check_chunks();
  if (problem == NULL)
    problem = check_parts();
  return problem != NULL ? problem : check_regions();
}

const char *kill_check(const operation *op) {
  const char *problem = kill_check_structure();
  if (problem == NULL)
    problem = check_walk(op->leak);
  if (problem == NULL)
    problem = check_held();
  return problem != NULL ? problem : check_refs((op->flags & RECYCLES) != 0);
}

/* ---- Using all rooms ------------------------------------------------------------------------ */

static const char *use_heap(void) {
  static const size_t sizes[] = {16, 64, 64, 1000, 2048, 5000, 20000, 40000, 50000, 100000, 300000};
  for (int times = 0; times < 5; times++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      hold(sizes[i]);
  for (int times = 0; times < 100; times++)
    hold(64);
  for (int times = 0; times < 10; times++) /* out of what is left, and out of pages */
    hold_scrap(500);
  const char *problem = check_held();
  for (size_t i = 0; i < kill_common.held_count; i++)
    if (kill_common.held[i].address != NULL && !kill_common.held[i].in_doubt)
      let_go(i);
  return problem;
}

static bool use_arena(walloc_arena *arena) {
  walloc_mark mark;
  return walloc_alloc(arena, 64) != NULL && walloc_alloc(arena, 300000) != NULL &&
         walloc_set_mark(arena, &mark) == WALLOC_OK && walloc_alloc(arena, 20000) != NULL &&
         walloc_rewind(mark) == WALLOC_OK && walloc_compact(arena, 64) == WALLOC_OK &&
         walloc_preserve(arena) == WALLOC_OK && walloc_pin(arena) == WALLOC_OK &&
         walloc_reset(arena) == WALLOC_ERROR_PINNED && walloc_unpin(arena) == WALLOC_OK &&
         walloc_reset(arena) == WALLOC_OK && walloc_trim(arena) == WALLOC_OK;
}

/* What is in it is taken first, so that there is room. */
static bool use_queue(walloc_queue *queue) {
  walloc_ref ref;
  while (walloc_queue_poll(queue, &ref, NULL) != WALLOC_ERROR_EMPTY) {
  }
  ref = walloc_alloc_ref(walloc_tier(WALLOC_ENTITY), 8);
  walloc_error error = walloc_queue_publish(queue, ref, 7);
  uint32_t got = 0;
  for (int tries = 0; tries < 200 && got != 7; tries++) {
    error = walloc_queue_poll(queue, &ref, &got);
    if (error != WALLOC_OK && error != WALLOC_ERROR_STALE)
      return false;
  }
  return error == WALLOC_OK && got == 7;
}

/* No two blocks have the same slot, and each knows when it is freed. */
static const char *use_references(void) {
  enum { COUNT = 700 };
  static walloc_ref refs[COUNT];
  for (int i = 0; i < COUNT; i++)
    refs[i] = walloc_malloc_ref(i % 16 == 0 ? 40000 : 64);
  for (int i = 0; i < COUNT; i++)
    if (refs[i].address == NULL || !walloc_ref_valid(refs[i]))
      return "a block of the heap is not there";
  for (int i = 0; i < COUNT; i++)
    if (walloc_free_ref(refs[i]) != WALLOC_OK || walloc_ref_valid(refs[i]))
      return "a block of the heap cannot be freed by its reference";
  return NULL;
}

static const char *use_all(void) {
  if (!use_arena(kill_common.arena))
    return "the arena cannot be used";
  walloc_arena *other = walloc_arena_create(&(walloc_arena_config){.reserve = 100000});
  if (other == NULL || !use_arena(other) || walloc_arena_destroy(other) != WALLOC_OK)
    return "another arena cannot be used";
  for (int i = 0; i < 4; i++)
    if (walloc_frames_alloc(kill_common.frames, 64) == NULL ||
        walloc_frames_advance(kill_common.frames) != WALLOC_OK)
      return "frames do not advance";
  if (!use_queue(kill_common.queue))
    return "the queue cannot be used";
  walloc_context context = walloc_context_create(walloc_tier(WALLOC_ENTITY), 0);
  if (walloc_context_release(context) != WALLOC_OK)
    return "contexts cannot be used";
  return NULL;
}

const char *kill_use_and_end(void) {
  const char *problem = check_refs(true);
  if (problem == NULL)
    problem = use_heap();
  for (int times = 0; times < 3 && problem == NULL; times++) /* slots come again */
    problem = use_references();
  if (problem == NULL)
    problem = use_all();
  if (problem == NULL)
    problem = kill_check_structure();
  if (walloc_shutdown() != WALLOC_OK || walloc_heap_reset() != WALLOC_OK)
    problem = "walloc does not end";
  return problem;
}

void kill_start(void) {
  walloc_config config = {.reserve = 1 << 20};
  memset(&kill_common, 0, sizeof kill_common);
  if (walloc_init(&config) != WALLOC_OK)
    __builtin_trap();
  kill_common.arena = walloc_arena_create(NULL);
  kill_common.frames = walloc_frames_create(NULL);
  kill_common.queue = walloc_queue_create(NULL);
  kill_common.context = walloc_context_create(kill_common.arena, 0);
  if (kill_common.arena == NULL || kill_common.frames == NULL || kill_common.queue == NULL ||
      kill_common.context == WALLOC_NO_CONTEXT)
    __builtin_trap();
  hold(64);
  hold(1000);
  hold(50000);
  hold_ref(64);
  hold_ref(1000);
}
