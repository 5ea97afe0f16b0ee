// fuse_residual: a convolution takes over the addition that follows it.
#pragma once

#include "graph/graph.h"

namespace fye {

// Conv without activation, read by nothing but an add of two tensors of one shape; of two such convolutions
// the later one. Where the other tensor is a Concat of k copies along channels (ABPN's anchor), the copied
// tensor becomes the residual, repeat k.
[[nodiscard]] Graph fuse_residual(Graph graph);

}  // namespace fye
