// Geometry of feature maps inside a segment: sizes, regions, margins, and the memory they take.
#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"
#include "kernels/map.h"
#include "kernels/node_kernel.h"

namespace fye {

// Height, width and channels of a tensor as a map. Tensors that are not NCHW are one pixel with all their values as channels.
struct MapSize {
  int height = 1, width = 1, channels = 1;
};
MapSize map_size(const Shape& shape);

// Pixels of margin that `node` reads beyond its first input's true border: a convolution's padding.
int margin_of(const Node& node);

// A map of `region` in `format` with an executor's pitch and row alignment; origin unset. Rows start 64-byte aligned and never
// lie a multiple of 4 KiB apart (such rows fall into the same cache sets).
Map map_layout(const Format& format, const Region& region, int margin);

// Bytes from the first to the last readable byte of such a map, slack included.
size_t map_bytes(const Map& layout);

// The layout placed at `memory` (64-byte aligned).
Map place_map(Map layout, std::byte* memory);

// Where rows of tiles of `size` begin (ConvProblem::grain_row) in each tensor of a graph so that a tile needs no row beyond
// the tiles that it reads: then a band goes through all layers at once (execute/bands.h).
std::vector<int> grain_rows(const Graph& graph, int size);

// Demand of every tensor of `nodes` for these output regions, walking back: what each node must compute, and what each input
// must cover. Indexed by tensor; empty regions where nothing is needed. `grains`: Kernel::grain() of each node, or empty where
// all are 1.
std::vector<Region> propagate(const Graph& graph, std::span<const int> nodes, std::span<const Grain> grains,
                              std::span<const TensorId> outputs, std::span<const Region> regions,
                              std::span<const Shape> shapes);

}  // namespace fye
