// fuse_activation: relu, leaky_relu, prelu and clip become attributes of the convolution before them.
#pragma once

#include "graph/graph.h"

namespace fye {

// Where nothing else reads the convolution. tanh and sigmoid stay nodes: the int8 contract has no fused form
// for them.
[[nodiscard]] Graph fuse_activation(Graph graph);

}  // namespace fye
