/* Two threads fill a frame out of the render tier; the frame is thrown away in one step. */
#include "walloc.h"
#include <pthread.h>
#include <stdio.h>

static void *fill(void *name) {
  for (int i = 0; i < 1000; i++) {
    float *vertices = walloc_tier_alloc(WALLOC_RENDER, 64 * sizeof(float)); /* 128-byte aligned */
    if (vertices == NULL) {
      fprintf(stderr, "%s: %s\n", (char *)name, walloc_error_text(walloc_last_error()));
      return NULL;
    }
    vertices[0] = (float)i;
  }
  return NULL;
}

int main(void) {
  walloc_config config = {.reserve = 8 << 20}; /* zero in a field means the default */
  if (walloc_init(&config) != WALLOC_OK)
    return 1;
  walloc_arena *render = walloc_tier(WALLOC_RENDER);
  walloc_ref camera = walloc_alloc_ref(render, 128);
  walloc_preserve(render); /* what was allocated so far shall outlive the frames */
  size_t preserved = walloc_used(render);

  for (int frame = 0; frame < 3; frame++) {
    pthread_t other;
    if (pthread_create(&other, NULL, fill, "the other thread") != 0)
      return 1;
    fill("the first thread");
    pthread_join(other, NULL); /* nobody uses the frame any more */
    printf("frame %d: more than 500 KB used: %s\n", frame,
           walloc_used(render) > 500000 ? "yes" : "no");
    walloc_compact(render, preserved); /* or walloc_reset(render), for all of it */
  }
  printf("camera is valid: %s\n", walloc_ref_valid(camera) ? "yes" : "no");
  walloc_reset(render);
  printf("camera after a reset: %s\n", walloc_ref_valid(camera) ? "valid" : "stale");
  return walloc_shutdown() == WALLOC_OK ? 0 : 1;
}
