/* A scene graph whose nodes, names and lists of children all lie in one arena: a level. It is never taken apart node by
 * node; unloading it is throwing the arena away. */
#ifndef EXAMPLE_SCENE_HPP
#define EXAMPLE_SCENE_HPP

#include <array>
#include <memory_resource>
#include <string>
#include <vector>

#include "walloc.hpp"

struct vector3 {
  float x, y, z;
};

/* std::pmr hands the allocator on: a child made in `children` has its name and its own children in the same arena. */
struct node {
  using allocator_type = std::pmr::polymorphic_allocator<node>;

  explicit node(allocator_type a) : name(a), children(a) {}
  node(node &&other, allocator_type a)
      : position(other.position), name(std::move(other.name), a),
        children(std::move(other.children), a) {}
  node(node &&) = default;

  vector3 position{};
  std::pmr::string name;
  std::pmr::vector<node> children;
};

/* What a frame draws: where, and what. */
struct draw {
  vector3 position;
  const node *what;
};

using draw_list = std::pmr::vector<draw>;

/* A tree of `depth` levels, three children to each node. */
void build(node &root, int depth, const char *name);

std::size_t count_nodes(const node &root);

/* Fills the list with all nodes at most `distance` from the origin. */
void collect(const node &root, vector3 at, float distance, draw_list &list);

#endif
