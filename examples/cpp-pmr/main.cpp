/* Loads two levels one after the other and draws some frames of each. */
#include "scene.hpp"

#include <cstdio>

namespace {

/* A level, from loading to unloading: its context, the last reference of which throws the scene tier away. */
struct level {
  walloc::context context =
      walloc::context::create(walloc_tier(WALLOC_SCENE), WALLOC_CONTEXT_RESETS);
  walloc::arena_resource memory{context.arena()};
  walloc_ref place = walloc_alloc_ref(context.arena(), sizeof(node));
  node *root =
      place.address ? new (place.address) node(&memory) : nullptr; /* has no destructor call */
};

/* The list of what is drawn is the render tier's, and gone when the frame ends. */
std::size_t draw_frame(const level &now, float distance) {
  walloc::scope frame(walloc_tier(WALLOC_RENDER));
  walloc::arena_resource memory(walloc_tier(WALLOC_RENDER));
  draw_list list(&memory);
  list.reserve(2000);
  collect(*now.root, {0, 0, 0}, distance, list);
  return list.size();
}

/* The root's reference, to see what becomes of it. */
walloc_ref play(int number, float distance) {
  level now;
  build(*now.root, 6, number == 1 ? "a tree in the first level" : "a tree in the second level");
  std::size_t drawn = 0;
  for (int frame = 0; frame < 10; frame++)
    drawn = draw_frame(now, distance);
  std::printf("level %d: %zu nodes, %zu drawn in the last frame\n", number, count_nodes(*now.root),
              drawn);
  return now.place;
}

} // namespace

int main() {
  if (walloc_init(nullptr) != WALLOC_OK)
    return 1;
  std::size_t before = walloc_used(walloc_tier(WALLOC_RENDER));
  walloc_ref first = play(1, 4);
  play(2, 7);
  std::size_t after = walloc_used(walloc_tier(WALLOC_RENDER));
  std::printf("render tier after the frames: %s\n", before == after ? "as before" : "larger");
  std::printf("the first level's root is %s\n", walloc_ref_valid(first) ? "valid" : "stale");
  return walloc_shutdown() == WALLOC_OK ? 0 : 1;
}
