#include "graph/graph.h"

#include <algorithm>

namespace fye {
namespace {

// What every op is called and whether it looks at the whole picture: one row an op.
struct Trait {
  std::string_view name;
  bool global = false;
};

struct TraitOf {
  Trait operator()(const Conv&) const { return {"conv"}; }
  Trait operator()(const ConvTranspose&) const { return {"conv_transpose"}; }
  Trait operator()(const Elementwise&) const { return {"elementwise"}; }
  Trait operator()(const Binary&) const { return {"binary"}; }
  Trait operator()(const Concat& op) const { return {"concat", op.axis != 1}; }
  Trait operator()(const DepthToSpace&) const { return {"depth_to_space"}; }
  Trait operator()(const Resize&) const { return {"resize"}; }
  Trait operator()(const Pool&) const { return {"pool"}; }
  Trait operator()(const GlobalAveragePool&) const { return {"global_average_pool", true}; }
  Trait operator()(const Gemm&) const { return {"gemm", true}; }
  Trait operator()(const Reshape&) const { return {"reshape", true}; }
  Trait operator()(const Softmax& op) const { return {"softmax", op.axis != 1}; }
  Trait operator()(const Affine&) const { return {"affine"}; }
};

}  // namespace

std::string_view op_name(const Node& node) { return std::visit(TraitOf{}, node.op).name; }

bool is_global(const Node& node) { return std::visit(TraitOf{}, node.op).global; }

int Graph::producer(TensorId tensor) const {
  for (size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].output == tensor) return static_cast<int>(i);
  return kNone;
}

std::vector<int> Graph::consumers(TensorId tensor) const {
  std::vector<int> found;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (std::ranges::count(nodes[i].inputs, tensor) > 0) found.push_back(static_cast<int>(i));
  return found;
}

bool Graph::is_output(TensorId tensor) const { return std::ranges::count(outputs, tensor) > 0; }

}  // namespace fye
