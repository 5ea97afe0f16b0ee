#include "processors/segment_maps.h"

#include <algorithm>

#include "base/buffer.h"

namespace fye {

MapSize map_size(const Shape& shape) {
  if (shape.size() == 4) return {int(shape[2]), int(shape[3]), int(shape[1])};
  int64_t values = 1;
  for (size_t i = 1; i < shape.size(); ++i) values *= shape[i];
  return {1, 1, int(values)};
}

int margin_of(const Node& node) {
  const Conv* conv = node.as<Conv>();
  return conv ? std::max({conv->pad_top, conv->pad_left, conv->pad_bottom, conv->pad_right}) : 0;
}

Map map_layout(const Format& format, const Region& region, int margin) {
  constexpr ptrdiff_t kPage = 4096;
  Map map{.type = format.type, .quant = format.quant, .channels = format.channels};
  map.pitch = pitch_for(format.type, format.channels);
  map.region = region;
  map.margin = margin;
  const ptrdiff_t row = ptrdiff_t(region.w + 2 * margin) * map.pitch * size_of(format.type);
  map.row_bytes = (row + ptrdiff_t(kAlignment) - 1) / ptrdiff_t(kAlignment) * ptrdiff_t(kAlignment);
  if (map.row_bytes % kPage == 0) map.row_bytes += kAlignment;
  return map;
}

size_t map_bytes(const Map& layout) {
  return size_t(layout.row_bytes) * size_t(layout.region.h + 2 * layout.margin) + kSlack;
}

Map place_map(Map layout, std::byte* memory) {
  layout.origin =
      memory + layout.margin * (layout.row_bytes + ptrdiff_t(layout.pitch) * size_of(layout.type));
  return layout;
}

std::vector<int> grain_rows(const Graph& graph, int size) {
  std::vector<int> rows(graph.tensors.size(), 0);
  for (const Node& node : graph.nodes) {
    int row = rows[size_t(node.inputs[0])];
    if (const Conv* conv = node.as<Conv>()) row -= (conv->kernel_h - 1) * conv->dilation_h - conv->pad_top;
    if (const DepthToSpace* shuffle = node.as<DepthToSpace>()) row *= shuffle->block;
    if (const Resize* resize = node.as<Resize>()) row *= resize->factor_h;
    rows[size_t(node.output)] = (row % size + size) % size;
  }
  return rows;
}

std::vector<Region> propagate(const Graph& graph, std::span<const int> nodes, std::span<const Grain> grains,
                              std::span<const TensorId> outputs, std::span<const Region> regions,
                              std::span<const Shape> shapes) {
  std::vector<Region> demand(graph.tensors.size());
  auto want = [&](TensorId tensor, const Region& region) {
    Region& have = demand[size_t(tensor)];
    have = have.h == 0 || have.w == 0 ? region : cover(have, region);
  };
  for (size_t i = 0; i < outputs.size(); ++i) want(outputs[i], regions[i]);
  for (size_t i = nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[size_t(nodes[i])];
    const Region made = demand[size_t(node.output)];
    if (made.h == 0 || made.w == 0) continue;
    const MapSize whole = map_size(shapes[size_t(node.output)]);
    const Region out = whole_grains(made, grains.empty() ? Grain{} : grains[i], whole.height, whole.width);
    for (size_t which = 0; which < node.inputs.size(); ++which) {
      const TensorId input = node.inputs[which];
      const MapSize size = map_size(shapes[size_t(input)]);
      want(input, input_region(node, int(which), out, size.height, size.width));
    }
  }
  return demand;
}

}  // namespace fye
