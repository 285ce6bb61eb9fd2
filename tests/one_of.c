/* The tests of a folder as one program, which takes the name of the one that it runs: see CMakeLists.txt, which
 * defines TESTS. */
#include <stdio.h>
#include <string.h>

#define TEST(name) int main_of_##name(void);
TESTS
#undef TEST

#define TEST(name) {#name, main_of_##name},
static const struct {
  const char *name;
  int (*main)(void);
} tests[] = {TESTS};

int main(int count, char **arguments) {
  const char *name = count == 2 ? arguments[1] : "";
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
    if (strcmp(tests[i].name, name) == 0)
      return tests[i].main();
  fprintf(stderr, "There is no test `%s`\n", name);
  return 2;
}
