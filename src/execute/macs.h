// MACs: how many multiply-accumulates a network needs, the numerator of every "share of the peak".
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "graph/graph.h"

namespace fye {

// Multiply-accumulates of all convolutions, transposed convolutions and Gemms for one input map of height x
// width (padding taps counted, as is usual; additions, activations and resampling not). Errors: as
// infer_shapes.
Result<int64_t> macs_of(const Graph& graph, int height, int width);

// The same by node; 0 for nodes that have none.
Result<std::vector<int64_t>> macs_by_node(const Graph& graph, int height, int width);

}  // namespace fye
