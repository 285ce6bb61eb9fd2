/* Pins, and arenas with several frames in flight: for readers that work while others throw away.
 *
 *     walloc_pin(arena);                                 a reader: nothing of the arena is recycled
 *     if (walloc_ref_valid(ref)) read(ref.address);      while the pin is there
 *     walloc_unpin(arena);
 *
 *     void *block = walloc_frames_alloc(frames, 64);     a writer: in the current frame
 *     walloc_frames_advance(frames);                     the next one begins; the oldest may go
 *
 *     frame 7       frame 8       frame 9                frames in flight: 3
 *     [ oldest ]    [        ]    [ current ]            each in a storage of its own, which is an arena
 *
 * Nobody ever waits for a pin: what would recycle pinned memory is refused with WALLOC_ERROR_PINNED, and
 * an advance takes other storage. Units, errors and threads as in walloc.h. */
#ifndef WALLOC_FRAMES_H
#define WALLOC_FRAMES_H

#include "walloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Pins --------------------------------------------------------------------------------- */

/* Arenas that one thread can pin at the same time. A thread may pin one arena 65535 times, one in the other. */
#define WALLOC_PINS_MAX 7

/* From here to the thread's matching walloc_unpin no block that is valid now is recycled: reset, compact (to
 * whatever place), rewind, destroy and walloc_shutdown are refused with WALLOC_ERROR_PINNED, also in the pinning
 * thread, and WALLOC_RECYCLE_TO_MARK fails as if there were nothing to recycle. Allocating, marks and preserving go
 * on. What was thrown away before is not brought back: check a reference behind the pin, or use walloc_pin_ref.
 *
 * Any thread. LIMIT for one arena or pin too many; BUSY while the arena is being recycled, after about a
 * second (on a browser's main thread less): only a thread that has died or is starved takes so long. Cost: a compare-and-swap, as some six blocks
 * from a lane; a store where the thread pins the arena already. The first pin in an arena's life takes one block of the smallest size
 * from it, and makes each recycling from then on look at the pins of all threads. */
walloc_error walloc_pin(walloc_arena *arena);

/* Ends the thread's latest pin of the arena. HANDLE when it has none. Cost: one store. */
walloc_error walloc_unpin(walloc_arena *arena);

/* Pins the reference's arena, if the reference is valid: its address. NULL, and nothing is pinned: STALE and
 * the errors of walloc_pin. End it with walloc_unpin(ref.arena). */
void *walloc_pin_ref(walloc_ref ref);

/* ---- Frames ------------------------------------------------------------------------------- */

typedef struct walloc_frames walloc_frames;

#define WALLOC_FRAMES_MAX 8 /* such objects at the same time */
#define WALLOC_FRAMES_IN_FLIGHT_MAX 4
#define WALLOC_FRAME_STORAGES_MAX 8 /* of one */

typedef struct walloc_frames_config {
  unsigned frames; /* in flight, the current one included: 2 to 4. Default 3 */
  unsigned
      storages; /* at most, `frames` to 8: spare ones are made when a pin holds the oldest frame, and
                        kept. Each is one of WALLOC_ARENAS_MAX. Default: one more than `frames` */
  walloc_arena_config arena; /* of each storage: reserve, budgets and lane are for one frame */
} walloc_frames_config;

/* Makes the storages of the frames in flight; frame 1 is current. config may be NULL. NULL: CONFIG, LIMIT, BUSY,
 * and what walloc_arena_create says. */
walloc_frames *walloc_frames_create(const walloc_frames_config *config);

/* Gives all memory back. Nobody else may be using them. PINNED; after BUSY call it again. */
walloc_error walloc_frames_destroy(walloc_frames *frames);

/* A block of the current frame, valid until that frame's storage is recycled: at the earliest when as many
 * frames as can be in flight have begun after it. Any thread, also while another advances: the block is of
 * the frame that was current at a moment during the call. Errors and cost: HANDLE, walloc_alloc. */
void *walloc_frames_alloc(walloc_frames *frames, size_t size);
walloc_ref walloc_frames_alloc_ref(walloc_frames *frames, size_t size);

/* The current frame's storage, for all else that is done with arenas. What is allocated from it directly is the
 * current frame's only if this says the same afterwards. NULL: HANDLE. One load. */
walloc_arena *walloc_frames_arena(walloc_frames *frames);

/* The next frame begins. The storage of a frame that is no longer in flight is recycled by walloc_reset and
 * used again, where nobody pins it. Where somebody does, another storage is taken, and if need be made; the
 * pinned one is looked at again at each advance. When there is none the frame stays the current one, and
 * PINNED is returned, or why an arena could not be made.
 *
 * Any thread; never waits. Two at the same time: one gets BUSY. Cost: a reset and a few stores. */
walloc_error walloc_frames_advance(walloc_frames *frames);

#define WALLOC_FRAME_CURRENT 0

/* The current frame's number: from 1, and after 2^29 - 1 from 1 again. 0 for no frames. One load. */
uint32_t walloc_frames_current(walloc_frames *frames);

/* Pins a frame by its number, or the current one: its storage, for walloc_unpin. NULL, and nothing is pinned:
 * STALE when the frame's storage has been recycled, or is about to be, or it has not begun; HANDLE, and the
 * errors of walloc_pin. The storage is an arena like any other, but only walloc_frames_advance should
 * throw it away. */
walloc_arena *walloc_frames_pin(walloc_frames *frames, uint32_t frame);

/* Cheap: any thread, at any time; exact when nobody advances. */
typedef struct walloc_frames_stats {
  uint32_t current;  /* frame */
  uint32_t storages; /* that there are */
  uint32_t advances; /* frames begun after the first */
  uint32_t held_up;  /* advances that met a pinned storage */
  uint32_t refused;  /* advances for which there was no storage */
  uint32_t
      last_holder; /* a thread whose pin the last of these met: walloc_frames_thread. 0: none yet */
} walloc_frames_stats;

walloc_error walloc_get_frames_stats(walloc_frames *frames, walloc_frames_stats *stats);

/* The number by which last_holder would name the calling thread. */
uint32_t walloc_frames_thread(void);

#ifdef __cplusplus
}
#endif

#endif
