// The oracle beside the kernels: every op on dense tensors in ONNX order, written for obviousness, sums in double.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "graph/graph.h"

namespace fye {

// Row-major, ONNX order (NCHW), any rank, any batch.
struct Dense {
  Shape shape;
  std::vector<float> values;
};

// One node. Fused attributes (act, post, residual) included. Errors name the node.
Result<Dense> reference_node(const Graph& graph, const Node& node, std::span<const Dense> in);

// A whole graph, node by node; returns the outputs in order.
Result<std::vector<Dense>> reference_graph(const Graph& graph, std::span<const Dense> inputs);

}  // namespace fye
