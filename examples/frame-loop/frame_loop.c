/* A game's frame loop: a level that stays, frames that go, and scratch memory within a frame. One thread.
 *
 *     scene     the level: loaded once, thrown away with the level
 *     render    the frame's draw list: thrown away at the end of each frame
 *     entity    scratch while one object is worked on: rewound to a mark behind each
 *
 * Nothing is freed one by one, and after the first frame no memory is obtained any more. */
#include "walloc.h"
#include <stdio.h>
#include <string.h>

enum { LEVELS = 2, FRAMES = 300, OBJECTS = 500, CORNERS = 8 };

typedef struct object {
  float place[3], speed[3];
} object;

typedef struct draw {
  unsigned object;
  float box[2][3]; /* lower and upper corner */
} draw;

/* The object's corners after a turn: needed until its box is known. */
static void find_box(const object *o, unsigned frame, draw *into) {
  float(*corners)[3] = walloc_tier_alloc(WALLOC_ENTITY, CORNERS * sizeof *corners);
  if (corners == NULL)
    return;
  for (unsigned i = 0; i < CORNERS; i++)
    for (unsigned axis = 0; axis < 3; axis++)
      corners[i][axis] = o->place[axis] + (float)frame * o->speed[axis] + (float)(i >> axis & 1);
  memcpy(into->box[0], corners[0], sizeof into->box[0]);
  memcpy(into->box[1], corners[CORNERS - 1], sizeof into->box[1]);
}

/* Draws what is in sight; returns how many objects that are. */
static unsigned draw_frame(const object *objects, unsigned frame) {
  draw *list = walloc_tier_alloc(WALLOC_RENDER, OBJECTS * sizeof *list); /* 128-byte aligned */
  if (list == NULL)
    return 0;
  unsigned count = 0;
  for (unsigned i = 0; i < OBJECTS; i++) {
    walloc_mark mark;
    if (walloc_set_mark(walloc_tier(WALLOC_ENTITY), &mark) != WALLOC_OK)
      return 0;
    list[count].object = i;
    find_box(&objects[i], frame, &list[count]);
    walloc_rewind(mark); /* the corners are gone */
    if (list[count].box[1][0] > 0 && list[count].box[0][0] < 100)
      count++;
  }
  return count; /* a program would hand the list to the GPU here */
}

static object *load_level(unsigned level) {
  object *objects = walloc_tier_alloc(WALLOC_SCENE, OBJECTS * sizeof *objects);
  for (unsigned i = 0; objects != NULL && i < OBJECTS; i++)
    objects[i] = (object){{(float)i / 5, 0, 0}, {level == 0 ? 1.0f : -0.5f, 0, 0}};
  return objects;
}

static size_t capacity(void) {
  walloc_memory_stats stats;
  return walloc_get_memory_stats(&stats) == WALLOC_OK ? stats.obtained : 0;
}

int main(void) {
  walloc_config config = {.reserve = 4 << 20};
  if (walloc_init(&config) != WALLOC_OK)
    return 1;
  for (unsigned level = 0; level < LEVELS; level++) {
    object *objects = load_level(level);
    if (objects == NULL)
      return 1;
    unsigned long drawn = draw_frame(objects, 0);
    size_t before = capacity();
    for (unsigned frame = 1; frame < FRAMES; frame++) {
      walloc_reset(walloc_tier(WALLOC_RENDER)); /* the last frame's list is gone */
      drawn += draw_frame(objects, frame);
    }
    printf("level %u: %d frames, %lu boxes drawn, memory grew after the first frame: %s\n", level,
           FRAMES, drawn, capacity() > before ? "yes" : "no");
    walloc_reset(walloc_tier(WALLOC_SCENE)); /* the level is gone */
  }
  return walloc_shutdown() == WALLOC_OK ? 0 : 1;
}
