/* The operations of all rooms but the heap that a thread is killed in: arenas, pins, frames, queues, contexts,
 * references to the heap, and recovery itself. */
#include "kill/kill.h"

#include "heap/part.h"
#include "queue/queue.h"

#include "arena/room.h" /* behind it: its `block` is a parameter there */

#define SPAN ((size_t)8 * WALLOC_PAGE_SIZE)

static void enter(void) { hold(16); }

/* ---- Arenas --------------------------------------------------------------------------------- */

static void arena_block(void) { kill_common.result = walloc_alloc(kill_common.arena, 64); }
static void arena_large_block(void) { kill_common.result = walloc_alloc(kill_common.arena, 20000); }
static void arena_growth(void) { kill_common.result = walloc_alloc(kill_common.arena, 1 << 20); }

static void arena_more(void) {
  hold_ref(100000);
  hold_ref(300000);
}

static void arena_reset(void) { (void)walloc_reset(kill_common.arena); }
static void arena_compact(void) { (void)walloc_compact(kill_common.arena, 2048); }
static void arena_mark(void) { (void)walloc_set_mark(kill_common.arena, &kill_common.mark); }
static void arena_rewind(void) { (void)walloc_rewind(kill_common.mark); }
static void arena_preserve(void) { (void)walloc_preserve(kill_common.arena); }
static void arena_trim(void) { (void)walloc_trim(kill_common.arena); }

static void arena_last_block(void) { hold_ref(20000); }
static void arena_take_back(void) {
  walloc_ref last = kill_common.refs[kill_common.ref_count - 1];
  (void)walloc_arena_take_back(last.arena, last.address, last.place);
}

static void arena_mark_and_more(void) {
  arena_mark();
  arena_more();
}

static void arena_more_and_reset(void) {
  arena_more();
  arena_reset();
}

static void arena_make(void) {
  kill_common.result = walloc_arena_create(&(walloc_arena_config){.reserve = 100000});
}

static void arena_end(void) { (void)walloc_arena_destroy(kill_common.result); }

static void arena_aligned(void) {
  kill_common.result = walloc_alloc_aligned(kill_common.arena, 64, 4096);
}

static void tier_block(void) { kill_common.result = walloc_tier_alloc(WALLOC_SCENE, 64); }
static void arena_reserve(void) { (void)walloc_reserve(kill_common.arena, 1 << 20); }

/* An arena that has no more memory than its budget, and what it does when that is used up. */
static void make_small(walloc_recycle recycle) {
  kill_common.result = walloc_arena_create(
      &(walloc_arena_config){.lane = WALLOC_NO_LANE, .hard_budget = 65536, .recycle = recycle});
  (void)walloc_alloc(kill_common.result, 1000);
  (void)walloc_preserve(kill_common.result);
  (void)walloc_alloc(kill_common.result, 60000);
}

static void make_recycling(void) { make_small(WALLOC_RECYCLE_TO_MARK); }
static void make_falling_back(void) { make_small(WALLOC_FALL_BACK); }
static void small_block(void) { (void)walloc_alloc(kill_common.result, 50000); }
static void small_reset(void) { (void)walloc_reset(kill_common.result); }

static void make_fallen_back(void) {
  make_falling_back();
  small_block();
}

static void arena_pin(void) { (void)walloc_pin(kill_common.arena); }
static void arena_unpin(void) { (void)walloc_unpin(kill_common.arena); }

static void arena_pin_and_unpin(void) {
  arena_pin();
  arena_unpin();
}

static void frames_advance(void) { (void)walloc_frames_advance(kill_common.frames); }
static void frames_block(void) { kill_common.result = walloc_frames_alloc(kill_common.frames, 64); }

static void arena_pin_ref(void) { (void)walloc_pin_ref(kill_common.refs[0]); }

static void frame_pin(void) { (void)walloc_frames_pin(kill_common.frames, WALLOC_FRAME_CURRENT); }

static void frames_make(void) { kill_common.result = walloc_frames_create(NULL); }
static void frames_end(void) { (void)walloc_frames_destroy(kill_common.result); }

/* ---- Queues, contexts ----------------------------------------------------------------------- */

static void queue_publish(void) {
  (void)walloc_queue_publish(kill_common.queue, kill_common.refs[0], 1);
}

static void queue_poll(void) {
  walloc_ref ref;
  (void)walloc_queue_poll(kill_common.queue, &ref, NULL);
}

static void queue_make(void) { kill_common.result = walloc_queue_create(NULL); }
static void queue_end(void) { (void)walloc_queue_destroy(kill_common.result); }

static void context_retain(void) { (void)walloc_context_retain(kill_common.context); }
static void context_release(void) { (void)walloc_context_release(kill_common.context); }

static void context_make(void) {
  kill_common.context = walloc_context_create(kill_common.arena, WALLOC_CONTEXT_RESETS);
}

/* ---- More of them ----------------------------------------------------------------------------- */

static void queue_fill(void) {
  while (walloc_queue_publish(kill_common.queue, kill_common.refs[0], 1) == WALLOC_OK) {
  }
}

static void queue_latest(void) {
  kill_common.result = walloc_queue_create(&(walloc_queue_config){1, true});
  (void)walloc_queue_publish(kill_common.result, kill_common.refs[0], 1);
}

static void queue_replace(void) {
  (void)walloc_queue_publish(kill_common.result, kill_common.refs[1], 2);
}

static void queue_wait(void) {
  walloc_ref ref;
  (void)walloc_queue_wait(kill_common.queue, &ref, NULL, WALLOC_FOREVER);
}

static void queue_wait_in_vain(void) {
  walloc_ref ref;
  (void)walloc_queue_wait(kill_common.queue, &ref, NULL, 1);
}

static void queue_close(void) { (void)walloc_queue_close(kill_common.result); }

/* The end is told, and the cell sealed. */
static void queue_make_closed(void) {
  queue_make();
  queue_close();
}

static void queue_poll_closed(void) {
  walloc_ref ref;
  (void)walloc_queue_poll(kill_common.result, &ref, NULL);
}

static void context_child(void) { (void)walloc_context_create_entity(kill_common.context); }
static void context_reset(void) { (void)walloc_context_reset(kill_common.context); }

/* ---- References to the heap ------------------------------------------------------------------- */

static void reference_make(size_t size) { kill_common.heap_ref = walloc_malloc_ref(size); }

static void reference_small(void) { reference_make(64); }
static void reference_page(void) { reference_make(5000); }
static void reference_large(void) { reference_make(40000); }
static void reference_free(void) { (void)walloc_free_ref(kill_common.heap_ref); }
static void reference_free_address(void) { walloc_free(kill_common.heap_ref.address); }

/* All slots of the first page are used and given back: the next comes off the stack. */
static void reference_use_slots(void) {
  enum { IN_PAGE = WALLOC_PAGE_SIZE / 16 - 1 };
  walloc_ref refs[IN_PAGE];
  for (int i = 0; i < IN_PAGE; i++)
    refs[i] = walloc_malloc_ref(64);
  for (int i = 0; i < IN_PAGE; i++)
    (void)walloc_free_ref(refs[i]);
  walloc_part_send_all(walloc_own_part);
}

static void reference_thrice(void) {
  for (int i = 0; i < 3; i++)
    reference_small();
}

/* ---- Recovery --------------------------------------------------------------------------------- */

/* A first thread is killed, and then the one that recovers from that; or that one is stopped while another dies with
 * the page lock, which it may find taken, and must not wait for. */
static void recover_first(void) {
  walloc_error error = walloc_thread_lost(kill_common.lost_before);
  if (error != WALLOC_OK && error != WALLOC_ERROR_BUSY)
    __builtin_trap();
}

static void lose_in_malloc(void) { kill_first("malloc: cut and grow", 90); }
static void lose_in_split(void) { kill_first("large: split", 160); }
static void lose_in_growth(void) { kill_first("arena: growth", 260); }
static void lose_in_sweep(void) { kill_first("sweep: own", 550); }
static void lose_in_reference(void) { kill_first("reference: small", 70); }

static bool dead_has_queue_with_pages(void) {
  for (uint32_t slot = 0; slot < WALLOC_QUEUES_MAX; slot++) {
    const walloc_queue *queue = &walloc_queues[slot];
    if (queue->holder == kill_common.lost_before && queue->pages != 0)
      return true;
  }
  return false;
}

/* In its end, as long as its pages are in the table: how many instructions that takes is found out once. */
static void lose_in_queue(void) {
  static uint32_t after = 10;
  kill_first("queue: destroy", after);
  while (!dead_has_queue_with_pages()) {
    (void)walloc_thread_lost(kill_common.lost_before);
    queue_end();
    kill_first("queue: destroy", ++after);
  }
}

/* ---- All of them ---------------------------------------------------------------------------- */

static const operation first_room_operations[] = {
    {"reference: the first", NULL, enter, NULL, reference_small, SPAN, 0},
    {"reference: used slots", reference_use_slots, enter, NULL, reference_thrice, 240 + SPAN, 0},
};

static const operation room_operations[] = {
    {"arena: lane", NULL, arena_block, NULL, arena_block, 0, 0},
    {"arena: new lane", NULL, NULL, NULL, arena_block, 0, 0},
    {"arena: cursor", NULL, NULL, NULL, arena_large_block, 0, 0},
    {"arena: growth", NULL, NULL, NULL, arena_growth, 0, 0},
    {"arena: reset", NULL, NULL, NULL, arena_reset, 0, RECYCLES},
    {"arena: compact", arena_more, NULL, NULL, arena_compact, 0, RECYCLES},
    {"arena: mark", arena_more, NULL, NULL, arena_mark, 0, 0},
    {"arena: rewind", arena_mark_and_more, NULL, NULL, arena_rewind, 0, RECYCLES},
    {"arena: take back", arena_last_block, NULL, NULL, arena_take_back, 0, RECYCLES},
    {"arena: preserve", arena_more, NULL, NULL, arena_preserve, 0, 0},
    {"arena: trim", arena_more_and_reset, NULL, NULL, arena_trim, 0, RECYCLES},
    {"arena: create", NULL, NULL, NULL, arena_make, 0, 0},
    {"arena: destroy", arena_make, NULL, NULL, arena_end, 0, 0},
    {"pins: pin", NULL, NULL, NULL, arena_pin, 0, 0},
    {"pins: pin and unpin", NULL, NULL, NULL, arena_pin_and_unpin, 0, 0},
    {"pins: reset", arena_pin_and_unpin, NULL, NULL, arena_reset, 0, RECYCLES},
    {"frames: advance", NULL, NULL, NULL, frames_advance, 0, 0},
    {"frames: alloc", NULL, NULL, NULL, frames_block, 0, 0},
    {"queue: publish", NULL, NULL, NULL, queue_publish, 0, 0},
    {"queue: poll", queue_publish, NULL, NULL, queue_poll, 0, 0},
    {"queue: create", NULL, NULL, NULL, queue_make, 0, 0},
    {"queue: destroy", queue_make, NULL, NULL, queue_end, 0, 0},
    {"context: retain", NULL, NULL, NULL, context_retain, 0, 0},
    {"context: release", NULL, NULL, NULL, context_release, 0, 0},
    {"context: create", NULL, NULL, NULL, context_make, 0, 0},
    {"context: last release", context_make, NULL, NULL, context_release, 0, RECYCLES},
    {"arena: aligned", NULL, NULL, NULL, arena_aligned, 0, 0},
    {"arena: reserve", NULL, NULL, NULL, arena_reserve, 0, 0},
    {"arena: recycle", make_recycling, NULL, NULL, small_block, 0, 0},
    {"arena: fall back", make_falling_back, NULL, NULL, small_block, 50048, 0},
    {"arena: end what fell back", make_fallen_back, NULL, NULL, small_reset, 50048, 0},
    {"tier: block", NULL, NULL, NULL, tier_block, 0, 0},
    {"pins: a reference", NULL, NULL, NULL, arena_pin_ref, 0, 0},
    {"pins: a frame", NULL, NULL, NULL, frame_pin, 0, 0},
    {"frames: create", NULL, NULL, NULL, frames_make, 0, 0},
    {"frames: destroy", frames_make, NULL, NULL, frames_end, 0, 0},
    {"queue: full", queue_fill, NULL, NULL, queue_publish, 0, 0},
    {"queue: replace the latest", queue_latest, NULL, NULL, queue_replace, 0, 0},
    {"queue: wait", queue_publish, NULL, NULL, queue_wait, 0, 0},
    {"queue: wait in vain", NULL, NULL, NULL, queue_wait_in_vain, 0, 0},
    {"queue: close", queue_make, NULL, NULL, queue_close, 0, 0},
    {"queue: the end", queue_make_closed, NULL, NULL, queue_poll_closed, 0, 0},
    {"context: child", NULL, NULL, NULL, context_child, 0, 0},
    {"context: reset", NULL, NULL, NULL, context_reset, 0, RECYCLES},
    {"reference: small", NULL, enter, NULL, reference_small, SPAN, 0},
    {"reference: another span", NULL, enter, NULL, reference_page, SPAN, 0},
    {"reference: large", NULL, enter, NULL, reference_large, 45056, 0},
    {"reference: free", reference_small, enter, NULL, reference_free, 80, 0},
    {"reference: free, large", reference_large, enter, NULL, reference_free, 45056, 0},
    {"reference: free by address", reference_small, enter, NULL, reference_free_address, 80, 0},
    {"recovery: of malloc", lose_in_malloc, NULL, NULL, recover_first, SPAN, LIVES_ON},
    {"recovery: of a split", lose_in_split, NULL, NULL, recover_first, 50016, LIVES_ON},
    {"recovery: of growth", lose_in_growth, NULL, NULL, recover_first, 0, LIVES_ON},
    {"recovery: of a sweep", lose_in_sweep, NULL, NULL, recover_first, SPAN, LIVES_ON},
    {"recovery: of a reference", lose_in_reference, NULL, NULL, recover_first, SPAN, LIVES_ON},
    {"recovery: of a queue", lose_in_queue, NULL, NULL, recover_first, 0, LIVES_ON},
};

const operations kill_room_operations = {room_operations,
                                         sizeof room_operations / sizeof *room_operations};

const operations kill_first_room_operations = {
    first_room_operations, sizeof first_room_operations / sizeof *first_room_operations};
