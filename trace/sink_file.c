/* The sink of a native program: a file, mapped and shared, so that what was recorded stays when the process is
 * killed. And where the environment says what to record:
 *
 *     WALLOC_TRACE          the file, which must not exist yet. With %p in it, which becomes the process's
 *                           number, the processes that this one starts are recorded too; else they are not
 *     WALLOC_TRACE_SKIP     calls that go by before the first is written (default: 0)
 *     WALLOC_TRACE_COUNT    operations at most (default: no limit)
 *
 * begin_from_environment runs before main, alone; all else under the recorder's lock. */
#define _GNU_SOURCE
#include "front.h"
#include "recorder.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STEP = 1 << 20, PATH_MOST = 4096 };

static const size_t LENGTH_MOST = (size_t)1 << 30; /* address space; the file has what is written */

static unsigned char *mapped;
static size_t in_file; /* bytes that it has */
static int descriptor = -1;

/* Bytes that no operation begins with, behind all that is there. */
static int extend(void) {
  static unsigned char nothing[1 << 14];
  memset(nothing, 255, sizeof nothing);
  for (size_t end = in_file + STEP; in_file < end; in_file += sizeof nothing)
    if (pwrite(descriptor, nothing, sizeof nothing, (off_t)in_file) != (ssize_t)sizeof nothing)
      return 0;
  return 1;
}

unsigned char *sink_room(size_t length, size_t more) {
  if (descriptor < 0 || more > LENGTH_MOST - length)
    return NULL;
  while (length + more > in_file)
    if (!extend())
      return NULL;
  return mapped;
}

void sink_close(size_t length) {
  if (ftruncate(descriptor, (off_t)length) != 0)
    return; /* what is behind it stays: a trace says itself how long it is */
  munmap(mapped, LENGTH_MOST);
  close(descriptor);
  descriptor = -1;
}

void *sink_obtain(size_t bytes) {
  void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? NULL : block;
}

void sink_return(void *block, size_t bytes) { munmap(block, bytes); }

static int open_file(const char *path) {
  descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return 0;
  void *at = mmap(NULL, LENGTH_MOST, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (at != MAP_FAILED)
    mapped = at;
  return mapped != NULL;
}

static void say(const char *path) {
  static const char what[] = ": WALLOC_TRACE cannot make this file, or it is there already\n";
  if (write(STDERR_FILENO, path, strlen(path)) < 0 ||
      write(STDERR_FILENO, what, sizeof what - 1) < 0)
    return; /* nobody listens */
}

static uint64_t number_of(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* %p becomes the number of the process. */
static int make_path(char *path, const char *pattern) {
  const char *mark = strstr(pattern, "%p");
  int length = mark == NULL ? snprintf(path, PATH_MOST, "%s", pattern)
                            : snprintf(path, PATH_MOST, "%.*s%ld%s", (int)(mark - pattern), pattern,
                                       (long)getpid(), mark + 2);
  return length > 0 && length < PATH_MOST;
}

/* The name of this program, as far as the system tells it. */
static const char *program_name(void) {
  const char *slash = strrchr(program_invocation_name, '/');
  return slash == NULL ? program_invocation_name : slash + 1;
}

/* As unsetenv, which shells have one of their own of, that is not ready yet. */
static void forget(const char *name) {
  size_t length = strlen(name);
  char **to = environ;
  for (char **from = environ; *from != NULL; from++)
    if (strncmp(*from, name, length) != 0 || (*from)[length] != '=')
      *to++ = *from;
  *to = NULL;
}

void begin_from_environment(void) {
  static char path[PATH_MOST];
  const char *pattern = getenv("WALLOC_TRACE");
  if (pattern == NULL || *pattern == 0)
    return;
  if (!make_path(path, pattern) || !open_file(path)) {
    say(pattern);
    return;
  }
  if (strstr(pattern, "%p") == NULL) {
    forget("WALLOC_TRACE");
    forget("LD_PRELOAD");
  }
  if (trace_begin(program_name(), number_of("WALLOC_TRACE_SKIP"),
                  number_of("WALLOC_TRACE_COUNT"))) {
    pthread_atfork(NULL, NULL, trace_abandon);
    atexit(trace_finish);
  }
}
