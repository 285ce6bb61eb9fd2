/* walloc: a shared-memory allocator for threaded WebAssembly.
 *
 * This header is the manual; read it top to bottom.
 *
 *   Memory is one address space of up to 4 GiB, shared by all threads. Out of it come arenas:
 *
 *     arena     a bump allocator over a list of chunks. Blocks are never freed one by one: the whole
 *               arena is thrown away (walloc_reset), or all behind a place (walloc_compact,
 *               walloc_rewind), each in constant time whatever is in use.
 *     tier      one of three arenas that walloc_init makes: render (128-byte aligned), scene (64),
 *               entity (8).
 *
 *   Each arena counts generations. An allocation belongs to exactly one; reset, compact, rewind and
 *   mark begin a new one. A walloc_ref remembers the generation, so that a stale one is noticed.
 *
 * Units are bytes unless a name says otherwise. Zero in a configuration field means the default.
 *
 * Threads: every function here may be called from any thread at any time, except walloc_init and
 * walloc_shutdown (alone) and walloc_arena_destroy (nobody else may be using that arena). On a
 * browser's main thread nothing ever blocks: where another thread holds a lock for longer than a
 * bounded spin, the call fails with WALLOC_ERROR_BUSY and may be tried again.
 *
 * Walloc recycles memory; it does not stop other threads from using what was recycled. After a reset,
 * a pointer into the old generation is as wrong as one to freed memory: order resets after the last
 * use (a frame barrier, a join), or check references.
 *
 * Errors: functions that return walloc_error return WALLOC_OK or the reason; those that return a pointer
 * return NULL, and walloc_last_error() tells this thread the reason. A failed call has changed nothing. */
#ifndef WALLOC_H
#define WALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two libraries may both be called walloc. Compile everything, the library too, with
 * -DWALLOC_NAMESPACE=mine_ and each symbol walloc_x becomes mine_walloc_x. */
#ifdef WALLOC_NAMESPACE
#include "walloc_namespace.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#include "walloc_version.h"

/* ---- Errors ------------------------------------------------------------------------------- */

typedef enum walloc_error {
  WALLOC_OK = 0,
  WALLOC_ERROR_NOT_INITIALIZED, /* walloc_init has not been called, or did not succeed */
  WALLOC_ERROR_INITIALIZED,     /* walloc_init was called a second time */
  WALLOC_ERROR_CONFIG,          /* a field of a configuration is out of range */
  WALLOC_ERROR_ARENA,           /* no such tier, no such arena, or not one this may be done to */
  WALLOC_ERROR_SIZE,            /* zero, or more than any memory can hold */
  WALLOC_ERROR_ALIGNMENT,       /* not a power of two, or above WALLOC_ALIGNMENT_MAX */
  WALLOC_ERROR_PRESERVE,        /* to preserve more than is used */
  WALLOC_ERROR_STALE,           /* a mark or reference of a generation that is gone */
  WALLOC_ERROR_OUT_OF_MEMORY,   /* the memory is at its maximum and nothing could be recycled */
  WALLOC_ERROR_BUDGET,          /* the arena is at its hard budget and nothing could be recycled */
  WALLOC_ERROR_LIMIT,           /* out of arenas, chunks of an arena, or preserved levels */
  WALLOC_ERROR_BUSY,            /* a lock was held for too long to wait here: try again */
  WALLOC_ERROR_STATE,           /* not while the heap is the program's malloc */
  WALLOC_ERROR_PINNED,          /* a pin holds what would be recycled: see walloc_frames.h */
  WALLOC_ERROR_HANDLE,          /* no such context, frames, pin or queue, or not any more */
  WALLOC_ERROR_EMPTY,           /* there is nothing in the queue: see walloc_queue.h */
  WALLOC_ERROR_FULL,            /* there is no room in the queue */
  WALLOC_ERROR_CLOSED           /* the queue is closed */
} walloc_error;

/* Why this thread's last failing pointer-returning call failed. Not cleared by success. */
walloc_error walloc_last_error(void);

/* A sentence in English for messages and logs; never NULL. */
const char *walloc_error_text(walloc_error error);

/* ---- Limits ------------------------------------------------------------------------------- */

#define WALLOC_PAGE_SIZE ((size_t)4096)      /* chunks are made of whole pages */
#define WALLOC_ALIGNMENT_MIN ((size_t)8)     /* of an arena: every block has at least this */
#define WALLOC_ALIGNMENT_MAX ((size_t)65536) /* of one block; of an arena: WALLOC_PAGE_SIZE */
#define WALLOC_ARENAS_MAX 32                 /* tiers included */
#define WALLOC_CHUNKS_MAX 64                 /* of one arena */
#define WALLOC_PRESERVED_LEVELS_MAX 32       /* see walloc_compact */

/* ---- Configuration ------------------------------------------------------------------------ */

typedef struct walloc_arena walloc_arena;

typedef enum walloc_tier_id {
  WALLOC_RENDER,
  WALLOC_SCENE,
  WALLOC_ENTITY,
  WALLOC_TIERS
} walloc_tier_id;

/* What an arena does at its hard budget or when memory is at its maximum, once idle memory and the callback
 * have not helped. A request that cannot lie behind the mark within the budget recycles nothing; one for
 * which there is no memory in one piece even then has recycled, and fails. */
typedef enum walloc_recycle {
  WALLOC_RECYCLE_NEVER = 0, /* the allocation fails */
  WALLOC_RECYCLE_TO_MARK,   /* compact to the place set by walloc_preserve; without one, fail */
  WALLOC_FALL_BACK /* the block is the heap's, freed with its generation, which takes a step for each */
} walloc_recycle;

typedef enum walloc_pressure {
  WALLOC_PRESSURE_SOFT, /* growth has taken the arena above its soft budget; it goes on */
  WALLOC_PRESSURE_HARD  /* the allocation is about to fail */
} walloc_pressure;

/* Called outside any lock by the thread that allocates. It may use every walloc function, also on
 * this arena. `needed` is what the growth is short of. Return true to have a hard failure tried again
 * once; ignored for soft. In a program of several modules the function must exist in each. */
typedef bool walloc_pressure_function(walloc_arena *arena, size_t needed, walloc_pressure level,
                                      void *user);

#define WALLOC_NO_LANE ((size_t)1)

typedef struct walloc_arena_config {
  /* Of every block: a power of two, 8 to WALLOC_PAGE_SIZE. Default 8; tiers 128, 64, 8. */
  size_t alignment;
  /* Obtained at once. Default none; tiers: their share of walloc_config.reserve, as far as the hard
   * budget has room for it. */
  size_t reserve;
  /* What a thread takes for itself at a time, 4 to 64 KiB, rounded up to the alignment, or
   * WALLOC_NO_LANE. Default 16 KiB. */
  size_t lane;
  size_t soft_budget; /* capacity above which the callback is told. Default none */
  size_t hard_budget; /* capacity never exceeded; rounded down to whole pages. Default none */
  walloc_recycle recycle;
  walloc_pressure_function *on_pressure;
  void *user; /* handed to on_pressure */
} walloc_arena_config;

/* How a free block of the heap, above 32 KiB, is chosen. */
typedef enum walloc_strategy {
  WALLOC_FIRST_FIT = 0, /* the lowest address that is large enough: least fragmentation over time */
  WALLOC_NEXT_FIT,      /* the same, going on from the last one */
  WALLOC_BEST_FIT,      /* the smallest that is large enough, of these the lowest */
  WALLOC_GOOD_FIT       /* one of a class that is large enough, in constant time */
} walloc_strategy;

typedef struct walloc_config {
  /* Of memory obtained by walloc, exceeded by less than 64 KiB where memory grows by as much. Default:
   * what the platform allows. What an earlier walloc has obtained may be used, whatever this says. */
  size_t maximum;
  size_t reserve; /* obtained at the start. Default 16 MiB */
  /* Of the reserve, in per cent, at most 100 together. Default 50, 30, 15; what is left over waits,
   * obtained, for whoever grows first. */
  unsigned share[WALLOC_TIERS];
  walloc_arena_config tier[WALLOC_TIERS];
  walloc_strategy strategy; /* of the heap's large blocks */
} walloc_config;

/* Starts walloc; config may be NULL for all defaults. Alone: no other walloc call at the same time.
 * Cost: obtains the reserve, whose pages are touched only when used. */
walloc_error walloc_init(const walloc_config *config);

/* Ends walloc: all arenas are gone, their memory is kept for a later walloc_init. Alone. */
walloc_error walloc_shutdown(void);

/* ---- Arenas ------------------------------------------------------------------------------- */

/* The arena of a tier; NULL for an unknown tier or before walloc_init. Constant time. */
walloc_arena *walloc_tier(walloc_tier_id tier);

/* An arena of the program's own; config may be NULL. NULL when out of arenas or memory. */
walloc_arena *walloc_arena_create(const walloc_arena_config *config);

/* Gives all memory of an arena back. Its references become stale. Tiers are refused. After BUSY call it
 * again: the arena may be empty already. */
walloc_error walloc_arena_destroy(walloc_arena *arena);

/* ---- Allocating --------------------------------------------------------------------------- */

/* `size` bytes at the arena's alignment, uninitialised. NULL: ARENA, SIZE, OUT_OF_MEMORY, BUDGET,
 * LIMIT, BUSY. Cost: from the thread's lane a handful of plain instructions; from the shared cursor
 * one atomic operation; only growth takes a lock. */
void *walloc_alloc(walloc_arena *arena, size_t size);

/* The same at a larger alignment, which is of this block only. One compare-and-swap loop. */
void *walloc_alloc_aligned(walloc_arena *arena, size_t size, size_t alignment);

/* The same as walloc_alloc for a tier by its number. */
void *walloc_tier_alloc(walloc_tier_id tier, size_t size);

/* Makes room now, so that blocks of together `bytes` (each rounded up to the alignment, lanes counted
 * whole) do not grow the arena later, unless memory runs out elsewhere and takes the idle room again:
 * only walloc_arena_config.reserve is kept for good. The room is one piece. Same errors as walloc_alloc. */
walloc_error walloc_reserve(walloc_arena *arena, size_t bytes);

/* Gives idle chunks (behind the one in use) back for others to use. */
walloc_error walloc_trim(walloc_arena *arena);

/* ---- Throwing away ------------------------------------------------------------------------ */

/* All blocks are gone. One compare-and-swap, whatever is in use; never blocks. For a live arena it fails
 * only where somebody pins it: PINNED, BUSY (walloc_frames.h); so do compact, rewind and destroy. */
walloc_error walloc_reset(walloc_arena *arena);

/* All behind the first `preserve` bytes of the arena (see walloc_used), rounded up to the alignment,
 * is gone; blocks that lie wholly before stay valid. PRESERVE when more than used. LIMIT when levels
 * are nested too deep: each compact that preserves more than the one before it adds a level, one that
 * preserves less ends the levels above it. Also sets the place of walloc_preserve. Constant time. */
walloc_error walloc_compact(walloc_arena *arena, size_t preserve);

/* A remembered place. Plain data: copy it, send it, drop it. */
typedef struct walloc_mark {
  walloc_arena *arena;
  uint64_t place; /* generation and place, as in the cursor */
} walloc_mark;

/* The place between all blocks allocated before this call and all allocated after it. */
walloc_error walloc_set_mark(walloc_arena *arena, walloc_mark *mark);

/* All blocks allocated after the mark are gone. STALE when the mark's own place is. LIMIT as for
 * walloc_compact: each rewind to a place behind that of the one before it adds a level. BUSY. */
walloc_error walloc_rewind(walloc_mark mark);

/* Declares all allocated so far the preserved part, below which WALLOC_RECYCLE_TO_MARK never goes.
 * Forgotten by a reset, and by a compact or rewind to a place before it. BUSY. */
walloc_error walloc_preserve(walloc_arena *arena);

/* ---- References --------------------------------------------------------------------------- */

/* A block that knows its generation, or one of the heap (walloc_reference.h). Plain data. Generations wrap: stale
 * is recognised for the next eight million resets of the arena, valid in a preserved part for as many compacts. */
typedef struct walloc_ref {
  walloc_arena *arena;
  void *address;
  size_t size;
  uint64_t place; /* generation, and where the block ends */
} walloc_ref;

/* As walloc_alloc; address is NULL when it failed. */
walloc_ref walloc_alloc_ref(walloc_arena *arena, size_t size);

/* As walloc_alloc_aligned. */
walloc_ref walloc_alloc_aligned_ref(walloc_arena *arena, size_t size, size_t alignment);

/* True while the block has not been thrown away. One plain load when nothing has happened since; a
 * search of the preserved levels otherwise. */
bool walloc_ref_valid(walloc_ref ref);

/* Its address, or NULL (STALE). The block can be thrown away right after: see Threads above. */
void *walloc_ref_get(walloc_ref ref);

/* ---- The heap ----------------------------------------------------------------------------- */

/* A general allocator. It needs no walloc_init (whose maximum holds for it too) and runs under the C
 * library's names when the program is linked with libwalloc_malloc.a instead of libwalloc.a.
 *
 * Sizes up to WALLOC_HEAP_SMALL come in classes out of spans that belong to one thread; any thread may
 * free any block. Larger ones split and coalesce under locks, and from 8 MiB are runs of pages.
 * Alignment: 16 bytes, and the largest power of two that divides the usable size, up to a page.
 *
 * Errors: NULL, with errno ENOMEM where there is one, and walloc_last_error() (OUT_OF_MEMORY, BUSY). A
 * failed call has changed nothing; realloc's old block stays. */
#define WALLOC_HEAP_SMALL ((size_t)32768)
#define WALLOC_HEAP_CLASSES 40

/* At least `size` bytes, uninitialised. Zero gives a block too, a different one each time. Cost: a few
 * plain instructions; no lock unless the thread's spans of that class are used up. */
void *walloc_malloc(size_t size);

/* count * size bytes of zeros; NULL when the product overflows. Fresh memory is not cleared again. */
void *walloc_calloc(size_t count, size_t size);

/* The block at a new size, in place where it can be. realloc(NULL, n) is malloc(n); realloc(p, 0)
 * frees p and returns NULL. */
void *walloc_realloc(void *block, size_t size);

/* NULL is allowed. What is no block of the heap is misuse: see walloc_heap_on_misuse. */
void walloc_free(void *block);

/* `alignment`: a power of two, any; else NULL with ALIGNMENT and EINVAL. Freed like any other block. */
void *walloc_aligned_alloc(size_t alignment, size_t size);

/* The bytes that may be used, at least those asked for; 0 for NULL. Constant time, above 8 MiB one
 * step for each page. */
size_t walloc_usable_size(const void *block);

/* Hands the calling thread's part of the heap on to the next thread that needs one. Threads of a
 * pthread library do this by themselves when they end. The thread may go on: it gets another part. */
void walloc_thread_end(void);

/* All blocks of the heap are gone. Alone: no other call on the heap at the same time. STATE while the
 * heap is the program's malloc, whose blocks others rely on. */
walloc_error walloc_heap_reset(void);

/* Also walloc_config.strategy. At any time, from any thread: the free blocks are sorted anew. CONFIG for
 * an unknown one, BUSY. */
walloc_error walloc_heap_set_strategy(walloc_strategy chosen);

typedef enum walloc_misuse_kind {
  WALLOC_MISUSE_FOREIGN = 1, /* not memory of the heap */
  WALLOC_MISUSE_INTERIOR,    /* not the start of a block */
  WALLOC_MISUSE_DOUBLE_FREE, /* a block that is free already */
  WALLOC_MISUSE_OVERRUN,     /* written behind its end */
  WALLOC_MISUSE_CORRUPTION   /* a free block was written to */
} walloc_misuse_kind;

/* The plain build notices what it meets on its way: foreign addresses, addresses inside large blocks, a
 * block freed twice in a row. Compiled with WALLOC_HARDENED it notices all five, at the next free. */
typedef struct walloc_misuse {
  walloc_misuse_kind kind;
  void *address; /* as given */
  size_t size;   /* of the block, as asked for if hardened; 0 if unknown */
  unsigned part; /* whose block it is: the number of a thread's part of the heap; 0: nobody's */
} walloc_misuse;

/* Called where misuse is noticed, by the thread that did it. When it returns, the call is ignored.
 * NULL, the default: a message with the kind's number where there is a place for one, and abort. Alone. */
typedef void walloc_misuse_function(const walloc_misuse *misuse, void *user);
void walloc_heap_on_misuse(walloc_misuse_function *function, void *user);

/* What the heap consists of. */
typedef struct walloc_heap_range {
  void *address;
  size_t size; /* usable, of a live block; of a free range with all that is in it */
  bool live;
  unsigned part; /* the thread's part it belongs to; 0: large, all threads' */
} walloc_heap_range;

/* Calls the visitor for each live block and each free range, by ascending address, until it returns
 * false. Alone. The visitor must not use the heap. OUT_OF_MEMORY: it needs 1/128 of the heap for it. */
typedef bool walloc_heap_visitor(const walloc_heap_range *range, void *user);
walloc_error walloc_heap_walk(walloc_heap_visitor *visitor, void *user);

/* Cheap: any thread, at any time. One load for each page obtained. */
typedef struct walloc_heap_stats {
  size_t held;     /* bytes of pages that the heap holds */
  size_t peak;     /* largest `held` since the start */
  size_t spans;    /* of `held`: for small blocks */
  size_t large;    /* of `held`: for blocks above WALLOC_HEAP_SMALL, free parts included */
  size_t parts;    /* threads' parts in use */
  uint64_t sweeps; /* times a thread looked for empty spans */
} walloc_heap_stats;

walloc_error walloc_get_heap_stats(walloc_heap_stats *stats);

/* Full: walks the heap. Alone; errors as for walloc_heap_walk. */
typedef struct walloc_heap_census {
  size_t live_bytes, live_blocks; /* usable bytes */
  size_t free_bytes, free_ranges, largest_free;
  double fragmentation; /* 1 - largest_free / free_bytes; 0 without free bytes */
  struct {
    size_t size, live, free; /* block size in bytes; blocks */
  } of_class[WALLOC_HEAP_CLASSES];
} walloc_heap_census;

walloc_error walloc_take_heap_census(walloc_heap_census *census);

/* ---- Asking ------------------------------------------------------------------------------- */

/* What walloc_compact takes: bytes from the arena's start to its cursor, with padding, lanes, unused ends. */
size_t walloc_used(walloc_arena *arena);

/* What could still be allocated at most: within the hard budget and the maximum, counting free
 * memory, memory never obtained, and the idle chunks of all arenas. An estimate while others work. */
size_t walloc_available(walloc_arena *arena);

/* Counters are exact when nobody else is at work, and never steer anything. */
typedef struct walloc_arena_stats {
  size_t used;       /* see walloc_used */
  size_t preserved;  /* set by walloc_preserve or walloc_compact */
  size_t high_water; /* largest `used` ever */
  size_t capacity;   /* of all chunks */
  size_t chunks;
  size_t alignment;
  size_t soft_budget;  /* 0: none */
  size_t hard_budget;  /* 0: none */
  uint64_t allocated;  /* all that was ever taken: recycled + used */
  uint64_t recycled;   /* by reset, compact, rewind */
  uint64_t resets;     /* times any of these three happened */
  uint64_t growths;    /* chunks ever added */
  uint64_t failures;   /* allocations that returned NULL for want of memory */
  uint64_t pressure;   /* calls of the pressure callback */
  uint64_t recyclings; /* by WALLOC_RECYCLE_TO_MARK */
  uint32_t generation;
} walloc_arena_stats;

walloc_error walloc_get_arena_stats(walloc_arena *arena, walloc_arena_stats *stats);

typedef struct walloc_memory_stats {
  size_t maximum;  /* that walloc may obtain */
  size_t obtained; /* from the platform so far, by walloc alone */
  size_t free;     /* of that, owned by nobody */
  size_t arenas;   /* of that, chunks of arenas */
  size_t heap;     /* of that, the heap's */
  size_t own;      /* of that, walloc's own data: maps, parts of threads, slots, queues */
} walloc_memory_stats;

walloc_error walloc_get_memory_stats(walloc_memory_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
