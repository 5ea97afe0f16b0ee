#include "graph/append.h"

#include "graph/shapes.h"

namespace fye {

Result<TensorId> append_node(Graph& graph, std::string name, Attributes op, std::vector<TensorId> inputs,
                             std::string tensor) {
  const auto made = static_cast<TensorId>(graph.tensors.size());
  graph.nodes.push_back({std::move(name), std::move(inputs), made, std::move(op)});
  graph.tensors.push_back({std::move(tensor), {}});
  const Node& node = graph.nodes.back();
  // The rules of shapes.cc stand on what validate() holds, so that is asked for this node first.
  if (auto status = validate_node(graph, node); !status) return status.error();
  std::vector<Shape> shapes;
  for (const TensorId id : node.inputs) shapes.push_back(graph.tensors[size_t(id)].shape);
  auto shape = infer_node(graph, node, shapes);
  if (!shape) return shape.error();
  graph.tensors.back().shape = *std::move(shape);
  return made;
}

}  // namespace fye
