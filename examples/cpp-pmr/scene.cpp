/* See scene.hpp. */
#include "scene.hpp"

#include <cmath>

namespace {

vector3 add(vector3 a, vector3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }

float length(vector3 v) { return std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z); }

} // namespace

void build(node &root, int depth, const char *name) {
  root.name = name;
  root.name += ", of the kind that does not fit into a short string";
  if (depth == 0)
    return;
  root.children.reserve(3); /* what a vector leaves behind when it grows stays in the arena */
  for (int i = 0; i < 3; i++) {
    node &child = root.children.emplace_back();
    child.position = {static_cast<float>(i), 0, 0};
    build(child, depth - 1, name);
  }
}

std::size_t count_nodes(const node &root) {
  std::size_t count = 1;
  for (const node &child : root.children)
    count += count_nodes(child);
  return count;
}

void collect(const node &root, vector3 at, float distance, draw_list &list) {
  at = add(at, root.position);
  if (length(at) <= distance)
    list.push_back({at, &root});
  for (const node &child : root.children)
    collect(child, at, distance, list);
}
