/* Memory resources and allocators: where blocks come from, at which alignment, and where they go. */
#include "cpp/support.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "walloc.hpp"

namespace {

[[maybe_unused]] constexpr std::size_t MEBIBYTE = 1 << 20;

struct alignas(64) line {
  int number;
};

bool is_aligned(const void *address, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

std::size_t live_blocks() {
  walloc_heap_census census;
  CHECK(walloc_take_heap_census(&census) == WALLOC_OK);
  return census.live_blocks;
}

void test_arena_resource() {
  walloc_arena *arena = walloc_tier(WALLOC_SCENE);
  CHECK(walloc_reset(arena) == WALLOC_OK);
  walloc::arena_resource resource(arena), same(arena);
  CHECK(resource.arena() == arena);
  CHECK(resource.is_equal(resource) && !resource.is_equal(same));

  /* The tier's own alignment, and no more than that, is from a lane: one block behind the other. */
  char *first = static_cast<char *>(resource.allocate(64, 64));
  char *second = static_cast<char *>(resource.allocate(64, 8));
  CHECK(second == first + 64);
  CHECK(is_aligned(resource.allocate(10, 4096), 4096));
  CHECK(resource.allocate(0, 1) != resource.allocate(0, 1));

  std::size_t used = walloc_used(arena);
  resource.deallocate(first, 64, 64);
  CHECK(walloc_used(arena) == used);
  {
    std::pmr::vector<int> numbers(&resource);
    for (int i = 0; i < 100000; i++)
      numbers.push_back(i);
    CHECK(numbers[99999] == 99999);
  }
  CHECK(walloc_used(arena) >= used + 100000 * sizeof(int));
  CHECK(walloc_reset(arena) == WALLOC_OK);
  CHECK(walloc_used(arena) == 0);
}

void test_heap_resource() {
  walloc_free(walloc_malloc(1)); /* the thread has its part of the heap */
  std::size_t before = live_blocks();
  CHECK(walloc::heap()->is_equal(*walloc::heap()));
  {
    std::pmr::map<int, std::pmr::string> names(walloc::heap());
    for (int i = 0; i < 1000; i++)
      names.emplace(i, "a name that is too long to lie within the string itself");
    CHECK(names.at(999).size() > 40);
    CHECK(live_blocks() == before + 2000);
  }
  for (std::size_t alignment = 1; alignment <= WALLOC_ALIGNMENT_MAX; alignment *= 4) {
    void *block = walloc::heap()->allocate(100, alignment);
    CHECK(is_aligned(block, alignment));
    walloc::heap()->deallocate(block, 100, alignment);
  }
  walloc::heap()->deallocate(walloc::heap()->allocate(0), 0);
  CHECK(live_blocks() == before);
}

void test_heap_allocator() {
  std::size_t before = live_blocks();
  {
    std::list<line, walloc::heap_allocator<line>> left, right;
    for (int i = 0; i < 100; i++)
      left.push_back({i});
    right.splice(right.begin(), left);
    CHECK(right.size() == 100 && left.empty());
    for (const line &item : right)
      CHECK(is_aligned(&item, 64));
    using pair_allocator = walloc::heap_allocator<std::pair<const int, int>>;
    std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, pair_allocator> map;
    for (int i = 0; i < 1000; i++)
      map[i] = i;
    CHECK(map.at(999) == 999);
    CHECK(live_blocks() >= before + 1100);
  }
  CHECK(live_blocks() == before);
  CHECK(walloc::heap_allocator<int>() == walloc::heap_allocator<line>());
}

void test_arena_allocator() {
  walloc_arena *render = walloc_tier(WALLOC_RENDER), *scene = walloc_tier(WALLOC_SCENE);
  walloc::arena_allocator<int> first(render);
  walloc::arena_allocator<line> other(first);
  CHECK(first == other && first != walloc::arena_allocator<int>(scene));

  std::size_t used = walloc_used(render);
  std::vector<line, walloc::arena_allocator<line>> lines(100, line{1}, render);
  CHECK(is_aligned(lines.data(), 64));
  CHECK(walloc_used(render) >= used + 6400);

  const line *before = lines.data();
  std::vector<line, walloc::arena_allocator<line>> moved(scene);
  moved = std::move(lines); /* storage and arena */
  CHECK(moved.data() == before && moved.get_allocator().arena() == render);
}

#if defined(__cpp_exceptions)
template <class Allocate> walloc_error reason_of(Allocate allocate) {
  try {
    (void)allocate();
  } catch (const std::bad_alloc &error) {
    auto *ours = dynamic_cast<const walloc::bad_alloc *>(&error);
    return ours != nullptr ? ours->error() : WALLOC_OK;
  }
  return WALLOC_OK;
}

void test_failures_say_why() {
  walloc_arena *arena = walloc_tier(WALLOC_ENTITY);
  walloc::arena_resource resource(arena), none(nullptr);
  std::size_t used = walloc_used(arena);
  CHECK(reason_of([&] { return resource.allocate(1, 2 * WALLOC_ALIGNMENT_MAX); }) ==
        WALLOC_ERROR_ALIGNMENT);
  CHECK(reason_of([&] { return none.allocate(1); }) == WALLOC_ERROR_ARENA);
  CHECK(reason_of([&] { return walloc::heap()->allocate(SIZE_MAX - MEBIBYTE); }) ==
        WALLOC_ERROR_OUT_OF_MEMORY);
  CHECK(reason_of([&] { return walloc::arena_allocator<line>(arena).allocate(SIZE_MAX / 2); }) ==
        WALLOC_ERROR_SIZE);
  CHECK(reason_of([&] { return walloc::heap_allocator<line>().allocate(SIZE_MAX / 2); }) ==
        WALLOC_ERROR_SIZE);
  CHECK(walloc_used(arena) == used);
}
#endif

#ifndef WITHOUT_THREADS
void test_threads_share_a_resource() {
  walloc_arena *arena = walloc_tier(WALLOC_RENDER);
  walloc::arena_resource resource(arena);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([&resource, t] {
      std::pmr::vector<std::pmr::string> strings(&resource);
      std::vector<int, walloc::heap_allocator<int>> numbers;
      for (std::size_t i = 0; i < 1000; i++) {
        strings.emplace_back(100, static_cast<char>('a' + t));
        numbers.push_back(t);
      }
      for (std::size_t i = 0; i < 1000; i++)
        CHECK(strings[i].size() == 100 && strings[i][99] == 'a' + t && numbers[i] == t);
    });
  for (std::thread &thread : threads)
    thread.join();
}
#endif

} // namespace

void test_resources() {
  test_arena_resource();
  test_heap_resource();
  test_heap_allocator();
  test_arena_allocator();
#if defined(__cpp_exceptions)
  test_failures_say_why();
#endif
#ifndef WITHOUT_THREADS
  test_threads_share_a_resource();
#endif
}
