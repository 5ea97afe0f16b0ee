// One Graph node as ONNX nodes: fused convolutions come apart again.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "export/model_writer.h"
#include "graph/graph.h"

namespace fye {

// What the node's operands are called in the model; `weight` and `bias` empty: written as float initializers.
struct OperandNames {
  std::vector<std::string> inputs;
  std::string output, weight, bias;
};

// Errors (bad_input): something that opset 17 has no form for; names the node.
Status write_node(ModelWriter& writer, const Graph& graph, const Node& node, const OperandNames& names);

}  // namespace fye
