// What the compilers are recorded with: templates of the standard library, instantiated and optimized.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};

template <int N> struct Polygon : Shape {
  std::vector<double> sides = std::vector<double>(N, 1.0);
  double area() const override { return std::accumulate(sides.begin(), sides.end(), 0.0) / N; }
};

template <class Key, class Value> std::string joined(const std::map<Key, Value> &values) {
  std::ostringstream out;
  for (const auto &[key, value] : values)
    out << key << '=' << value << ';';
  return out.str();
}

int main() {
  std::vector<std::unique_ptr<Shape>> shapes;
  shapes.push_back(std::make_unique<Polygon<3>>());
  shapes.push_back(std::make_unique<Polygon<4>>());
  shapes.push_back(std::make_unique<Polygon<5>>());
  std::sort(shapes.begin(), shapes.end(),
            [](const auto &a, const auto &b) { return a->area() < b->area(); });

  std::map<std::string, double> areas;
  std::unordered_map<int, std::function<double(double)>> functions;
  for (const auto &shape : shapes) {
    areas[std::to_string(areas.size())] = shape->area();
    functions[int(areas.size())] = [&shape](double scale) { return scale * shape->area(); };
  }
  const std::regex pattern("([a-z]+)=([0-9.]+);?");
  const std::string text = joined(areas);
  double sum = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
    sum += std::stod((*it)[2].str());
  for (const auto &[number, function] : functions)
    sum += function(number);
  return sum > 100;
}
