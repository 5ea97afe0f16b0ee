// What the whole graph does to sizes and how far it sees: upscale_factor() and halo() of region.h.
#include <fmt/format.h>

#include <algorithm>

#include "graph/region.h"
#include "graph/shapes.h"

namespace fye {
namespace {

// All tensors' shapes where input 0 is h x w, its batch 1, and every other input as declared.
Result<std::vector<Shape>> shapes_at(const Graph& graph, int64_t h, int64_t w) {
  std::vector<Shape> inputs;
  for (const TensorId id : graph.inputs) inputs.push_back(graph.tensors[id].shape);
  Shape& first = inputs.at(0);
  if (first.size() != 4)
    return bad_input(fmt::format("input {} is no feature map (expected NCHW)", to_text(first)));
  first = {1, first[1], h, w};
  return infer_shapes(graph, inputs);
}

// Sizes that strided networks divide evenly (multiples of 32), not square and not multiples of each other.
constexpr int64_t kProbe[][2] = {{64, 96}, {160, 128}};

}  // namespace

Result<int> upscale_factor(const Graph& graph) {
  std::optional<int64_t> factor;
  for (const auto& [h, w] : kProbe) {
    auto shapes = shapes_at(graph, h, w);
    if (!shapes) return shapes.error();
    const Shape& out = (*shapes)[graph.outputs.at(0)];
    const auto wrong = [&] {
      return bad_input(
          fmt::format("output {} of an input of {}x{} is no whole enlargement", to_text(out), h, w));
    };
    if (out.size() != 4 || out[2] < h || out[2] % h != 0 || out[3] % w != 0 || out[2] / h != out[3] / w)
      return wrong();
    if (factor && *factor != out[2] / h) return wrong();
    factor = out[2] / h;
  }
  return static_cast<int>(*factor);
}

int halo(const Graph& graph) {
  // Much larger than any network's reach (RRDB-23: 348 on each side), divisible by strides up to 256 and
  // by 3.
  constexpr int kSize = 256 * 9;
  const auto shapes = shapes_at(graph, kSize, kSize);
  if (!shapes || std::ranges::any_of(graph.nodes, is_global)) return kSize;
  const auto size_of_map = [&](TensorId id, int axis) {
    const Shape& shape = (*shapes)[id];
    return shape.size() == 4 && shape[axis] > 0 ? static_cast<int>(shape[axis]) : 1;
  };

  // Every phase of the middle input pixel: the cell of outputs that belongs to it.
  const TensorId in = graph.inputs.at(0), out = graph.outputs.at(0);
  const int out_h = size_of_map(out, 2), out_w = size_of_map(out, 3), middle = kSize / 2;
  const int cell_h = std::max(1, out_h / kSize), cell_w = std::max(1, out_w / kSize);
  int reach = 0;
  for (int i = 0; i < cell_h * cell_w; ++i) {
    std::vector<Region> needed(graph.tensors.size());
    needed[out] = {static_cast<int>(int64_t{middle} * out_h / kSize) + i / cell_w,
                   static_cast<int>(int64_t{middle} * out_w / kSize) + i % cell_w, 1, 1};
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node)
      for (size_t which = 0; which < node->inputs.size(); ++which) {
        const TensorId id = node->inputs[which];
        needed[id] = cover(needed[id], input_region(*node, static_cast<int>(which), needed[node->output],
                                                    size_of_map(id, 2), size_of_map(id, 3)));
      }
    const Region& seen = needed[in];
    if (seen.h == 0 || seen.w == 0) continue;
    reach = std::max({reach, middle - seen.y, seen.y + seen.h - 1 - middle, middle - seen.x,
                      seen.x + seen.w - 1 - middle});
  }
  return reach;
}

}  // namespace fye
