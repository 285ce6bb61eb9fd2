/* The operations of the heap that a thread is killed in. `held` is numbered in the order in which it was taken, behind
 * the three blocks that every test begins with. */
#include "kill/kill.h"

#include "heap/obtain.h"
#include "heap/part.h"
#include "heap/sweep.h"

#include <string.h>

enum { FIRST = 3 }; /* the first block of the operation's own */

#define KIB ((size_t)1024)
#define SPAN ((size_t)8 * WALLOC_PAGE_SIZE)

static void *address_of(size_t held) { return kill_common.held[held].address; }

/* The operation frees or moves it. */
static void doubt(size_t held) { kill_common.held[held].in_doubt = true; }

static void free_doubted(void) {
  for (size_t i = 0; i < kill_common.held_count; i++)
    if (kill_common.held[i].in_doubt)
      walloc_free(address_of(i));
}

static void hold_several(size_t count, size_t size, bool in_doubt) {
  for (size_t i = 0; i < count; i++)
    kill_common.held[hold(size)].in_doubt = in_doubt;
}

static void enter(void) { hold(16); }

/* ---- Small blocks --------------------------------------------------------------------------- */

static void allocate_16(void) { kill_common.result = walloc_malloc(16); }
static void allocate_64(void) { kill_common.result = walloc_malloc(64); }
static void allocate_2048(void) { kill_common.result = walloc_malloc(2048); }
static void allocate_5000(void) { kill_common.result = walloc_malloc(5000); }
static void allocate_6000(void) { kill_common.result = walloc_malloc(6000); }

static void enter_for_scraps(void) {
  enter();
  memset(walloc_own_part->scraps, 0, sizeof walloc_own_part->scraps);
}

static void leave_a_scrap(void) {
  hold(50000);
  enter_for_scraps();
}

static void hold_a_scrap(void) { doubt(hold_scrap(64)); }

static void allocate_2048_twice(void) {
  allocate_2048();
  allocate_2048();
}

/* A whole span, and who frees it is somebody else. */
static void hold_span_in_doubt(void) { hold_several(2, 2048, true); }

static void free_doubted_and_send(void) {
  free_doubted();
  walloc_part_send_all(walloc_own_part);
}

static void leave_blocks_behind(void) {
  size_t first = kill_common.held_count;
  hold_several(6, 2048, false);
  for (size_t i = first; i < first + 5; i++)
    let_go(i);
  walloc_thread_end();
}

static void hold_one(void) {
  enter();
  doubt(hold(64));
}

/* More than one list in an outbox holds. */
static void hold_ten(void) { hold_several(10, 1000, true); }

static void enter_and_free_doubted(void) {
  enter();
  free_doubted_and_send();
}

static void end_thread(void) { walloc_thread_end(); }

static void collect(void) {
  enter();
  free_doubted();
}

static void hold_3_in_doubt(void) { hold_several(3, 64, true); }

static void resize_small(void) {
  kill_common.result = walloc_realloc(address_of(kill_common.held_count - 1), 3000);
}

/* ---- Sweeps --------------------------------------------------------------------------------- */

static void forget_doubted(void) {
  free_doubted();
  for (size_t i = 0; i < kill_common.held_count; i++)
    if (kill_common.held[i].in_doubt)
      kill_common.held[i].address = NULL;
}

/* For no part, so that the same is swept each time. */
static void nothing_is_due(void) {
  heap_part *part;
  for (uint32_t n = 0; (part = walloc_part(n)) != NULL; n++)
    part->swept_at = walloc_heap_grown;
}

static void fill_lists(void) {
  enter();
  hold_several(9, 1000, true);
  hold_several(10, 2048, true);
  hold_several(3, 2048, false);
  hold_several(70, 64, true);
  forget_doubted();
}

/* Only classes of large blocks are swept where it is not due. */
static void fill_few_lists(void) {
  enter();
  hold_several(7, 5000, true);
  hold_several(6, 6000, true);
  hold_several(3, 6000, false);
  hold_several(2, 16384, true);
  forget_doubted();
  nothing_is_due();
}

/* The lists come back in pieces. */
static void hold_of_child(void) {
  enter();
  hold_several(8, 6000, true);
  nothing_is_due();
}

static void sweep_all(void) { (void)walloc_sweep(walloc_own_part, true, true); }
static void sweep_few(void) { (void)walloc_sweep(walloc_own_part, true, false); }

static void leave_more_behind(void) {
  free_doubted_and_send();
  size_t first = kill_common.held_count;
  hold_several(5, 6000, false);
  for (size_t i = first; i < first + 4; i++)
    let_go(i);
  nothing_is_due();
  walloc_thread_end();
}

/* ---- Large blocks --------------------------------------------------------------------------- */

static void allocate_50000(void) { kill_common.result = walloc_malloc(50000); }
static void allocate_200000(void) { kill_common.result = walloc_malloc(200000); }
static void allocate_huge(void) { kill_common.result = walloc_aligned_alloc(4096, 60000); }

static void make_hole(void) {
  size_t hole = hold(100000);
  hold(40000);
  let_go(hole);
}

/* The middle one of three is to be freed; the others are free. */
static void make_neighbours(void) {
  hold(40000);
  hold_several(3, 50000, false);
  hold(40000);
  let_go(FIRST + 1);
  let_go(FIRST + 3);
  doubt(FIRST + 2);
}

/* A region that is idle and kept, and another whose only block is to be freed; somebody else's pages lie between. */
static void make_idle_region(void) {
  hold_run(60000);
  size_t idle = hold(300000);
  hold_run(60000);
  doubt(hold(310000));
  let_go(idle);
}

/* Made smaller in place, so that what is free lies behind it, wherever its pages are. */
static void hold_with_room_behind(void) {
  size_t block = hold(150000);
  kill_common.held[block].size = 50000;
  refill(block);
  (void)walloc_realloc(address_of(block), 50000);
}

static void grow_in_place(void) { kill_common.result = walloc_realloc(address_of(FIRST), 90000); }
static void shrink_in_place(void) { kill_common.result = walloc_realloc(address_of(FIRST), 40000); }
static void hold_150000_to_shrink(void) {
  hold(150000);
  kill_common.held[FIRST].size = 40000;
  refill(FIRST);
}

/* Above 4 MiB they are resized in place. */
static void hold_huge(void) { doubt(hold_run(60000)); }
static void hold_4_mib(void) {
  size_t block = hold_run(4600 * KIB);
  kill_common.held[block].size = 4200 * KIB;
  refill(block);
  (void)walloc_realloc(address_of(block), 4200 * KIB);
}
static void grow_huge(void) { kill_common.result = walloc_realloc(address_of(FIRST), 4300 * KIB); }
static void shrink_huge(void) {
  kill_common.result = walloc_realloc(address_of(FIRST), 4100 * KIB);
}

static void allocate_zeros(void) { kill_common.result = walloc_calloc(1, 50000); }
static void allocate_aligned(void) { kill_common.result = walloc_aligned_alloc(64, 100); }

/* What the tester holds: in place, or to another of the kind of which blocks of the size are. */
static void resize_first_to(size_t size) {
  kill_common.result = walloc_realloc(address_of(FIRST), size);
}

static void move_to_small(void) { resize_first_to(100); }
static void move_to_large(void) { resize_first_to(60000); }

static void hold_large_in_doubt(void) { doubt(hold(50000)); }

static void hold_3000(void) { hold(3000); }
static void resize_in_class(void) { resize_first_to(3001); }

static void sort_anew(void) { (void)walloc_heap_set_strategy(WALLOC_BEST_FIT); }
static void sort_as_ever(void) { (void)walloc_heap_set_strategy(WALLOC_FIRST_FIT); }

static void make_neighbours_to_sort(void) {
  sort_as_ever();
  make_neighbours();
}

/* The same, of three pages. */
static void hold_pages_in_doubt(void) { hold_several(2, 6000, true); }

static bool visit(const walloc_heap_range *range, void *unused) {
  (void)range;
  (void)unused;
  return true;
}

static void walk(void) { (void)walloc_heap_walk(visit, NULL); }

static void hold_4_mib_to_shrink(void) {
  hold_4_mib();
  kill_common.held[FIRST].size = 4100 * KIB;
  refill(FIRST);
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* Each time in a process in which walloc has not been used before. */
static const operation first_operations[] = {
    {"malloc: the first", NULL, NULL, NULL, allocate_64, SPAN, 0},
    {"malloc: the first large", NULL, NULL, NULL, allocate_200000, 200016, 0},
    {"thread_end: of the first", hold_3_in_doubt, collect, NULL, end_thread, 192, 0},
};

static const operation heap_operations[] = {
    {"malloc: pop", NULL, enter, NULL, allocate_16, 16, 0},
    {"malloc: cut and grow", NULL, enter, NULL, allocate_5000, SPAN, 0},
    {"malloc: enter a part", NULL, NULL, NULL, allocate_64, SPAN, 0},
    {"malloc: a page for scraps", NULL, enter_for_scraps, NULL, allocate_64, 80, 0},
    {"malloc: a scrap", NULL, leave_a_scrap, NULL, allocate_64, 80, 0},
    {"free: a scrap", NULL, hold_a_scrap, NULL, free_doubted, 80, 0},
    {"malloc: refill", NULL, hold_span_in_doubt, free_doubted_and_send, allocate_2048_twice, 4096,
     0},
    {"malloc: borrow what is idle", NULL, enter, leave_blocks_behind, allocate_2048, 2048, 0},
    {"malloc: borrow what was sent", hold_span_in_doubt, enter_and_free_doubted, NULL,
     allocate_2048_twice, 4096, 0},
    {"malloc: adopt a span of pages", hold_pages_in_doubt, enter_and_free_doubted, NULL,
     allocate_6000, 6144, 0},
    {"free: own", NULL, hold_one, NULL, free_doubted, 64, 0},
    {"free: to another", hold_3_in_doubt, enter, NULL, free_doubted, 192, 0},
    {"free: a list to another", hold_ten, enter, NULL, free_doubted, 10240, 0},
    {"thread_end", hold_3_in_doubt, collect, NULL, end_thread, 192, 0},
    {"realloc: small", NULL, hold_one, NULL, resize_small, 4096 + 64 + SPAN, 0},
    {"sweep: all classes", NULL, fill_lists, NULL, sweep_all, SPAN, 0},
    {"sweep: own", NULL, fill_few_lists, NULL, sweep_few, SPAN, 0},
    {"sweep: of what came back", NULL, hold_of_child, free_doubted_and_send, sweep_few, SPAN, 0},
    {"sweep: of idle parts", NULL, hold_of_child, leave_more_behind, sweep_few, SPAN, 0},
    {"large: a region", NULL, enter, NULL, allocate_200000, 200016, 0},
    {"large: split", make_hole, enter, NULL, allocate_50000, 50016, 0},
    {"large: free, join", make_neighbours, enter, NULL, free_doubted, 50016, 0},
    {"large: free, idle region", make_idle_region, enter, NULL, free_doubted, 310016 + 4096, 0},
    {"large: grow in place", hold_with_room_behind, enter, NULL, grow_in_place, 0, 0},
    {"large: shrink in place", hold_150000_to_shrink, enter, NULL, shrink_in_place, 0, 0},
    {"huge: malloc", NULL, enter, NULL, allocate_huge, 61440, 0},
    {"huge: free", hold_huge, enter, NULL, free_doubted, 61440, 0},
    {"huge: grow", hold_4_mib, NULL, NULL, grow_huge, 0, 0},
    {"huge: shrink", hold_4_mib_to_shrink, NULL, NULL, shrink_huge, 0, 0},
    {"malloc: aligned", NULL, enter, NULL, allocate_aligned, SPAN, 0},
    {"realloc: another's, in place", hold_3000, enter, NULL, resize_in_class, 0, 0},
    {"realloc: another's, to large", hold_3_in_doubt, enter, NULL, move_to_large, 192 + 60016, 0},
    {"realloc: large to small", hold_large_in_doubt, enter, NULL, move_to_small, 50016 + SPAN, 0},
    {"realloc: huge to large", hold_huge, enter, NULL, move_to_large, 61440 + 60016, 0},
    {"large: calloc", NULL, enter, NULL, allocate_zeros, 50016, 0},
    {"heap: another strategy", make_neighbours_to_sort, enter, NULL, sort_anew, 50016, 0},
    {"heap: walk", NULL, enter, NULL, walk, 0, 0},
};

const operations kill_first_operations = {first_operations,
                                          sizeof first_operations / sizeof *first_operations};
const operations kill_heap_operations = {heap_operations,
                                         sizeof heap_operations / sizeof *heap_operations};
