// Shape rules, one an op; dimensions that are not known yet (-1) stay unknown.
#pragma once

#include <span>

#include "graph/graph.h"

namespace fye {

// Bounds that keep shape arithmetic inside 64 bits: elements of a tensor (and so each dimension), and every
// kernel size, stride, dilation, padding, block and resize factor (validate() holds them).
inline constexpr int64_t kMaxElements = int64_t{1} << 40;
inline constexpr int kMaxAttribute = 1 << 15;

// The shape that `node` gives inputs of these shapes. Errors name the node, what came and what was expected.
Result<Shape> infer_node(const Graph& graph, const Node& node, std::span<const Shape> inputs);

// "[1,3,-1,-1]", for messages.
std::string to_text(const Shape& shape);

}  // namespace fye
