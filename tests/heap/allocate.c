/* The contract of malloc and its family, in one thread: sizes, alignment, zeros, errors, reuse. */
#include "heap/support.h"

static const size_t class_sizes[WALLOC_HEAP_CLASSES] = {
    16,   32,   48,   64,   80,    96,    112,   128,   160,   192,   224,   256,  320,  384,
    448,  512,  640,  768,  896,   1024,  1280,  1536,  1792,  2048,  2560,  3072, 3584, 4096,
    5120, 6144, 7168, 8192, 10240, 12288, 14336, 16384, 20480, 24576, 28672, 32768};

/* From 1 to 8 MiB and beyond, by about an eighth. */
static size_t next_size(size_t size) { return size + size / 8 + 1; }

static size_t largest_divisor(size_t size) { return size & (~size + 1); }

/* Where a block lies and how large it is; all of it can be written. */
static void check(void *block, size_t asked) {
  size_t usable = walloc_usable_size(block);
  size_t promised = largest_divisor(usable);
  assert_non_null(block);
  assert_true(usable >= asked && usable > 0);
  if (promised > WALLOC_PAGE_SIZE)
    promised = WALLOC_PAGE_SIZE;
  assert_int_equal((uintptr_t)block % 16, 0);
  if (usable <= WALLOC_HEAP_SMALL)
    assert_int_equal((uintptr_t)block % promised, 0);
}

/* ---- malloc --------------------------------------------------------------------------------- */

/* Every small one; above, by steps of which no size class nor page knows, as filling takes its time. */
static void test_all_sizes_up_to_70000(void **state) {
  enum { ALIVE = 100 };
  heap_block ring[ALIVE] = {{0}};
  (void)state;
  use_up_scraps();
  for (uint32_t size = 0, i = 0; size <= 70000; size += size < 33000 ? 1 : 37, i++) {
    heap_block *slot = &ring[i % ALIVE];
    if (slot->address != NULL)
      assert_right(model_check_block(slot));
    walloc_free(slot->address);
    void *block = walloc_malloc(size);
    check(block, size);
    *slot = (heap_block){block, size, walloc_usable_size(block), size};
    model_fill(slot);
  }
  assert_right(model_compare_blocks(ring, ALIVE));
}

static void test_sizes_to_8_mib_and_beyond_all_alive(void **state) {
  heap_model model;
  (void)state;
  model_begin(&model, 1);
  for (size_t size = 1; size < 12 * MIB; size = next_size(size))
    assert_right(model_malloc(&model, size));
  for (size_t size = 8 * MIB - 40; size <= 8 * MIB + 40; size += 8)
    assert_right(model_malloc(&model, size));
  assert_right(model_compare(&model));
  assert_right(model_free_all(&model));
  assert_nothing_is_live();
  model_end(&model);
}

static void test_every_class_ends_where_it_says(void **state) {
  size_t before = 0;
  (void)state;
  use_up_scraps();
  for (size_t c = 0; c < WALLOC_HEAP_CLASSES; c++) {
    void *first = walloc_malloc(before + 1), *last = walloc_malloc(class_sizes[c]);
    assert_int_equal(walloc_usable_size(first), class_sizes[c]);
    assert_int_equal(walloc_usable_size(last), class_sizes[c]);
    check(first, before + 1);
    check(last, class_sizes[c]);
    walloc_free(first);
    walloc_free(last);
    before = class_sizes[c];
  }
}

static void test_the_census_has_the_same_classes(void **state) {
  walloc_heap_census census;
  (void)state;
  assert_int_equal(walloc_take_heap_census(&census), WALLOC_OK);
  for (size_t c = 0; c < WALLOC_HEAP_CLASSES; c++)
    assert_int_equal(census.of_class[c].size, class_sizes[c]);
}

static void test_zero_bytes_are_a_block_of_their_own(void **state) {
  heap_model model;
  (void)state;
  model_begin(&model, 2);
  for (int i = 0; i < 1000; i++) {
    assert_right(model_malloc(&model, 0));
    assert_right(model_calloc(&model, 0, 8));
    assert_right(model_aligned_alloc(&model, 64, 0));
  }
  assert_right(model_compare(&model)); /* distinct */
  assert_right(model_free_all(&model));
  assert_nothing_is_live();
  model_end(&model);
}

static void test_impossible_sizes(void **state) {
  const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4095,
                          SIZE_MAX / 2 + 1 > UINT32_MAX ? SIZE_MAX / 2 + 1 : SIZE_MAX - 1,
                          (size_t)UINT32_MAX};
  (void)state;
  void *kept = walloc_malloc(100);
  size_t held = heap_stats().held;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    assert_out_of_memory(walloc_malloc(sizes[i]));
    assert_out_of_memory(walloc_calloc(1, sizes[i]));
    assert_out_of_memory(walloc_realloc(NULL, sizes[i]));
    assert_out_of_memory(walloc_realloc(kept, sizes[i]));
    assert_out_of_memory(walloc_aligned_alloc(64, sizes[i]));
    assert_out_of_memory(walloc_aligned_alloc(65536, sizes[i]));
  }
  assert_int_equal(heap_stats().held, held);
  check(kept, 100);
  walloc_free(kept);
}

/* ---- calloc --------------------------------------------------------------------------------- */

static bool is_zero(const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

/* Blocks that were full of something else come back from each size's own kind of room. */
static void test_calloc_is_zero_after_dirty_use(void **state) {
  (void)state;
  use_up_scraps();
  for (size_t size = 1; size < 20 * MIB; size = next_size(size) + size / 4) {
    for (int round = 0; round < 3; round++) {
      unsigned char *block = walloc_calloc(1, size);
      check(block, size);
      assert_true(is_zero(block, size));
      memset(block, 0xEE, walloc_usable_size(block));
      walloc_free(block);
    }
  }
}

/* Large blocks know when their room was never used; joining must not forget what was. */
static void test_calloc_is_zero_in_room_of_many_pasts(void **state) {
  unsigned char *blocks[16];
  (void)state;
  for (int round = 0; round < 20; round++) {
    for (size_t i = 0; i < 16; i++) {
      size_t size = 40000 + 9000 * ((i + (size_t)round) % 5);
      blocks[i] = i % 2 == 0 ? walloc_calloc(size / 8, 8) : walloc_malloc(size);
      assert_non_null(blocks[i]);
      assert_true(i % 2 != 0 || is_zero(blocks[i], size / 8 * 8));
    }
    for (size_t i = 0; i < 16; i++) {
      size_t j = (i * 7 + (size_t)round) % 16;
      if ((i + (size_t)round) % 3 != 0)
        memset(blocks[j], 0xDD, walloc_usable_size(blocks[j]));
      walloc_free(blocks[j]);
    }
  }
}

static void test_calloc_of_too_many(void **state) {
  (void)state;
  assert_out_of_memory(walloc_calloc(SIZE_MAX, 2));
  assert_out_of_memory(walloc_calloc(2, SIZE_MAX));
  assert_out_of_memory(walloc_calloc(SIZE_MAX / 2 + 1, 2));   /* 0 when it wraps */
  assert_out_of_memory(walloc_calloc(SIZE_MAX / 16 + 2, 16)); /* 16 when it wraps */
  assert_out_of_memory(walloc_calloc(SIZE_MAX, SIZE_MAX));    /* 1 when it wraps */
  void *none = walloc_calloc(SIZE_MAX, 0);
  check(none, 0);
  walloc_free(none);
}

/* ---- realloc -------------------------------------------------------------------------------- */

static void test_realloc_keeps_the_bytes(void **state) {
  heap_model model;
  (void)state;
  model_begin(&model, 3);
  for (size_t size = 1; size < 10 * MIB; size = next_size(size) + size / 3) {
    assert_right(model_malloc(&model, size));
    for (size_t other = 1; other < 20 * MIB; other = next_size(other) * 2) {
      assert_right(model_realloc(&model, 0, other)); /* each time another neighbour behind it */
      assert_right(model_malloc(&model, 1000 + other / 2));
      assert_right(model_realloc(&model, 0, size));
      assert_right(model_free(&model, model.count - 1));
    }
    assert_right(model_compare(&model));
    assert_right(model_free_all(&model));
  }
  model_end(&model);
}

static void test_realloc_in_place_where_there_is_room(void **state) {
  (void)state;
  walloc_free(walloc_malloc(1 * MIB)); /* room in one piece */
  char *block = walloc_malloc(100 * KIB), *wall = walloc_malloc(100 * KIB);
  assert_true(wall > block && wall < block + 101 * KIB);
  walloc_free(wall);
  assert_ptr_equal(walloc_realloc(block, 180 * KIB), block); /* over the free neighbour */
  assert_true(walloc_usable_size(block) >= 180 * KIB);
  assert_ptr_equal(walloc_realloc(block, 40 * KIB), block);
  assert_true(walloc_usable_size(block) < 41 * KIB);
  wall = walloc_malloc(100 * KIB);
  assert_true(wall > block && wall < block + 41 * KIB); /* the rest was given back */
  char *moved = walloc_realloc(block, 200 * KIB);
  assert_true(moved != block);
  walloc_free(moved);
  walloc_free(wall);
}

static void test_realloc_of_a_huge_block_in_place(void **state) {
  (void)state;
  char *block = walloc_malloc(20 * MIB);
  size_t held = heap_stats().held;
  assert_ptr_equal(walloc_realloc(block, 12 * MIB), block);
  assert_int_equal(heap_stats().held, held - 8 * MIB);
  assert_ptr_equal(walloc_realloc(block, 20 * MIB), block); /* the pages behind it are free */
  assert_int_equal(heap_stats().held, held);
  walloc_free(block);
}

static void test_realloc_of_nothing_and_to_nothing(void **state) {
  (void)state;
  const size_t sizes[] = {1, 1000, 100000, 9 * MIB};
  for (size_t i = 0; i < 4; i++) {
    void *block = walloc_realloc(NULL, sizes[i]);
    check(block, sizes[i]);
    assert_null(walloc_realloc(block, 0));
    assert_nothing_is_live();
  }
  void *none = walloc_realloc(NULL, 0); /* malloc(0) */
  check(none, 0);
  walloc_free(none);
}

/* ---- aligned_alloc -------------------------------------------------------------------------- */

static void take_aligned(size_t from, size_t to) {
  const size_t sizes[] = {0, 1, 24, 100, 1000, 4096, 5000, 20000, 32768, 40000, 65536, 300000};
  heap_model model;
  model_begin(&model, 4);
  for (size_t alignment = from; alignment <= to; alignment *= 2)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      assert_right(model_aligned_alloc(&model, alignment, sizes[i]));
  assert_right(model_compare(&model));
  for (size_t i = 0; i < 50 && i < model.count; i++) /* resized without their alignment */
    assert_right(model_realloc(&model, i, 3000 * i + 1));
  assert_right(model_compare(&model));
  assert_right(model_free_all(&model));
  assert_nothing_is_live();
  model_end(&model);
}

static void test_alignments_of_small_blocks(void **state) {
  (void)state;
  take_aligned(1, WALLOC_PAGE_SIZE);
}

static void test_alignments_above_a_page(void **state) {
  (void)state;
  take_aligned(2 * WALLOC_PAGE_SIZE, WALLOC_ALIGNMENT_MAX);
}

static void test_alignments_above_64_kib(void **state) {
  (void)state;
  take_aligned(2 * WALLOC_ALIGNMENT_MAX, 16 * MIB);
}

static void test_bad_alignments(void **state) {
  const size_t bad[] = {0, 3, 6, 24, 100, 4097, SIZE_MAX};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    errno = 0;
    assert_fails(walloc_aligned_alloc(bad[i], 64), WALLOC_ERROR_ALIGNMENT);
    assert_int_equal(errno, EINVAL);
  }
}

static void test_alignments_beyond_all_memory(void **state) {
  (void)state;
  assert_out_of_memory(walloc_aligned_alloc(SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 2));
  assert_out_of_memory(walloc_aligned_alloc(SIZE_MAX / 2 + 1, SIZE_MAX));
}

/* ---- free and reuse ------------------------------------------------------------------------- */

static void test_free_of_nothing(void **state) {
  (void)state;
  walloc_free(NULL);
  assert_int_equal(walloc_usable_size(NULL), 0);
}

static void test_pairs_need_no_more_memory(void **state) {
  const size_t sizes[] = {0, 1, 16, 100, 1024, 4000, 32768, 32769, 100000, 5 * MIB};
  (void)state;
  use_up_scraps();
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    walloc_free(walloc_malloc(sizes[i]));
    size_t held = heap_stats().held;
    for (int pair = 0; pair < 1000000; pair++) {
      char *block = walloc_malloc(sizes[i]);
      *(volatile char *)block = 1;
      walloc_free(block);
    }
    assert_int_equal(heap_stats().held, held);
  }
}

static void test_huge_pairs_give_everything_back(void **state) {
  (void)state;
  size_t held = heap_stats().held;
  for (int pair = 0; pair < 1000; pair++) {
    char *block = walloc_malloc(9 * MIB);
    assert_non_null(block);
    walloc_free(block);
  }
  assert_int_equal(heap_stats().held, held);
  assert_true(heap_stats().peak >= held + 9 * MIB);
}

/* Half a megabyte of blocks has some at multiples of 64 KiB; the heap grows by an eighth meanwhile. */
static void test_frees_look_around_when_the_heap_has_grown(void **state) {
  enum { BLOCKS = 8192 };
  static void *blocks[BLOCKS];
  (void)state;
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = walloc_malloc(64);
  walloc_memory_stats at_first, now;
  walloc_get_memory_stats(&at_first);
  do {
    assert_non_null(walloc_malloc((size_t)16 << 20));
    walloc_get_memory_stats(&now);
  } while (now.obtained - at_first.obtained <= heap_stats().held / 8 + MIB);
  uint64_t before = heap_stats().sweeps;
  for (int i = 0; i < BLOCKS; i++)
    walloc_free(blocks[i]);
  assert_true(heap_stats().sweeps > before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_empty_heap(test_all_sizes_up_to_70000),
      with_empty_heap(test_sizes_to_8_mib_and_beyond_all_alive),
      with_empty_heap(test_every_class_ends_where_it_says),
      with_empty_heap(test_the_census_has_the_same_classes),
      with_empty_heap(test_zero_bytes_are_a_block_of_their_own),
      with_empty_heap(test_impossible_sizes),
      with_empty_heap(test_calloc_is_zero_after_dirty_use),
      with_empty_heap(test_calloc_is_zero_in_room_of_many_pasts),
      with_empty_heap(test_calloc_of_too_many),
      with_empty_heap(test_realloc_keeps_the_bytes),
      with_empty_heap(test_realloc_in_place_where_there_is_room),
      with_empty_heap(test_realloc_of_a_huge_block_in_place),
      with_empty_heap(test_realloc_of_nothing_and_to_nothing),
      with_empty_heap(test_alignments_of_small_blocks),
      with_empty_heap(test_alignments_above_a_page),
      with_empty_heap(test_alignments_above_64_kib),
      with_empty_heap(test_bad_alignments),
      with_empty_heap(test_alignments_beyond_all_memory),
      with_empty_heap(test_free_of_nothing),
      with_empty_heap(test_pairs_need_no_more_memory),
      with_empty_heap(test_huge_pairs_give_everything_back),
      with_empty_heap(test_frees_look_around_when_the_heap_has_grown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
