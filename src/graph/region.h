// Regions: which part of a node's input a part of its output needs; what tiling stands on.
#pragma once

#include "graph/graph.h"

namespace fye {

// Rows [y, y + h) and columns [x, x + w) of a feature map, in its own pixels. Empty if h or w is 0.
struct Region {
  int y = 0, x = 0, h = 0, w = 0;
  bool operator==(const Region&) const = default;
  bool contains(const Region& other) const {
    return other.y >= y && other.x >= x && other.y + other.h <= y + h && other.x + other.w <= x + w;
  }
};

// The smallest region that covers both.
Region cover(const Region& a, const Region& b);

// What is computed together of a map: squares of size x size pixels, whose columns begin at multiples of size and whose rows
// begin at `row`, 0 <= row < size, plus multiples of size (also negative ones).
struct Grain {
  int size = 1, row = 0;
  // The last row boundary at or before y, and the first at or after it.
  int row_before(int y) const { return (y - row + size) / size * size - size + row; }
  int row_after(int y) const { return row_before(y + size - 1); }
};

// `region` of a map of h x w, grown to whole grains and clipped to the map.
Region whole_grains(const Region& region, const Grain& grain, int h, int w);

// The region of input `which` (index into node.inputs) that `out` reads, clipped to an input map of in_h x in_w: zero padding
// exists only beyond the map's true border. Global ops need the whole map. Empty if all of `out` sees nothing but padding.
Region input_region(const Node& node, int which, const Region& out, int in_h, int in_w);

// Output pixels per input pixel of the whole graph, input 0 to output 0 (ABPN x3: 3), by shape inference; error if it is not
// the same whole number both ways for the sizes asked.
Result<int> upscale_factor(const Graph& graph);

// Input pixels on each side that one output pixel can see (ABPN: 7), from input_region on a map of 2304 x 2304; 0 for none,
// 2304 if a node needs the whole map or the graph can't take that size.
int halo(const Graph& graph);

}  // namespace fye
