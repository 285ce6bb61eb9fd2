/* Every interleaving of two or three threads that pin, recycle, advance frames, retain and release; and of
 * those of which one dies at any of its steps: walloc's own code, see explore.h.
 *
 *     pinning             all scenarios; then, that each fault of the protocols is found
 *     pinning NUMBER      with that fault (explore.h): fails when it is found
 *
 * What must hold after every step of every interleaving:
 *
 *   - nothing is recycled between the return of a pin and the beginning of its unpin, whoever pins, and
 *     whatever recycles; what was pinned by a reference, or as a frame, is still there when the pin returns;
 *   - nothing is reset while somebody holds a reference to a context, and once when nobody does any more; a
 *     reference is never got after that;
 *   - a block of a frame is there when it is handed out;
 *   - who is refused is told so by BUSY or PINNED, and when all have ended nothing is pinned or closed;
 *   - after recovery everything is possible again. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

#include "arena/arena.h"
#include "frames/frames.h"
#include "frames/pins.h"
#include "walloc_context.h"

enum { CALLS_MAX = 6 };

/* ---- Scenarios ------------------------------------------------------------------------------ */

typedef enum call_kind {
  END,
  PIN,
  PIN_REF, /* of the preparation's block */
  UNPIN,
  RESET,
  COMPACT, /* to nothing */
  REWIND,  /* to before the block */
  RECYCLE, /* by an allocation for which there is no room */
  DESTROY,
  PIN_FRAME, /* 1 */
  ADVANCE,
  FRAME_ALLOC,
  RETAIN,
  RELEASE,
  RECOVER /* waits for thread 0 to end or die; from then on every call of this thread must succeed */
} call_kind;

typedef struct scenario {
  const char *name;
  bool larger;     /* only where all is to be proven */
  bool was_pinned; /* before */
  bool mortal;
  unsigned storages; /* of frames, in two of which there are frames in flight; 0: no frames */
  call_kind program[EXPLORE_THREADS_MAX][CALLS_MAX];
} scenario;

/* Small ones first: those with a fault end at the first that finds it. */
static const scenario scenarios[] = {
    {"a first pin meets a reset", .program = {{PIN, UNPIN}, {RESET}}},
    {"a first pin meets two resets", .program = {{PIN, UNPIN}, {RESET}, {RESET}}},
    {"two first pins meet a reset", .program = {{PIN, UNPIN}, {PIN, UNPIN}, {RESET}}},
    {"a first pin of a reference meets a reset", .program = {{PIN_REF, UNPIN}, {RESET}}},
    {"pins meet resets", .was_pinned = true, .program = {{PIN, UNPIN, PIN, UNPIN}, {RESET, RESET}}},
    {"a pin meets two that reset", .was_pinned = true, .program = {{PIN, UNPIN}, {RESET}, {RESET}}},
    {"two pins meet a reset", .was_pinned = true,
     .program = {{PIN, PIN, UNPIN, UNPIN}, {PIN, UNPIN}, {RESET}}},
    {"a pin of a reference meets resets", .was_pinned = true,
     .program = {{PIN_REF, UNPIN}, {RESET, RESET}}},
    {"a pin of a reference meets a compact", .program = {{PIN_REF, UNPIN}, {COMPACT}}},
    {"pins of a reference meet a compact and a reset", .was_pinned = true,
     .program = {{PIN_REF, UNPIN}, {COMPACT}, {RESET}}},
    {"a pin of a reference meets a rewind", .was_pinned = true,
     .program = {{PIN_REF, UNPIN}, {REWIND}}},
    {"a first pin of a reference meets recycling", .program = {{PIN_REF, UNPIN}, {RECYCLE}}},
    {"a pin of a reference meets recycling", .was_pinned = true,
     .program = {{PIN_REF, UNPIN}, {RECYCLE}}},
    {"a pin meets a destroy", .was_pinned = true, .program = {{PIN, UNPIN}, {DESTROY}}},
    {"a first pin meets a destroy", .program = {{PIN, UNPIN}, {DESTROY}}},
    {"a frame is pinned while others advance", .storages = 2,
     .program = {{PIN_FRAME, UNPIN}, {ADVANCE}}},
    {"a frame is pinned again while others advance", .storages = 3, .was_pinned = true,
     .program = {{PIN_FRAME, UNPIN}, {ADVANCE, ADVANCE}}},
    {"two advance, a third pins", .storages = 2, .was_pinned = true,
     .program = {{PIN_FRAME, UNPIN}, {ADVANCE}, {ADVANCE}}},
    {"a block is taken while others advance", .storages = 2,
     .program = {{FRAME_ALLOC}, {ADVANCE}, {ADVANCE}}},
    {"two give up their references", .program = {{RELEASE}, {RELEASE}}},
    {"one retains, one gives up", .program = {{RETAIN, RELEASE, RELEASE}, {RELEASE}}},
    {"three retain and give up", .program = {{RETAIN, RELEASE, RELEASE},
                                             {RELEASE, RETAIN, RELEASE},
                                             {RELEASE, RETAIN, RELEASE}}},
    {"the last reference meets a pin", .was_pinned = true,
     .program = {{PIN, UNPIN}, {RELEASE, RELEASE}}},
    {"one dies while it pins", .was_pinned = true, .mortal = true,
     .program = {{PIN, UNPIN}, {RESET, RECOVER, PIN, UNPIN, RESET}}},
    {"one dies while it pins for the first time", .mortal = true,
     .program = {{PIN, UNPIN}, {RESET, RECOVER, PIN, UNPIN, RESET}}},
    {"one dies while it resets", .was_pinned = true, .mortal = true,
     .program = {{RESET}, {PIN, UNPIN, RECOVER, PIN, UNPIN, RESET}}},
    {"one dies while it advances", .storages = 2, .was_pinned = true, .mortal = true,
     .program = {{ADVANCE}, {PIN_FRAME, UNPIN, RECOVER, ADVANCE, ADVANCE, ADVANCE}}},
    {"one dies while it pins, two go on", .was_pinned = true, .mortal = true,
     .program = {{PIN, UNPIN}, {RESET}, {RECOVER}}},
    {"pins of three meet resets", .larger = true, .was_pinned = true,
     .program = {{PIN, UNPIN, PIN, UNPIN}, {PIN_REF, UNPIN, RESET}, {RESET, PIN, UNPIN}}},
    {"first pins meet a compact and resets", .larger = true,
     .program = {{PIN, UNPIN, RESET}, {PIN_REF, UNPIN}, {COMPACT, RESET}}},
    {"a frame is pinned and a block taken while a third advances", .larger = true, .storages = 3,
     .was_pinned = true,
     .program = {{PIN_FRAME, UNPIN}, {FRAME_ALLOC, ADVANCE}, {ADVANCE, ADVANCE}}},
    {"three retain and give up, and one pins", .larger = true, .was_pinned = true,
     .program = {{RETAIN, RELEASE, RELEASE}, {PIN, UNPIN, RELEASE}, {RELEASE, RETAIN, RELEASE}}},
    {"one dies while it resets, two go on", .larger = true, .was_pinned = true, .mortal = true,
     .program = {{RESET, PIN, UNPIN}, {PIN, UNPIN, RESET}, {RECOVER, PIN, UNPIN}}},
    {"one dies while it advances, two go on", .larger = true, .storages = 2, .was_pinned = true,
     .mortal = true, .program = {{ADVANCE}, {PIN_FRAME, UNPIN}, {RECOVER, ADVANCE, ADVANCE}}},
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---- What the checks remember --------------------------------------------------------------- */

typedef struct caller {
  uint32_t pins;       /* that have returned, and whose unpin has not begun */
  uint32_t references; /* to the context, of this thread */
  uint32_t is_alone;   /* after recovery, of two threads */
} caller;

typedef struct observed {
  caller callers[EXPLORE_THREADS_MAX];
  uint32_t recycled; /* how often */
  uint32_t destroyed;
} observed;

static const scenario *current;
static walloc_arena *arena; /* of the frame 1, where there are frames */
static walloc_frames *frames;
static walloc_context context;
static walloc_ref block;
static walloc_mark mark;
static observed now;

static bool uses(const scenario *s, call_kind kind) {
  for (size_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
    for (size_t k = 0; k < CALLS_MAX; k++) {
      if (s->program[i][k] == kind)
        return true;
    }
  }
  return false;
}

static unsigned threads_of(const scenario *s) {
  unsigned count = 0;
  while (count < EXPLORE_THREADS_MAX && s->program[count][0] != END)
    count++;
  return count;
}

/* ---- The promises --------------------------------------------------------------------------- */

static void cursor_moved(uint64_t from, uint64_t to) {
  if (place_same_generation(from, to))
    return;
  now.recycled++;
  for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++) {
    if (now.callers[i].pins != 0)
      explore_violation("what is pinned was recycled");
    if (now.callers[i].references != 0 && uses(current, RELEASE))
      explore_violation("an arena was reset while there was a reference");
  }
}

static void check_error(walloc_error error, const caller *own) {
  bool is_refusal = error == WALLOC_ERROR_BUSY || error == WALLOC_ERROR_PINNED;
  if (error != WALLOC_OK && (own->is_alone != 0 || !is_refusal))
    explore_violation("a call has failed for no reason");
}

/* Whether all that was there when the thread began to pin still is. */
static void note_pin(caller *own, bool is_of_block) {
  own->pins++;
  if (is_of_block && now.recycled != 0)
    explore_violation("what was recycled has been pinned");
  if (now.destroyed != 0)
    explore_violation("what was destroyed has been pinned");
}

static void end_run(void) {
  if (walloc_pins_holder(NULL) != 0 || arena->closing != 0)
    explore_violation("nobody is there, but something is pinned or closed");
  if (!uses(current, RELEASE))
    return;
  uint32_t references = 0;
  for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++)
    references += now.callers[i].references;
  if (references != walloc_context_references(context))
    explore_violation("references were counted wrongly");
  if (now.recycled != (references == 0))
    explore_violation("the last release has not reset the arena once");
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static void pin(call_kind kind, caller *own) {
  walloc_error error = WALLOC_OK;
  if (kind == PIN)
    error = walloc_pin(arena);
  else if ((kind == PIN_REF ? walloc_pin_ref(block) : (void *)walloc_frames_pin(frames, 1)) == NULL)
    error = walloc_last_error();
  bool is_gone = (error == WALLOC_ERROR_STALE && (now.recycled != 0 || kind == PIN_FRAME)) ||
                 (error == WALLOC_ERROR_ARENA && arena->serial % 2 == 0);
  if (error == WALLOC_OK)
    note_pin(own, kind != PIN);
  else if (!is_gone)
    check_error(error, own);
}

static void unpin(caller *own) {
  if (own->pins == 0)
    return;
  explore_pause(); /* this is when others must not recycle */
  own->pins--;
  if (walloc_unpin(arena) != WALLOC_OK)
    explore_violation("there was no pin to end");
}

static void retain(caller *own) {
  walloc_error error = walloc_context_retain(context);
  if (error == WALLOC_OK && now.recycled != 0)
    explore_violation("a reference was got after the last was gone");
  if (error == WALLOC_OK)
    own->references++;
  else if (error != WALLOC_ERROR_HANDLE || own->references != 0)
    explore_violation("a reference was refused");
}

static void release(caller *own) {
  if (own->references == 0)
    return;
  explore_pause(); /* as above */
  own->references--;
  walloc_error error = walloc_context_release(context);
  own->references += error != WALLOC_OK;
  check_error(error, own);
}

static void allocate_in_frame(void) {
  walloc_ref ref = walloc_frames_alloc_ref(frames, 64);
  if (ref.address == NULL ||
      (now.recycled <= 1 && !place_same_generation(ref.place, ref.arena->cursor)))
    explore_violation("a block is not of a frame in flight");
}

static void recover(caller *own) {
  if (explore_await_death()) {
    now.callers[0].pins = 0;
    walloc_pins_thread_lost(explore_number_of(0));
    walloc_frames_thread_lost(explore_number_of(0));
  }
  own->is_alone = threads_of(current) == 2;
}

static void carry_out(call_kind kind, caller *own) {
  walloc_error error = WALLOC_OK;
  switch (kind) {
  case UNPIN:
    unpin(own);
    break;
  case RESET:
    error = walloc_reset(arena);
    break;
  case COMPACT:
    error = walloc_compact(arena, 0);
    break;
  case REWIND:
    error = walloc_rewind(mark);
    break;
  case RECYCLE:
    walloc_alloc(arena, 60000);
    break;
  case DESTROY:
    error = walloc_arena_destroy(arena);
    now.destroyed += error == WALLOC_OK;
    break;
  case ADVANCE:
    error = walloc_frames_advance(frames);
    break;
  case FRAME_ALLOC:
    allocate_in_frame();
    break;
  case RETAIN:
    retain(own);
    break;
  case RELEASE:
    release(own);
    break;
  case RECOVER:
    recover(own);
    break;
  default:
    pin(kind, own);
  }
  check_error(error, own);
}

static void run_program(unsigned thread) {
  for (size_t i = 0; i < CALLS_MAX && current->program[thread][i] != END; i++) {
    carry_out(current->program[thread][i], &now.callers[thread]);
    explore_call_ended();
  }
}

static uint64_t state_of_checks(void) {
  uint32_t numbers[sizeof now / sizeof(uint32_t)];
  uint64_t state = 0;
  memcpy(numbers, &now, sizeof now);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    state = explore_mix(state, numbers[i]);
  return state;
}

/* ---- Running -------------------------------------------------------------------------------- */

/* Two frames in flight, of which the older is in `arena`; a third storage, if there is one, is free. */
static void prepare_frames(void) {
  walloc_frames_config config = {.frames = 2, .storages = current->storages};
  config.arena = (walloc_arena_config){.lane = WALLOC_NO_LANE, .reserve = 4096};
  frames = walloc_frames_create(&config);
  explore_require(frames != NULL, "walloc_frames_create");
  arena = walloc_frames_arena(frames);
  block = walloc_frames_alloc_ref(frames, 64);
  explore_require(walloc_frames_advance(frames) == WALLOC_OK, "walloc_frames_advance");
}

static void prepare_arena(void) {
  arena = walloc_arena_create(&(walloc_arena_config){
      .lane = WALLOC_NO_LANE, .hard_budget = 65536, .recycle = WALLOC_RECYCLE_TO_MARK});
  explore_require(arena != NULL, "walloc_arena_create");
  walloc_alloc(arena, 64);
  walloc_preserve(arena);
  walloc_set_mark(arena, &mark);
  block = walloc_alloc_ref(arena, 1024);
  context = walloc_context_create(arena, WALLOC_CONTEXT_RESETS);
}

/* By one thread, which nobody interrupts. */
static void prepare(void) {
  walloc_config config = {.maximum = 4 << 20, .reserve = 196608, .share = {1, 1, 1}};
  explore_require(walloc_init(&config) == WALLOC_OK, "walloc_init");
  now = (observed){.recycled = 0};
  if (current->storages != 0)
    prepare_frames();
  else
    prepare_arena();
  explore_require(block.address != NULL, "walloc_alloc_ref");
  if (current->was_pinned) {
    explore_require(walloc_pin(arena) == WALLOC_OK, "walloc_pin");
    if (current->storages >
        2) /* makes the spare one, and takes it for a frame that is not in flight */
      explore_require(walloc_frames_advance(frames) == WALLOC_OK, "walloc_frames_advance");
    explore_require(walloc_unpin(arena) == WALLOC_OK, "walloc_unpin");
  }
  for (unsigned i = 0; uses(current, RELEASE) && i < threads_of(current); i++) {
    now.callers[i].references = 1;
    if (i > 0)
      explore_require(walloc_context_retain(context) == WALLOC_OK, "walloc_context_retain");
  }
}

/* The number of states; 0 when a promise was broken. */
static uint64_t explore_scenario(const scenario *s, mutation fault) {
  current = s;
  prepare();
  exploration what = {.threads = threads_of(s),
                      .body = run_program,
                      .cursor_moved = cursor_moved,
                      .ended = end_run,
                      .slot = arena->slot,
                      .checks = &now,
                      .checks_size = sizeof now,
                      .checks_state = state_of_checks,
                      .stops_everywhere = true,
                      .mortal = s->mortal,
                      .fault = fault};
  uint64_t states = explore(&what);
  explore_require(walloc_shutdown() == WALLOC_OK, "walloc_shutdown");
  return states;
}

static uint64_t explore_nth(size_t n, int fault) {
  return explore_scenario(&scenarios[n], (mutation)fault);
}

static const char *name_of(size_t n) { return scenarios[n].name; }

static bool is_larger(size_t n) { return scenarios[n].larger; }

int main(int count, char **values) {
  static const explorer e = {
      SCENARIOS, name_of, is_larger, explore_nth, MUTATION_NO_LOOK_AFTER_PIN, MUTATIONS_OF_ALL};
  return explore_main(&e, count, values);
}
