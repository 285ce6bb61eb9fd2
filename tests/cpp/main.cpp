/* Runs the tests of walloc.hpp; with the argument `exhausted`, lets a container run out of memory instead. */
#include "cpp/support.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "walloc.hpp"

std::atomic<unsigned> failures{0};

namespace {

/* The reason is printed: by the handler, or by walloc.hpp itself before it aborts. */
int exhaust() {
  walloc_arena_config config = {};
  config.hard_budget = 1 << 20;
  std::vector<char, walloc::arena_allocator<char>> bytes(walloc_arena_create(&config));
#if defined(__cpp_exceptions)
  try {
    bytes.resize(2 << 20);
  } catch (const walloc::bad_alloc &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.error() == WALLOC_ERROR_BUDGET ? 0 : 1;
  }
#else
  std::signal(SIGABRT, [](int) {
    std::_Exit(0);
  }); /* where there are signals; else the exit status is not looked at */
  bytes.resize(2 << 20);
#endif
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  if (walloc_init(nullptr) != WALLOC_OK)
    return 1;
  if (argc > 1 && std::strcmp(argv[1], "exhausted") == 0)
    return exhaust();
  test_resources();
  test_owners();
  CHECK(walloc_shutdown() == WALLOC_OK);
  std::printf("%u failures\n", failures.load());
  return failures == 0 ? 0 : 1;
}
