/* Contexts: counts, children, resets by the last release, stale handles, limits; and many threads that retain
 * and release at once. */
#include "unit/support.h"

#include <pthread.h>
#include <stdatomic.h>

#include "walloc_context.h"
#include "walloc_frames.h"

static walloc_context make(walloc_arena *arena, unsigned flags) {
  walloc_context context = walloc_context_create(arena, flags);
  assert_int_not_equal(context, WALLOC_NO_CONTEXT);
  return context;
}

/* Everything that can be asked of a context. */
static void assert_is_stale(walloc_context context) {
  assert_int_equal(walloc_context_retain(context), WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_context_release(context), WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_context_reset(context), WALLOC_ERROR_HANDLE);
  assert_fails(walloc_context_arena(context), WALLOC_ERROR_HANDLE);
  assert_fails(walloc_context_alloc(context, 8), WALLOC_ERROR_HANDLE);
  assert_fails(walloc_context_alloc_ref(context, 8).address, WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_context_create_child(context, NULL, 0), WALLOC_NO_CONTEXT);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_context_create_entity(context), WALLOC_NO_CONTEXT);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_context_references(context), 0);
}

static void test_blocks_come_from_its_arena(void **state) {
  (void)state;
  walloc_arena *scene = walloc_tier(WALLOC_SCENE);
  walloc_context context = make(scene, 0);
  assert_ptr_equal(walloc_context_arena(context), scene);
  assert_non_null(walloc_context_alloc(context, 100));
  walloc_ref ref = walloc_context_alloc_ref(context, 100);
  assert_ptr_equal(ref.arena, scene);
  assert_true(walloc_ref_valid(ref));
  assert_fails(walloc_context_alloc(context, 0), WALLOC_ERROR_SIZE);
  assert_int_equal(walloc_context_reset(context), WALLOC_OK);
  assert_false(walloc_ref_valid(ref));
  assert_int_equal(walloc_used(scene), 0);
  assert_int_equal(walloc_context_release(context), WALLOC_OK);
}

static void test_references_are_counted(void **state) {
  (void)state;
  walloc_context context = make(walloc_tier(WALLOC_SCENE), 0);
  for (unsigned i = 1; i < 5; i++) {
    assert_int_equal(walloc_context_references(context), i);
    assert_int_equal(walloc_context_retain(context), WALLOC_OK);
  }
  for (unsigned i = 5; i > 0; i--) {
    assert_int_equal(walloc_context_references(context), i);
    assert_int_equal(walloc_context_release(context), WALLOC_OK);
  }
  assert_is_stale(context);
}

static void test_children_are_counted_on_their_own(void **state) {
  (void)state;
  walloc_context scene = make(walloc_tier(WALLOC_SCENE), 0);
  walloc_context entity = walloc_context_create_entity(scene);
  walloc_context same = walloc_context_create_child(scene, NULL, 0);
  walloc_context other = walloc_context_create_child(scene, walloc_tier(WALLOC_RENDER), 0);
  walloc_ref in_scene = walloc_context_alloc_ref(scene, 64);
  walloc_ref in_entity = walloc_context_alloc_ref(entity, 64);
  assert_ptr_equal(walloc_context_arena(entity), walloc_tier(WALLOC_ENTITY));
  assert_ptr_equal(walloc_context_arena(same), walloc_tier(WALLOC_SCENE));
  assert_ptr_equal(walloc_context_arena(other), walloc_tier(WALLOC_RENDER));
  assert_int_equal(walloc_context_release(scene), WALLOC_OK);
  assert_is_stale(scene);
  assert_true(walloc_ref_valid(in_scene)); /* neither dropped nor reset */
  assert_true(walloc_ref_valid(in_entity));
  assert_non_null(walloc_context_alloc(entity, 64));
  assert_int_equal(walloc_context_references(same), 1);
  assert_int_equal(walloc_context_reset(same), WALLOC_OK); /* said so */
  assert_false(walloc_ref_valid(in_scene));
  assert_true(walloc_ref_valid(in_entity));
  assert_int_equal(walloc_context_release(entity), WALLOC_OK);
  assert_true(walloc_ref_valid(in_entity));
  assert_int_equal(walloc_context_release(same), WALLOC_OK);
  assert_int_equal(walloc_context_release(other), WALLOC_OK);
}

static void test_the_last_release_resets_if_asked_to(void **state) {
  (void)state;
  walloc_context context = make(create((walloc_arena_config){0}), WALLOC_CONTEXT_RESETS);
  walloc_arena *arena = walloc_context_arena(context);
  walloc_ref ref = walloc_context_alloc_ref(context, 64);
  assert_int_equal(walloc_context_retain(context), WALLOC_OK);
  assert_int_equal(walloc_context_release(context), WALLOC_OK);
  assert_true(walloc_ref_valid(ref));
  assert_int_equal(stats_of(arena).resets, 0);
  assert_int_equal(walloc_context_release(context), WALLOC_OK);
  assert_false(walloc_ref_valid(ref));
  assert_int_equal(stats_of(arena).resets, 1);
  assert_is_stale(context);
}

static void test_a_pinned_arena_keeps_its_last_reference(void **state) {
  (void)state;
  walloc_context context = make(walloc_tier(WALLOC_SCENE), WALLOC_CONTEXT_RESETS);
  walloc_ref ref = walloc_context_alloc_ref(context, 64);
  assert_non_null(walloc_pin_ref(ref));
  assert_int_equal(walloc_context_reset(context), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_context_release(context), WALLOC_ERROR_PINNED);
  assert_int_equal(walloc_context_references(context), 1);
  assert_true(walloc_ref_valid(ref));
  assert_int_equal(walloc_unpin(ref.arena), WALLOC_OK);
  assert_int_equal(walloc_context_release(context), WALLOC_OK);
  assert_false(walloc_ref_valid(ref));
}

static void test_a_destroyed_arena_is_noticed(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  walloc_context context = make(arena, WALLOC_CONTEXT_RESETS);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  assert_ptr_equal(create((walloc_arena_config){0}), arena); /* the next one in its slot */
  walloc_ref ref = walloc_alloc_ref(arena, 64);
  assert_fails(walloc_context_alloc(context, 64), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_context_reset(context), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_context_create_child(context, NULL, 0), WALLOC_NO_CONTEXT);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_context_retain(context), WALLOC_OK);
  assert_int_equal(walloc_context_release(context), WALLOC_OK);
  assert_int_equal(walloc_context_release(context), WALLOC_OK);
  assert_true(walloc_ref_valid(ref));
}

static void test_stale_handles_stay_stale(void **state) {
  (void)state;
  enum { COUNT = 3 * WALLOC_CONTEXTS_MAX };
  static walloc_context old[COUNT];
  for (int i = 0; i < COUNT; i++) {
    old[i] = make(walloc_tier(WALLOC_SCENE), 0);
    assert_int_equal(walloc_context_release(old[i]), WALLOC_OK);
  }
  walloc_context now = make(walloc_tier(WALLOC_RENDER), 0);
  for (int i = 0; i < COUNT; i++) {
    assert_int_not_equal(old[i], now);
    assert_int_equal(walloc_context_release(old[i]), WALLOC_ERROR_HANDLE);
    assert_int_equal(walloc_context_retain(old[i]), WALLOC_ERROR_HANDLE);
  }
  assert_int_equal(walloc_context_references(now), 1);
  assert_is_stale(WALLOC_NO_CONTEXT);
  assert_is_stale(UINT32_MAX);
}

static void test_limits(void **state) {
  (void)state;
  static walloc_context all[WALLOC_CONTEXTS_MAX];
  walloc_arena *arena = walloc_tier(WALLOC_SCENE);
  for (int i = 0; i < WALLOC_CONTEXTS_MAX; i++)
    all[i] = make(arena, 0);
  assert_int_equal(walloc_context_create(arena, 0), WALLOC_NO_CONTEXT);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_LIMIT);
  assert_int_equal(walloc_context_release(all[500]), WALLOC_OK);
  all[500] = make(arena, 0);
  for (int i = 1; i < WALLOC_REFERENCES_MAX; i++)
    assert_int_equal(walloc_context_retain(all[0]), WALLOC_OK);
  assert_int_equal(walloc_context_retain(all[0]), WALLOC_ERROR_LIMIT);
  assert_int_equal(walloc_context_references(all[0]), WALLOC_REFERENCES_MAX);
  assert_int_equal(walloc_context_references(all[1]), 1);
}

static void test_what_is_refused(void **state) {
  (void)state;
  assert_int_equal(walloc_context_create(NULL, 0), WALLOC_NO_CONTEXT);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_ARENA);
  assert_int_equal(walloc_context_create(walloc_tier(WALLOC_SCENE), 2), WALLOC_NO_CONTEXT);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_CONFIG);
  walloc_context context = make(walloc_tier(WALLOC_SCENE), 0);
  walloc_arena *arena = walloc_context_arena(context);
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  assert_is_stale(context);
  assert_int_equal(walloc_context_create(arena, 0), WALLOC_NO_CONTEXT);
  assert_int_equal(walloc_last_error(), WALLOC_ERROR_NOT_INITIALIZED);
  begin_with(NULL);
  assert_is_stale(context); /* also of the walloc before */
  assert_int_not_equal(make(walloc_tier(WALLOC_SCENE), 0), context);
}

/* ---- Many threads --------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 200, TURNS = 50 };

static walloc_context shared;
static _Atomic unsigned stale; /* counted up by those who come too late */

static void *retain_and_release(void *argument) {
  (void)argument;
  for (int i = 0; i < TURNS; i++) {
    if (walloc_context_retain(shared) == WALLOC_OK) {
      if (walloc_context_alloc(shared, 8) == NULL || walloc_context_release(shared) != WALLOC_OK)
        return &shared;
    } else {
      atomic_fetch_add_explicit(&stale, 1, memory_order_relaxed);
    }
  }
  return NULL;
}

/* The main thread gives up its reference meanwhile: whoever is last resets, once in each round. */
static void test_one_thread_is_the_last(void **state) {
  (void)state;
  walloc_arena *arena = create((walloc_arena_config){0});
  for (uint64_t round = 0; round < ROUNDS; round++) {
    pthread_t threads[THREADS];
    shared = make(arena, WALLOC_CONTEXT_RESETS);
    for (int i = 0; i < THREADS; i++)
      assert_int_equal(pthread_create(&threads[i], NULL, retain_and_release, NULL), 0);
    assert_int_equal(walloc_context_release(shared), WALLOC_OK);
    for (int i = 0; i < THREADS; i++) {
      void *failed;
      assert_int_equal(pthread_join(threads[i], &failed), 0);
      assert_null(failed);
    }
    assert_int_equal(stats_of(arena).resets, round + 1);
    assert_int_equal(walloc_used(arena), 0);
    assert_is_stale(shared);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_blocks_come_from_its_arena),
      with_defaults(test_references_are_counted),
      with_defaults(test_children_are_counted_on_their_own),
      with_defaults(test_the_last_release_resets_if_asked_to),
      with_defaults(test_a_pinned_arena_keeps_its_last_reference),
      with_defaults(test_a_destroyed_arena_is_noticed),
      with_defaults(test_stale_handles_stay_stale),
      with_defaults(test_limits),
      with_defaults(test_what_is_refused),
      with_defaults(test_one_thread_is_the_last),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
