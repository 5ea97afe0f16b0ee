// fuse_post: relu and clip after a fused addition become the convolution's post function.
#pragma once

#include "graph/graph.h"

namespace fye {

// Conv with a residual that only the relu or clip reads.
[[nodiscard]] Graph fuse_post(Graph graph);

}  // namespace fye
