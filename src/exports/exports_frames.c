/* What JavaScript calls of pins and frames. Frames are a handle above 0: see frames/frames.h. Each is called from the thread that owns the instance, after
 * thread_start. */
#include "exports/arena_handle.h"
#include "exports/exported.h"
#include "frames/frames.h"

_Static_assert(sizeof(walloc_frames_config) == 10 * 4, "read by JavaScript as 10 numbers");
_Static_assert(sizeof(walloc_frames_stats) == 6 * 4, "written as 6 numbers");

void *walloc_export_scratch(void);

EXPORTED("pin") walloc_error walloc_export_pin(uint32_t arena) {
  return walloc_pin(arena_of(arena));
}

EXPORTED("unpin") walloc_error walloc_export_unpin(uint32_t arena) {
  return walloc_unpin(arena_of(arena));
}

/* 0 for none. Storages are made by whichever thread advances, so there is no callback of the creating one. */
EXPORTED("frames_create") uint32_t walloc_export_frames_create(void) {
  walloc_frames_config config = *(walloc_frames_config *)walloc_export_scratch();
  config.arena.on_pressure = NULL;
  return walloc_frames_handle(walloc_frames_create(&config));
}

EXPORTED("frames_destroy") walloc_error walloc_export_frames_destroy(uint32_t frames) {
  return walloc_frames_destroy(walloc_frames_of(frames));
}

EXPORTED("frames_advance") walloc_error walloc_export_frames_advance(uint32_t frames) {
  return walloc_frames_advance(walloc_frames_of(frames));
}

EXPORTED("frames_arena") uint32_t walloc_export_frames_arena(uint32_t frames) {
  return handle_of(walloc_frames_arena(walloc_frames_of(frames)));
}

EXPORTED("frames_pin") uint32_t walloc_export_frames_pin(uint32_t frames, uint32_t frame) {
  return handle_of(walloc_frames_pin(walloc_frames_of(frames), frame));
}

EXPORTED("frames_stats") walloc_error walloc_export_frames_stats(uint32_t frames) {
  return walloc_get_frames_stats(walloc_frames_of(frames), walloc_export_scratch());
}

EXPORTED("thread") uint32_t walloc_export_thread(void) { return walloc_frames_thread(); }
