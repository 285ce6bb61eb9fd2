/* Arenas with several frames in flight: storages, each an arena of its own, that take turns.
 *
 *     current: | frame 9 | storage 0 |        in flight: 3
 *
 *     storage 0    storage 1    storage 2    storage 3 (spare)
 *     frame 9      frame 7      frame 8      frame 6, or none (0)
 *                  `- recycled by the next advance, if nobody pins it
 *
 *     advance:  A1 changing: own number | A2 frame of each storage that is not in flight: 0 | A3 reset it
 *               | A4 frame of one of them: the next | A5 current | A6 changing: 0
 *     pin:      B1 find the frame's storage | B2 walloc_pin | B3 is it still the frame's?
 *
 * Argument.
 * - One thread advances, creates or destroys at a time: who swaps `changing` from 0. The others get BUSY.
 * - If the reset of A3 comes before B2 in the order of pins.h, A2 happened before B3, which finds no frame
 *   there, or another; if B2 comes first, the reset is refused and the frame stays what it was. So who
 *   passes B3 has pinned the frame that was asked for, whole. Numbers are not given twice.
 * - A block is of the frame that is current both before and after it is taken. As a storage is reset only for
 *   a later frame, it was this frame's all the time in between.
 *
 * What a kill leaves behind: `changing`, which names the dead thread, until recovery: nobody advances, all
 * else goes on. After A2: a storage without a frame, which the next advance resets; after an arena was made
 * and before it is entered: that arena. After A4: a storage with a number that is not current; nobody can pin
 * it by that, and the next advance, which gives the same number, takes it as free. Any thread. */
#include "frames/frames.h"

#include "error/error.h"
#include "frames/pins.h"
#include "platform/platform.h"
#include "state/state.h"

/* Of a pin of the current frame, while others begin new ones. */
#define TRIES_MAX 64

#define IN_FLIGHT_BY_DEFAULT 3

#define STORAGE_BITS 3

typedef struct storage {
  walloc_arena *arena;    /* written before it has a frame */
  _Atomic uint32_t frame; /* 0: none. Written by who advances */
} storage;

enum { STORAGES, ADVANCES, HELD_UP, REFUSED, LAST_HOLDER, NUMBERS };

struct walloc_frames {
  _Atomic uint32_t
      current; /* | frame : 29 | storage : 3 |, 0: not there. Written by who advances */
  _Atomic uint32_t changing; /* the thread that advances, creates or destroys; 0: nobody */
  _Atomic uint32_t serial;   /* + 1 by create */
  /* Read and written by who is named in `changing`. */
  uint32_t in_flight, limit;
  walloc_arena_config config;
  storage storages[WALLOC_FRAME_STORAGES_MAX];
  /* Read by all, relaxed: statistics. */
  _Atomic uint32_t numbers[NUMBERS];
};

_Static_assert(WALLOC_FRAME_STORAGES_MAX == 1 << STORAGE_BITS, "a storage's number fits");

static walloc_frames table[WALLOC_FRAMES_MAX];

static uint32_t get(_Atomic uint32_t *number) {
  return atomic_load_explicit(number, memory_order_relaxed);
}

static void set(_Atomic uint32_t *number, uint32_t value) {
  atomic_store_explicit(number, value, memory_order_relaxed);
}

/* Relaxed: only who changes the frames counts. */
static void count_one(walloc_frames *frames, uint32_t number) {
  set(&frames->numbers[number], get(&frames->numbers[number]) + 1);
}

static uint32_t storage_count(walloc_frames *frames) { return get(&frames->numbers[STORAGES]); }

/* Acquire and release: who sees a frame sees its storage, and that it was reset before. */
static uint32_t see(_Atomic uint32_t *number) {
  return atomic_load_explicit(number, memory_order_acquire);
}

static void show(_Atomic uint32_t *number, uint32_t value) {
  atomic_store_explicit(number, value, memory_order_release);
}

/* Frame and storage; 0 when there are no such frames. */
static uint32_t current_of(walloc_frames *frames) {
  uintptr_t offset = (uintptr_t)frames - (uintptr_t)table;
  return offset < sizeof table && offset % sizeof *table == 0 ? see(&frames->current) : 0;
}

/* ---- One changes at a time ------------------------------------------------------------------ */

/* A1. Acquire, and release in end_change: the fields of who changes are handed on. */
static bool begin_change(walloc_frames *frames) {
  uint32_t nobody = 0;
  return atomic_compare_exchange_strong_explicit(&frames->changing, &nobody,
                                                 walloc_platform_thread(), memory_order_acquire,
                                                 memory_order_relaxed);
}

static void end_change(walloc_frames *frames) { show(&frames->changing, 0); }

static walloc_error begin_change_of_live(walloc_frames *frames) {
  if (current_of(frames) == 0)
    return WALLOC_ERROR_HANDLE;
  if (!begin_change(frames))
    return WALLOC_ERROR_BUSY;
  if (see(&frames->current) != 0)
    return WALLOC_OK;
  end_change(frames);
  return WALLOC_ERROR_HANDLE;
}

/* ---- Storages, for who changes -------------------------------------------------------------- */

static walloc_error add_storage(walloc_frames *frames) {
  walloc_arena *arena = walloc_arena_create(&frames->config);
  if (arena == NULL)
    return walloc_last_error();
  frames->storages[storage_count(frames)].arena = arena;
  count_one(frames, STORAGES);
  return WALLOC_OK;
}

static walloc_error remove_storages(walloc_frames *frames) {
  walloc_error error = WALLOC_OK;
  while (error == WALLOC_OK && storage_count(frames) > 0) {
    error = walloc_arena_destroy(frames->storages[storage_count(frames) - 1].arena);
    if (error == WALLOC_OK)
      set(&frames->numbers[STORAGES], storage_count(frames) - 1);
  }
  return error;
}

/* A2 and A3. */
static walloc_error recycle(storage *s) {
  uint32_t held = get(&s->frame);
  show(&s->frame, 0);
  walloc_error error = walloc_reset(s->arena);
  if (error != WALLOC_OK)
    show(&s->frame, held);
  return error;
}

/* Recycles what is not in flight when `next` is current, and finds a storage for it. */
static walloc_error find_storage(walloc_frames *frames, uint32_t next, uint32_t *found) {
  walloc_error met = WALLOC_OK;
  *found = WALLOC_FRAME_STORAGES_MAX;
  for (uint32_t n = storage_count(frames); n-- > 0;) {
    storage *s = &frames->storages[n];
    uint32_t frame = get(&s->frame), age = frame_age(frame, next);
    if (frame != 0 && age > 0 && age < frames->in_flight)
      continue;
    walloc_error error = recycle(s);
    if (error == WALLOC_OK)
      *found = n;
    else if (met != WALLOC_ERROR_PINNED)
      met = error;
    uint32_t holder = error == WALLOC_ERROR_PINNED ? walloc_pins_holder(s->arena) : 0;
    if (holder != 0)
      set(&frames->numbers[LAST_HOLDER], holder);
  }
  if (met == WALLOC_ERROR_PINNED)
    count_one(frames, HELD_UP);
  if (*found < WALLOC_FRAME_STORAGES_MAX)
    return WALLOC_OK;
  *found = storage_count(frames);
  return *found < frames->limit ? add_storage(frames) : met;
}

/* A4 and A5. */
static void enter(walloc_frames *frames, uint32_t frame, uint32_t n) {
  show(&frames->storages[n].frame, frame);
  show(&frames->current, frame << STORAGE_BITS | n);
}

/* ---- Creating and destroying ---------------------------------------------------------------- */

static walloc_error begin(walloc_frames *frames) {
  walloc_error error = WALLOC_OK;
  for (uint32_t n = 0; n < NUMBERS; n++)
    set(&frames->numbers[n], 0);
  for (uint32_t n = 0; n < WALLOC_FRAME_STORAGES_MAX; n++)
    set(&frames->storages[n].frame, 0);
  while (error == WALLOC_OK && storage_count(frames) < frames->in_flight)
    error = add_storage(frames);
  if (error != WALLOC_OK) {
    remove_storages(frames);
    return error;
  }
  set(&frames->serial, get(&frames->serial) + 1);
  enter(frames, 1, 0);
  return WALLOC_OK;
}

/* In a free place of the table, which is *created. */
static walloc_error create(const walloc_frames_config *config, walloc_frames **created) {
  uint32_t in_flight = config->frames != 0 ? config->frames : IN_FLIGHT_BY_DEFAULT;
  uint32_t limit = config->storages != 0 ? config->storages : in_flight + 1;
  if (in_flight < 2 || in_flight > WALLOC_FRAMES_IN_FLIGHT_MAX || limit < in_flight ||
      limit > WALLOC_FRAME_STORAGES_MAX)
    return WALLOC_ERROR_CONFIG;
  for (walloc_frames *frames = table; frames < table + WALLOC_FRAMES_MAX; frames++) {
    if (see(&frames->current) != 0 || !begin_change(frames))
      continue;
    bool is_free = see(&frames->current) == 0;
    walloc_error error = WALLOC_OK;
    if (is_free) {
      frames->in_flight = in_flight;
      frames->limit = limit;
      frames->config = config->arena;
      error = begin(frames);
    }
    end_change(frames);
    *created = frames;
    if (is_free)
      return error;
  }
  return WALLOC_ERROR_LIMIT;
}

walloc_frames *walloc_frames_create(const walloc_frames_config *config) {
  static const walloc_frames_config defaults;
  walloc_frames *created = NULL;
  if (!state_is_running())
    return walloc_fail(WALLOC_ERROR_NOT_INITIALIZED);
  walloc_error error = create(config == NULL ? &defaults : config, &created);
  return error == WALLOC_OK ? created : walloc_fail(error);
}

walloc_error walloc_frames_destroy(walloc_frames *frames) {
  walloc_error error = begin_change_of_live(frames);
  if (error != WALLOC_OK)
    return error;
  for (uint32_t n = 0; n < storage_count(frames); n++) {
    if (walloc_pins_holder(frames->storages[n].arena) != 0)
      error = WALLOC_ERROR_PINNED;
  }
  if (error == WALLOC_OK)
    error = remove_storages(frames);
  if (error == WALLOC_OK)
    show(&frames->current, 0);
  end_change(frames);
  return error;
}

/* ---- Allocating, advancing, pinning --------------------------------------------------------- */

static walloc_arena *arena_at(walloc_frames *frames, uint32_t current) {
  return frames->storages[current % WALLOC_FRAME_STORAGES_MAX].arena;
}

void *walloc_frames_alloc(walloc_frames *frames, size_t size) {
  for (uint32_t now = current_of(frames); now != 0;) {
    void *block = walloc_alloc(arena_at(frames, now), size);
    uint32_t then = now;
    now = see(&frames->current);
    if (block == NULL || now == then)
      return block;
  }
  return walloc_fail(WALLOC_ERROR_HANDLE);
}

walloc_ref walloc_frames_alloc_ref(walloc_frames *frames, size_t size) {
  for (uint32_t now = current_of(frames); now != 0;) {
    walloc_ref ref = walloc_alloc_ref(arena_at(frames, now), size);
    uint32_t then = now;
    now = see(&frames->current);
    if (ref.address == NULL || now == then)
      return ref;
  }
  return (walloc_ref){.address = walloc_fail(WALLOC_ERROR_HANDLE)};
}

walloc_error walloc_frames_advance(walloc_frames *frames) {
  walloc_error error = begin_change_of_live(frames);
  if (error != WALLOC_OK)
    return error;
  uint32_t next = frame_after(see(&frames->current) >> STORAGE_BITS), n;
  error = find_storage(frames, next, &n);
  if (error == WALLOC_OK)
    enter(frames, next, n);
  count_one(frames, error == WALLOC_OK ? ADVANCES : REFUSED);
  end_change(frames);
  return error;
}

walloc_arena *walloc_frames_arena(walloc_frames *frames) {
  uint32_t now = current_of(frames);
  return now != 0 ? arena_at(frames, now) : walloc_fail(WALLOC_ERROR_HANDLE);
}

uint32_t walloc_frames_current(walloc_frames *frames) { return current_of(frames) >> STORAGE_BITS; }

/* B1. */
static storage *storage_of(walloc_frames *frames, uint32_t frame, uint32_t now) {
  for (uint32_t n = 0; n < WALLOC_FRAME_STORAGES_MAX; n++) {
    storage *s = &frames->storages[n];
    if (see(&s->frame) == frame && frame_age(frame, now) < FRAME_LAST / 2)
      return s;
  }
  return NULL;
}

walloc_arena *walloc_frames_pin(walloc_frames *frames, uint32_t frame) {
  for (int tries = 0; tries < TRIES_MAX; tries++) {
    uint32_t now = walloc_frames_current(frames);
    if (now == 0)
      return walloc_fail(WALLOC_ERROR_HANDLE);
    uint32_t asked = frame == WALLOC_FRAME_CURRENT ? now : frame;
    storage *s = storage_of(frames, asked, now);
    walloc_error error = s == NULL ? WALLOC_ERROR_STALE : walloc_pin(s->arena);
    if (error == WALLOC_OK && see(&s->frame) == asked) /* B3 */
      return s->arena;
    if (error == WALLOC_OK)
      walloc_unpin(s->arena);
    else if (error != WALLOC_ERROR_STALE)
      return walloc_fail(error);
    if (frame != WALLOC_FRAME_CURRENT)
      return walloc_fail(WALLOC_ERROR_STALE);
  }
  return walloc_fail(WALLOC_ERROR_BUSY);
}

/* ---- Asking, and the rooms above ------------------------------------------------------------ */

walloc_error walloc_get_frames_stats(walloc_frames *frames, walloc_frames_stats *stats) {
  uint32_t current = walloc_frames_current(frames);
  if (current == 0)
    return WALLOC_ERROR_HANDLE;
  *stats = (walloc_frames_stats){.current = current,
                                 .storages = storage_count(frames),
                                 .advances = get(&frames->numbers[ADVANCES]),
                                 .held_up = get(&frames->numbers[HELD_UP]),
                                 .refused = get(&frames->numbers[REFUSED]),
                                 .last_holder = get(&frames->numbers[LAST_HOLDER])};
  return WALLOC_OK;
}

uint32_t walloc_frames_thread(void) { return walloc_platform_thread(); }

void walloc_frames_end(void) {
  for (walloc_frames *frames = table; frames < table + WALLOC_FRAMES_MAX; frames++) {
    show(&frames->current, 0);
    show(&frames->changing, 0);
  }
}

void walloc_frames_thread_lost(uint32_t thread) {
  for (walloc_frames *frames = table; frames < table + WALLOC_FRAMES_MAX; frames++) {
    uint32_t changer = thread;
    atomic_compare_exchange_strong_explicit(&frames->changing, &changer, 0, memory_order_acq_rel,
                                            memory_order_relaxed);
  }
}

/* Place in the table + places x serial, of which the first is 1. */
uint32_t walloc_frames_handle(const walloc_frames *frames) {
  if (frames == NULL)
    return 0;
  walloc_frames *own = &table[frames - table];
  return (uint32_t)(own - table) + get(&own->serial) * WALLOC_FRAMES_MAX;
}

walloc_frames *walloc_frames_of(uint32_t handle) {
  walloc_frames *frames = &table[handle % WALLOC_FRAMES_MAX];
  return walloc_frames_handle(frames) == handle ? frames : NULL;
}
