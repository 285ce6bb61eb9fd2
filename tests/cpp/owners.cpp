/* Objects that end what they began: pins, marks, contexts. */
#include "cpp/support.hpp"

#include <thread>
#include <utility>
#include <vector>

#include "walloc.hpp"

namespace {

walloc_arena *fresh_scene() {
  CHECK(walloc_reset(walloc_tier(WALLOC_SCENE)) == WALLOC_OK);
  return walloc_tier(WALLOC_SCENE);
}

void test_pins() {
  walloc_arena *arena = fresh_scene();
  walloc_ref ref = walloc_alloc_ref(arena, 100);
  {
    walloc::pin of_arena(arena), of_ref(ref);
    CHECK(of_arena && of_ref && of_ref.address() == ref.address && of_arena.address() == nullptr);
    CHECK(walloc_reset(arena) == WALLOC_ERROR_PINNED);
    CHECK(of_arena.unpin() == WALLOC_OK && !of_arena);
    CHECK(of_arena.unpin() == WALLOC_ERROR_HANDLE);
    CHECK(walloc_reset(arena) == WALLOC_ERROR_PINNED); /* by the other */

    walloc::pin moved(std::move(of_ref));
    CHECK(moved && !of_ref && moved.address() == ref.address);
    CHECK(walloc_reset(arena) == WALLOC_ERROR_PINNED);
  }
  CHECK(walloc_reset(arena) == WALLOC_OK);

  walloc::pin stale(ref), of_none(static_cast<walloc_arena *>(nullptr));
  CHECK(!stale && stale.error() == WALLOC_ERROR_STALE && stale.address() == nullptr);
  CHECK(!of_none && of_none.error() == WALLOC_ERROR_ARENA);
  CHECK(walloc_reset(arena) == WALLOC_OK); /* neither holds anything */
}

void test_scopes() {
  walloc_arena *arena = fresh_scene();
  walloc_ref before = walloc_alloc_ref(arena, 64), within, kept;
  {
    walloc::scope scratch(arena);
    CHECK(scratch);
    within = walloc_alloc_ref(arena, 64);
    CHECK(walloc_ref_valid(within));
  }
  CHECK(walloc_ref_valid(before) && !walloc_ref_valid(within));
  {
    walloc::scope scratch(arena);
    kept = walloc_alloc_ref(arena, 64);
    scratch.keep();
    CHECK(!scratch && scratch.rewind() == WALLOC_ERROR_HANDLE);
  }
  CHECK(walloc_ref_valid(kept));
  {
    walloc::scope scratch(arena);
    within = walloc_alloc_ref(arena, 64);
    {
      walloc::pin reading(arena);
      CHECK(scratch.rewind() == WALLOC_ERROR_PINNED && scratch && walloc_ref_valid(within));
    }
    CHECK(scratch.rewind() == WALLOC_OK && !walloc_ref_valid(within));
    within = walloc_alloc_ref(arena, 64); /* behind it: the scope has ended */
  }
  CHECK(walloc_ref_valid(within));
  {
    walloc::scope scratch(arena);
    CHECK(walloc_reset(arena) == WALLOC_OK);
    within = walloc_alloc_ref(arena, 64);
    CHECK(scratch.rewind() == WALLOC_ERROR_STALE && !scratch);
  }
  CHECK(walloc_ref_valid(within));
  walloc::scope of_none(nullptr);
  CHECK(!of_none && of_none.error() == WALLOC_ERROR_ARENA);
}

void test_contexts() {
  walloc_arena *arena = fresh_scene();
  walloc_context handle;
  {
    walloc::context first = walloc::context::create(arena), second = first;
    handle = first.handle();
    CHECK(first && second.handle() == handle && second.arena() == arena);
    CHECK(walloc_context_references(handle) == 2);
    walloc::context third(std::move(second));
    CHECK(!second && third && walloc_context_references(handle) == 2);
    walloc::context &itself = first;
    first = itself;
    CHECK(first && walloc_context_references(handle) == 2);
    third = walloc::context();
    CHECK(!third && walloc_context_references(handle) == 1);
    CHECK(third.release() == WALLOC_ERROR_HANDLE);
  }
  CHECK(walloc_context_references(handle) == 0);

  walloc::context sender = walloc::context::create(arena);
  handle = sender.detach();
  CHECK(!sender && walloc_context_references(handle) == 1);
  walloc::context receiver = walloc::context::adopt(handle);
  CHECK(receiver.release() == WALLOC_OK && walloc_context_references(handle) == 0);
  CHECK(!walloc::context::create(nullptr) && walloc_last_error() == WALLOC_ERROR_ARENA);
}

void test_the_last_context_resets() {
  walloc_arena *arena = fresh_scene();
  walloc::context scene = walloc::context::create(arena, WALLOC_CONTEXT_RESETS);
  walloc_ref ref = walloc_alloc_ref(arena, 100);
  { walloc::context copy = scene; }
  CHECK(walloc_ref_valid(ref));
  {
    walloc::pin reading(arena);
    CHECK(scene.release() == WALLOC_ERROR_PINNED && scene && walloc_ref_valid(ref));
  }
  CHECK(scene.release() == WALLOC_OK && !scene && !walloc_ref_valid(ref));
}

void test_a_copy_too_many_is_empty() {
  walloc::context context = walloc::context::create(fresh_scene());
  while (walloc_context_retain(context.handle()) == WALLOC_OK)
    continue;
  walloc::context copy = context;
  CHECK(!copy);
  CHECK(walloc_context_references(context.handle()) == WALLOC_REFERENCES_MAX);
  while (walloc_context_references(context.handle()) > 1)
    CHECK(walloc_context_release(context.handle()) == WALLOC_OK);
}

#ifndef WITHOUT_THREADS
void test_threads_share_a_context() {
  walloc::context context = walloc::context::create(fresh_scene(), WALLOC_CONTEXT_RESETS);
  walloc_context handle = context.handle();
  walloc_ref ref = walloc_alloc_ref(context.arena(), 100);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([context] {
      for (int i = 0; i < 1000; i++) {
        walloc::context copy = context;
        CHECK(copy && walloc_context_alloc(copy.handle(), 16) != nullptr);
      }
    });
  CHECK(context.release() == WALLOC_OK);
  for (std::thread &thread : threads)
    thread.join();
  CHECK(walloc_context_references(handle) == 0 && !walloc_ref_valid(ref));
}
#endif

} // namespace

void test_owners() {
  test_pins();
  test_scopes();
  test_contexts();
  test_the_last_context_resets();
  test_a_copy_too_many_is_empty();
#ifndef WITHOUT_THREADS
  test_threads_share_a_context();
#endif
}
