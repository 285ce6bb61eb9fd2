/* Frames, for the rooms above and the tests: walloc_frames.h has what programs call. */
#ifndef WALLOC_FRAMES_FRAMES_H
#define WALLOC_FRAMES_FRAMES_H

#include <stdint.h>

#include "walloc_frames.h"

/* Numbers of frames: 1 to FRAME_LAST, then 1 again. */
#define FRAME_LAST (((uint32_t)1 << 29) - 1)

static inline uint32_t frame_after(uint32_t frame) { return frame == FRAME_LAST ? 1 : frame + 1; }

/* How many frames ago, seen from `now`; of one that has not begun, more than half of all. */
static inline uint32_t frame_age(uint32_t frame, uint32_t now) {
  return now - frame + (now < frame ? FRAME_LAST : 0);
}

/* All are gone. Alone: walloc_shutdown. */
void walloc_frames_end(void);

/* For recovery: the thread has died, and advances nothing any more. Its pins are another matter: pins.h. */
void walloc_frames_thread_lost(uint32_t thread);

/* A number for frames, which later ones in the same place do not share, and back. 0: none. */
uint32_t walloc_frames_handle(const walloc_frames *frames);
walloc_frames *walloc_frames_of(uint32_t handle);

#endif
