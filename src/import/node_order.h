// The order in which a model's nodes can be computed.
#pragma once

#include <onnx/onnx_pb.h>

#include <vector>

#include "base/result.h"

namespace fye {

// Indices of graph.node(): the file's order wherever it is sorted. Errors (without the file's name): a name
// that is written twice, an input that nothing computes, a cycle; each names the node.
Result<std::vector<int>> node_order(const onnx::GraphProto& graph);

}  // namespace fye
