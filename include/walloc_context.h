/* Contexts: reference-counted handles on an arena, for parts of a program that share one and do not know
 * when the others are done.
 *
 *     walloc_context scene = walloc_context_create(walloc_tier(WALLOC_SCENE), 0);
 *     walloc_context entity = walloc_context_create_entity(scene);
 *     void *block = walloc_context_alloc(entity, 64);
 *     walloc_context_release(scene);            entity goes on; the scene tier's blocks stay
 *
 * A context is one arena and one count. Contexts made out of others are counted on their own; nothing
 * happens to an arena when a context of it ends, unless it was made with WALLOC_CONTEXT_RESETS.
 *
 * A handle is a number: copy it, send it to other threads, keep it. It holds as many references as have been
 * retained, the one of its creation included, and each is released once, by whatever thread. After the last
 * release every function refuses it with WALLOC_ERROR_HANDLE, in every build, whatever has taken its place
 * since: until the same place in the table has been used again four million times, and places take turns.
 *
 * Threads: all functions, any thread, at any time. None waits, but where the arena's own function does.
 * Errors beside those named: HANDLE, also before walloc_init and after walloc_shutdown, where only creating
 * says NOT_INITIALIZED; ARENA when the arena has been destroyed, which its contexts outlive. A failed call has changed nothing: the reference is still held. */
#ifndef WALLOC_CONTEXT_H
#define WALLOC_CONTEXT_H

#include "walloc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t walloc_context;

#define WALLOC_NO_CONTEXT ((walloc_context)0)
#define WALLOC_CONTEXTS_MAX 1024    /* at the same time */
#define WALLOC_REFERENCES_MAX 65534 /* of one context */
#define WALLOC_CONTEXT_RESETS \
  1u /* a flag: the last release resets the arena, with all that is in it */

/* A context of an arena, with one reference. `flags`: 0 or WALLOC_CONTEXT_RESETS; an arena that is reset
 * so should have no other context. WALLOC_NO_CONTEXT: ARENA, CONFIG for other flags, LIMIT. Cost: one
 * compare-and-swap, and a look at each place in use that it passes over. */
walloc_context walloc_context_create(walloc_arena *arena, unsigned flags);

/* A context out of another, which must be there, and is not held by it. `arena` NULL: the parent's. */
walloc_context walloc_context_create_child(walloc_context parent, walloc_arena *arena,
                                           unsigned flags);

/* The same with the entity tier for an arena. */
walloc_context walloc_context_create_entity(walloc_context parent);

/* One reference more. LIMIT. One compare-and-swap, more often only where others do the same. */
walloc_error walloc_context_retain(walloc_context context);

/* One reference less. With the last the handle is stale, and the arena reset, once, if that was asked for;
 * PINNED or BUSY where it cannot be: then the reference is still held, to be released later. */
walloc_error walloc_context_release(walloc_context context);

/* walloc_reset of its arena: PINNED, BUSY. */
walloc_error walloc_context_reset(walloc_context context);

/* For everything else that is done with arenas. NULL. One load, two with the arena's. */
walloc_arena *walloc_context_arena(walloc_context context);

/* walloc_alloc and walloc_alloc_ref from its arena, with their errors and cost and those of
 * walloc_context_arena. */
void *walloc_context_alloc(walloc_context context, size_t size);
walloc_ref walloc_context_alloc_ref(walloc_context context, size_t size);

/* References at the moment; 0 for a stale handle. */
unsigned walloc_context_references(walloc_context context);

#ifdef __cplusplus
}
#endif

#endif
