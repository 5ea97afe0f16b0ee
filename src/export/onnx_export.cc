#include "export/onnx_export.h"

#include "export/model_writer.h"
#include "export/write_node.h"

namespace fye {

Result<std::string> export_onnx(const Graph& graph) {
  if (auto status = validate(graph); !status) return status.error();
  ModelWriter writer(graph);
  for (const Node& node : graph.nodes) {
    OperandNames names{.output = graph.tensors[node.output].name};
    for (const TensorId id : node.inputs) names.inputs.push_back(graph.tensors[id].name);
    if (auto status = write_node(writer, graph, node, names); !status) return status.error();
  }
  return writer.finish();
}

}  // namespace fye
