/* Runs all inputs of a folder through a fuzz target, without a fuzzer.
 *
 *     fuzz_heap_replay FOLDER */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 65536 };

static void run_file(const char *path) {
  static uint8_t input[INPUT_MAX];
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(EXIT_FAILURE);
  }
  size_t size = fread(input, 1, sizeof input, file);
  (void)fclose(file);
  printf("%s\n", path); /* the last one is the one that failed */
  fflush(stdout);
  (void)LLVMFuzzerTestOneInput(input, size);
}

int main(int count, char **values) {
  DIR *folder = count == 2 ? opendir(values[1]) : NULL;
  unsigned inputs = 0;
  if (folder == NULL) {
    fprintf(stderr, "fuzz_heap_replay FOLDER: no such folder\n");
    return EXIT_FAILURE;
  }
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    char path[4096];
    if (entry->d_name[0] == '.')
      continue;
    (void)snprintf(path, sizeof path, "%s/%s", values[1], entry->d_name);
    run_file(path);
    inputs++;
  }
  (void)closedir(folder);
  printf("%u inputs\n", inputs);
  return inputs == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
