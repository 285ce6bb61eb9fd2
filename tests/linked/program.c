/* An Emscripten program for linked.mjs: its main thread and one of its pthreads run JavaScript over walloc. */
#include <emscripten.h>
#include <pthread.h>

#include "walloc.h"

EM_JS_DEPS(program, "$UTF8ToString")

/* clang-format off */
EM_JS(void, run_javascript, (const char *url, uint32_t queue), {
  import(UTF8ToString(url)).then(({ Walloc }) => {
    const walloc = Walloc.from(Module);
    const view = walloc.scene.alloc(Float32Array, 100);
    view.array.fill(1.5);
    walloc.queue(queue).publish(view);
  });
})
/* clang-format on */

static const char *api;
static uint32_t queue_of_main;

static void *in_thread(void *unused) {
  run_javascript(api, queue_of_main);
  emscripten_exit_with_live_runtime();
  return unused;
}

/* Has another thread publish a view of 100 numbers. */
EMSCRIPTEN_KEEPALIVE int start_thread(const char *url, uint32_t queue) {
  pthread_t thread;
  api = url;
  queue_of_main = queue;
  return pthread_create(&thread, NULL, in_thread, NULL);
}

/* What C sees of a block that JavaScript has filled. */
EMSCRIPTEN_KEEPALIVE float sum(const float *numbers, int count) {
  float total = 0;
  for (int i = 0; i < count; i++)
    total += numbers[i];
  return total;
}

EMSCRIPTEN_KEEPALIVE int start_walloc(void) { return (int)walloc_init(NULL); }

EMSCRIPTEN_KEEPALIVE int scene_used(void) { return (int)walloc_used(walloc_tier(WALLOC_SCENE)); }
