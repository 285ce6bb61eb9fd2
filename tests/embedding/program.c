/* A program of somebody else's that takes walloc in: uses a tier and the heap, says whose malloc it has, and exits
 * with 0 when all went well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <walloc.h>

#ifdef WITH_THREADS
#include <pthread.h>

static void *in_a_thread(void *unused) {
  (void)unused;
  return walloc_tier_alloc(WALLOC_SCENE, 1000);
}

static int threads_allocate(void) {
  pthread_t thread;
  void *block = NULL;
  return pthread_create(&thread, NULL, in_a_thread, NULL) == 0 &&
         pthread_join(thread, &block) == 0 && block != NULL;
}
#else
static int threads_allocate(void) { return 1; }
#endif

static size_t held(void) {
  walloc_heap_stats stats;
  return walloc_get_heap_stats(&stats) == WALLOC_OK ? stats.held : 0;
}

int main(void) {
  size_t before = held();
  char *volatile block = malloc(1 << 20); /* volatile, or the compiler does without it */
  if (block == NULL || walloc_init(NULL) != WALLOC_OK)
    return 1;
  printf("malloc is %s\n", held() >= before + (1 << 20) ? "walloc's" : "another");
  memset(block, 1, 1 << 20);
  free(block);

  walloc_ref ref = walloc_alloc_ref(walloc_tier(WALLOC_RENDER), 100);
  char *text = walloc_malloc(100);
  if (ref.address == NULL || text == NULL || !threads_allocate())
    return 1;
  strcpy(text, "walloc " WALLOC_VERSION " works");
  walloc_reset(walloc_tier(WALLOC_RENDER));
  if (walloc_ref_valid(ref))
    return 1;
  puts(text);
  walloc_free(text);
  return walloc_shutdown() == WALLOC_OK ? 0 : 1;
}
