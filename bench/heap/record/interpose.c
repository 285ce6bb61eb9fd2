/* Records what a process asks of malloc, for compact.mjs to make a trace of. Linux, glibc; to be loaded
 * with LD_PRELOAD.
 *
 *     WALLOC_RECORD_FILE      a file that does not exist yet; nothing is recorded without it
 *     WALLOC_RECORD_COUNT     how many records at most (default: 4,000,000); the process goes on after it
 *     WALLOC_RECORD_CHILDREN  also record the processes it starts, each into FILE.PID
 *
 * The file is one header and an array of records, both mapped and shared, so that what was recorded stays
 * when the process is killed. Any thread takes the next record with one atomic addition. The order is
 * such that a block's address is never seen twice at once: a block leaves before it is given back
 * (RECORD_FREE, RECORD_LEAVE), and enters after it was taken. A realloc is two records of one thread, of
 * which the second tells how it went: between them its block is nobody's.
 *
 * What is given out before the real functions are found comes from a small static area, which nothing
 * returns to: the search itself may allocate. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORD_MALLOC = 1, RECORD_FREE, RECORD_CALLOC, RECORD_ALIGNED, RECORD_LEAVE, RECORD_ENTER };
enum { COUNT = 4000000, EARLY_BYTES = 1 << 16, ALIGNMENT = 16 };

/* compact.mjs knows these two. A record without a kind was not finished. */
typedef struct {
  uint64_t address; /* what was given out or back; 0 where RECORD_ENTER tells of a failure */
  uint64_t size;
  uint32_t alignment;
  uint16_t thread; /* numbered in the order of first use */
  uint16_t kind;
} record;

typedef struct {
  char magic[8];
  uint64_t capacity;     /* records that the file has room for */
  _Atomic uint64_t used; /* may be greater than capacity */
} header;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void (*real_free)(void *);

static header *_Atomic file; /* NULL: do not record. The records follow the header */
static _Atomic uint16_t threads;
static __thread uint16_t thread __attribute__((tls_model("initial-exec"))); /* number + 1 */

static _Alignas(ALIGNMENT) char early[EARLY_BYTES];
static size_t early_used; /* written while there is one thread only */

/* ---- Before the real functions are known --------------------------------------------------- */

static int is_early(const void *block) {
  uintptr_t at = (uintptr_t)block - (uintptr_t)early;
  return at < sizeof early;
}

/* Zeroed, as nothing is used twice. */
static void *take_early(size_t size) {
  size_t bytes = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (size > sizeof early || bytes > sizeof early - early_used)
    return NULL;
  void *block = early + early_used;
  early_used += bytes;
  return block;
}

static void *leave_early(const void *block, size_t size) {
  char *copy = real_malloc(size);
  size_t there = (size_t)(early + sizeof early - (const char *)block);
  if (copy != NULL)
    memcpy(copy, block, size < there ? size : there); /* more than it had, but nothing foreign */
  return copy;
}

static int find_real(void) {
  static int state; /* 1: at it, 2: done; written before the process has a second thread */
  if (state != 0)
    return state == 2;
  state = 1;
  *(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
  *(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
  *(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
  *(void **)&real_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
  *(void **)&real_free = dlsym(RTLD_NEXT, "free");
  state = 2;
  return 1;
}

/* ---- The file ------------------------------------------------------------------------------ */

static void open_file(const char *name, uint64_t capacity) {
  size_t bytes = sizeof(header) + capacity * sizeof(record);
  int descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return;
  if (ftruncate(descriptor, (off_t)bytes) == 0) {
    header *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (mapped != MAP_FAILED) {
      memcpy(mapped->magic, "WRECORD1", sizeof mapped->magic);
      mapped->capacity = capacity;
      atomic_store(&file, mapped);
    }
  }
  close(descriptor);
}

static void write_record(unsigned kind, const void *address, size_t size, size_t alignment) {
  header *head = atomic_load_explicit(&file, memory_order_acquire);
  if (head == NULL)
    return;
  if (thread == 0)
    thread = (uint16_t)(atomic_fetch_add(&threads, 1) + 1);
  uint64_t index = atomic_fetch_add(&head->used, 1);
  if (index >= head->capacity) {
    atomic_store(&file, NULL);
    return;
  }
  record *next = (record *)(head + 1) + index;
  next->address = (uintptr_t)address;
  next->size = size;
  next->alignment = (uint32_t)alignment;
  next->thread = (uint16_t)(thread - 1);
  next->kind = (uint16_t)kind;
}

static char name_of_file[4096]; /* these two are written once, by begin */
static uint64_t capacity_of_file;

static void open_own_file(void) {
  char name[sizeof name_of_file + 16];
  snprintf(name, sizeof name, "%s.%d", name_of_file, (int)getpid());
  open_file(name, capacity_of_file);
}

static void begin_child(void) {
  atomic_store(&file, NULL); /* the mapping is the parent's */
  if (getenv("WALLOC_RECORD_CHILDREN") != NULL)
    open_own_file();
}

/* As unsetenv, which shells have one of their own of, that is not ready yet. */
static void forget(const char *name) {
  size_t length = strlen(name);
  char **to = environ;
  for (char **from = environ; *from != NULL; from++) {
    if (strncmp(*from, name, length) != 0 || (*from)[length] != '=')
      *to++ = *from;
  }
  *to = NULL;
}

/* Runs before main. The processes that this one starts do not find the file's name. */
__attribute__((constructor)) static void begin(void) {
  find_real();
  const char *name = getenv("WALLOC_RECORD_FILE");
  const char *count = getenv("WALLOC_RECORD_COUNT");
  if (name == NULL || strlen(name) >= sizeof name_of_file)
    return;
  memcpy(name_of_file, name, strlen(name) + 1);
  capacity_of_file = count != NULL ? strtoull(count, NULL, 10) : COUNT;
  pthread_atfork(NULL, NULL, begin_child);
  if (getenv("WALLOC_RECORD_CHILDREN") != NULL) {
    open_own_file();
  } else {
    open_file(name, capacity_of_file);
    forget("WALLOC_RECORD_FILE");
    forget("LD_PRELOAD");
  }
}

/* ---- The functions that programs call ------------------------------------------------------ */

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's are reserved

void *malloc(size_t size) {
  if (!find_real())
    return take_early(size);
  void *block = real_malloc(size);
  if (block != NULL)
    write_record(RECORD_MALLOC, block, size, 0);
  return block;
}

void *calloc(size_t count, size_t size) {
  if (!find_real()) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : take_early(bytes);
  }
  void *block = real_calloc(count, size);
  if (block != NULL)
    write_record(RECORD_CALLOC, block, count * size, 0);
  return block;
}

void free(void *block) {
  if (block == NULL || is_early(block))
    return;
  write_record(RECORD_FREE, block, 0, 0);
  real_free(block);
}

void *realloc(void *block, size_t size) {
  if (block == NULL)
    return malloc(size);
  if (is_early(block)) {
    void *copy = leave_early(block, size);
    if (copy != NULL)
      write_record(RECORD_MALLOC, copy, size, 0);
    return copy;
  }
  if (size == 0) { /* what glibc does */
    free(block);
    return NULL;
  }
  write_record(RECORD_LEAVE, block, size, 0);
  void *moved = real_realloc(block, size);
  write_record(RECORD_ENTER, moved, size, 0);
  return moved;
}

void *aligned_alloc(size_t alignment, size_t size) {
  if (!find_real())
    return alignment <= ALIGNMENT ? take_early(size) : NULL;
  void *block = real_aligned_alloc(alignment, size);
  if (block != NULL)
    write_record(RECORD_ALIGNED, block, size, alignment);
  return block;
}

void *memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
    return EINVAL;
  int before = errno;
  void *taken = aligned_alloc(alignment, size);
  errno = before;
  if (taken == NULL)
    return ENOMEM;
  *block = taken;
  return 0;
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
