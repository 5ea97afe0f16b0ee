// Units: the smallest things a plan may place - a convolution with everything that only it feeds (design.md, section 2).
#pragma once

#include "graph/graph.h"

namespace fye {

// Consecutive work of one placement: a convolution (or Gemm) and the activation, add, shuffle, clip, resize or other node
// without weights that follows it; nodes before the first convolution belong to the first unit. A dense block - layers each of
// which reads all before it (ESRGAN) - is one unit. In node order.
struct Unit {
  std::string name;        // of its (first) convolution
  std::vector<int> nodes;  // indices into Graph::nodes, ascending
};

// Every node is in exactly one unit. ABPN has 7, SRCNN 3, SRVGG 18, EDSR-baseline 36, RRDB-23 69 + 6 (after fuse()).
std::vector<Unit> units_of(const Graph& graph);

}  // namespace fye
