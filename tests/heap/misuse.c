/* What the heap notices of a program's mistakes, and that none of those does harm: the heap is in order
 * afterwards. Runs on the plain build and on the hardened one, which notices more. */
#include "heap/support.h"

#include <stdio.h>

static walloc_misuse seen; /* the last one */
static unsigned times;
static int told_user;

static void see(const walloc_misuse *misuse, void *user) {
  seen = *misuse;
  times++;
  assert_ptr_equal(user, &told_user);
}

static int begin_seeing(void **state) {
  times = 0;
  seen = (walloc_misuse){0};
  walloc_heap_on_misuse(see, &told_user);
  return begin_empty(state);
}

static int end_seeing(void **state) {
  walloc_heap_on_misuse(NULL, NULL);
  return begin_empty(state);
}

#define with_misuse(test) cmocka_unit_test_setup_teardown(test, begin_seeing, end_seeing)

/* That exactly this was seen since the last time. */
static void assert_seen(walloc_misuse_kind kind, const void *address) {
  assert_int_equal(times, 1);
  assert_int_equal(seen.kind, kind);
  assert_ptr_equal(seen.address, address);
  times = 0;
}

static void *take_block(size_t size) {
  void *block = walloc_malloc(size);
  assert_non_null(block);
  memset(block, 0x5A, size);
  return block;
}

/* ---- Every build ---------------------------------------------------------------------------- */

static void test_right_use_is_not_reported(void **state) {
  const size_t sizes[] = {0, 1, 16, 100, 5000, 32768, 32769, 100000, 9 * MIB};
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    walloc_free(take_block(sizes[i]));
    walloc_free(walloc_realloc(take_block(sizes[i]), sizes[i] + 1000));
    walloc_free(walloc_aligned_alloc(256, sizes[i]));
  }
  walloc_free(NULL);
  assert_int_equal(times, 0);
}

static void test_foreign_memory(void **state) {
  int local = 5;
  static int global = 5;
  void *strangers[] = {&local, &global, (void *)(uintptr_t)8, (void *)UINTPTR_MAX};
  (void)state;
  for (size_t i = 0; i < COUNT(strangers); i++) {
    walloc_free(strangers[i]);
    assert_seen(WALLOC_MISUSE_FOREIGN, strangers[i]);
    assert_int_equal(seen.part, 0);
    assert_null(walloc_realloc(strangers[i], 100));
    assert_seen(WALLOC_MISUSE_FOREIGN, strangers[i]);
    assert_int_equal(walloc_usable_size(strangers[i]), 0);
  }
  assert_int_equal(local + global, 10);
}

static void test_memory_of_an_arena(void **state) {
  (void)state;
  begin_with(NULL);
  void *block = take(create((walloc_arena_config){0}), 100);
  walloc_free(block);
  assert_seen(WALLOC_MISUSE_FOREIGN, block);
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
}

static void test_within_a_large_block(void **state) {
  char *block = take_block(100 * KIB), *huge = take_block(9 * MIB);
  (void)state;
  const size_t places[] = {1, 16, 4096, 50 * KIB, 50 * KIB + 3};
  for (size_t i = 0; i < COUNT(places); i++) {
    walloc_free(block + places[i]);
    assert_seen(WALLOC_MISUSE_INTERIOR, block + places[i]);
    walloc_free(huge + places[i]);
    assert_seen(WALLOC_MISUSE_INTERIOR, huge + places[i]);
  }
  assert_int_equal((unsigned char)block[4095], 0x5A);
  char *tag = block - 16; /* where the pages begin: there is no block before them */
  walloc_free(tag);
  assert_seen(WALLOC_MISUSE_INTERIOR, tag);
  walloc_free(block);
  walloc_free(huge);
  assert_int_equal(times, 0);
  assert_nothing_is_live();
}

static void test_twice_in_a_row(void **state) {
  (void)state;
  use_up_scraps();
  for (size_t size = 16; size <= WALLOC_HEAP_SMALL; size *= 2) {
    void *block = take_block(size - 8), *other = take_block(size - 8);
    size_t usable = walloc_usable_size(block);
    walloc_free(block);
    walloc_free(block);
    assert_seen(WALLOC_MISUSE_DOUBLE_FREE, block);
    assert_int_equal(seen.size, usable);
    assert_true(seen.part != 0);
    walloc_free(other);
  }
  assert_nothing_is_live();
}

static void test_a_large_block_twice(void **state) {
  char *blocks[3];
  (void)state;
  for (size_t i = 0; i < 3; i++)
    blocks[i] = take_block(100 * KIB);
  walloc_free(blocks[0]);
  walloc_free(blocks[1]); /* the two are one now */
  for (size_t i = 0; i < 2; i++) {
    walloc_free(blocks[i]);
    assert_int_equal(times, 1);
    assert_true(seen.kind == WALLOC_MISUSE_INTERIOR || seen.kind == WALLOC_MISUSE_DOUBLE_FREE);
    times = 0;
  }
  walloc_free(blocks[2]);
  assert_nothing_is_live();
}

static void test_a_huge_block_twice(void **state) {
  void *block = take_block(9 * MIB);
  (void)state;
  walloc_free(block);
  walloc_free(block);
  assert_seen(WALLOC_MISUSE_FOREIGN, block); /* its pages are nobody's */
}

/* ---- The hardened build --------------------------------------------------------------------- */

#ifdef WALLOC_HARDENED

static void test_within_a_small_block(void **state) {
  (void)state;
  for (size_t size = 32; size <= 30000; size *= 3) {
    char *block = take_block(size);
    for (size_t place = 1; place < size; place += size / 5) {
      walloc_free(block + place);
      assert_seen(WALLOC_MISUSE_INTERIOR, block + place);
    }
    walloc_free(block);
  }
  assert_int_equal(times, 0);
}

static void assert_double_free(void *block, size_t size) {
  assert_seen(WALLOC_MISUSE_DOUBLE_FREE, block);
  assert_int_equal(seen.size, size);
  assert_null(walloc_realloc(block, 10));
  assert_seen(WALLOC_MISUSE_DOUBLE_FREE, block);
}

static void test_twice_with_others_in_between(void **state) {
  const size_t sizes[] = {1, 16, 100, 5000, 30000, 40000, 300 * KIB};
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    void *blocks[8];
    for (size_t j = 0; j < 8; j++)
      blocks[j] = take_block(sizes[i]);
    for (size_t j = 0; j < 7; j++)
      walloc_free(blocks[j]);
    for (size_t j = 0; j < 7; j++) {
      walloc_free(blocks[j]);
      if (seen.kind == WALLOC_MISUSE_FOREIGN && sizes[i] >= WALLOC_PAGE_SIZE)
        times = 0; /* the pages were given back */
      else
        assert_double_free(blocks[j], sizes[i]);
    }
    walloc_free(blocks[7]);
  }
  assert_nothing_is_live();
}

/* One byte behind the end is enough, whatever the size, at the next free or realloc. */
static void test_overruns(void **state) {
  const size_t sizes[] = {1, 15, 24, 100, 1000, 4097, 30001, 40001, 300 * KIB + 1};
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    unsigned char *block = take_block(sizes[i]), before = block[sizes[i]];
    block[sizes[i]] = (unsigned char)~before;
    walloc_free(block);
    assert_seen(WALLOC_MISUSE_OVERRUN, block);
    assert_int_equal(seen.part != 0, sizes[i] < WALLOC_HEAP_SMALL);
    assert_null(walloc_realloc(block, 2 * sizes[i]));
    assert_seen(WALLOC_MISUSE_OVERRUN, block);
    block[sizes[i]] = before;
    walloc_free(block); /* which is a block like any other again */
    assert_int_equal(times, 0);
  }
  assert_nothing_is_live();
}

static void test_an_overrun_tells_the_size_while_it_can(void **state) {
  unsigned char *block = take_block(100);
  (void)state;
  block[100] = 1; /* in the fill: what is behind it still tells */
  walloc_free(block);
  assert_seen(WALLOC_MISUSE_OVERRUN, block);
  assert_int_equal(seen.size, 100);
  memset(block, 1, 112 + 16); /* and into the next */
  walloc_free(block);
  assert_seen(WALLOC_MISUSE_OVERRUN, block);
  assert_int_equal(seen.size, 0);
}

/* Of a free block, a link that was overwritten is never followed. */
static void test_writing_to_a_free_block(void **state) {
  (void)state;
  for (unsigned bit = 24; bit < 64; bit++) { /* below, it may lead to another block of the class */
    unsigned char *blocks[10];
    times = 0;
    for (size_t i = 0; i < 10; i++)
      blocks[i] = take_block(200);
    for (size_t i = 0; i < 10; i++)
      walloc_free(blocks[i]);
    blocks[5][bit / 8] ^= (unsigned char)(1u << bit % 8);
    for (size_t i = 0; i < 10; i++)
      assert_non_null(walloc_malloc(200));
    assert_seen(WALLOC_MISUSE_CORRUPTION, blocks[5]);
    assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  }
}

static void test_usable_is_what_was_asked_for(void **state) {
  (void)state;
  for (size_t size = 1; size < 100000; size += size / 3 + 1) {
    void *block = take_block(size);
    assert_int_equal(walloc_usable_size(block), size);
    block = walloc_realloc(block, size + 1);
    assert_int_equal(walloc_usable_size(block), size + 1);
    walloc_free(block);
  }
  assert_int_equal(times, 0);
}

#endif

/* ---- Without a function --------------------------------------------------------------------- */

#ifndef __EMSCRIPTEN__
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a process that does this writes before it is aborted. */
static void read_last_words(void (*act)(void), char *text, size_t room) {
  int ends[2], status;
  assert_int_equal(pipe(ends), 0);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    (void)signal(SIGABRT, SIG_DFL);
    (void)dup2(ends[1], STDERR_FILENO);
    act();
    _exit(0);
  }
  (void)close(ends[1]);
  ssize_t length = read(ends[0], text, room - 1);
  text[length < 0 ? 0 : length] = 0;
  (void)close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void free_twice(void) {
  void *block = walloc_malloc(50);
  walloc_free(block);
  walloc_free(block);
}

static void free_something_else(void) { walloc_free((void *)(uintptr_t)0xABC0); }

static void test_the_default_is_a_message_and_abort(void **state) {
  char text[200];
  (void)state;
  walloc_heap_on_misuse(NULL, NULL);
  read_last_words(free_twice, text, sizeof text);
  assert_memory_equal(text, "walloc: misuse 3 of 0x", 22);
  assert_int_equal(text[strlen(text) - 1], '\n');
  read_last_words(free_something_else, text, sizeof text);
  assert_string_equal(text, "walloc: misuse 1 of 0x000000000000abc0\n");
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      with_misuse(test_right_use_is_not_reported),
      with_misuse(test_foreign_memory),
      with_misuse(test_memory_of_an_arena),
      with_misuse(test_within_a_large_block),
      with_misuse(test_twice_in_a_row),
      with_misuse(test_a_large_block_twice),
      with_misuse(test_a_huge_block_twice),
#ifdef WALLOC_HARDENED
      with_misuse(test_within_a_small_block),
      with_misuse(test_twice_with_others_in_between),
      with_misuse(test_overruns),
      with_misuse(test_an_overrun_tells_the_size_while_it_can),
      with_misuse(test_writing_to_a_free_block),
      with_misuse(test_usable_is_what_was_asked_for),
#endif
#ifndef __EMSCRIPTEN__
      with_misuse(test_the_default_is_a_message_and_abort),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
