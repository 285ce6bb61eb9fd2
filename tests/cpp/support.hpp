/* What the tests of walloc.hpp share. Each check counts, and goes on when it fails, as nothing can be thrown where
 * there are no exceptions. */
#ifndef TESTS_CPP_SUPPORT_HPP
#define TESTS_CPP_SUPPORT_HPP

#include <atomic>
#include <cstdio>

extern std::atomic<unsigned> failures;

inline void check(bool holds, const char *what, const char *file, int line) {
  if (holds)
    return;
  failures++;
  std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
}

#define CHECK(condition) check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

void test_resources(); /* std::pmr and allocators: resources.cpp */
void test_owners();    /* pins, marks, contexts: owners.cpp */

#endif
