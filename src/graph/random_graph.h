// Random valid graphs, for property tests of everything that works on graphs.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace fye {

struct RandomGraphOptions {
  int nodes = 8;           // about as many
  bool global = false;     // may end in pooling over the whole map, Gemm, softmax
  bool arithmetic = true;  // binary ops of two tensors, and Affine
};

// Input "input" [1, 1 to 4, -1, -1], output "output"; as a framework would export it (not fused), full of
// what fuse() looks for: convolution + activation, residual additions, repeated anchors, clips after
// depth-to-space. Computes on any map of 16 x 16 and more. The same graph for the same seed, on any machine.
Graph random_graph(uint64_t seed, const RandomGraphOptions& options = {});

}  // namespace fye
