// hoist_clip: element-wise functions move above DepthToSpace, to the convolution that they can be fused with.
#pragma once

#include "graph/graph.h"

namespace fye {

// Any Elementwise but a prelu with one slope a channel. The tensor between the two keeps its name and takes
// the other layout.
[[nodiscard]] Graph hoist_clip(Graph graph);

}  // namespace fye
