// Shapes come from the graph's own rules (infer_node), values from the functions of ops.h.
#include "kernels/reference/dense.h"

#include <fmt/format.h>

#include "graph/shapes.h"
#include "kernels/reference/ops.h"

namespace fye {
namespace {

struct Compute {
  const ReferenceCall& call;

  Result<Dense> operator()(const Conv& op) const { return reference_conv(call, op); }
  Result<Dense> operator()(const ConvTranspose& op) const { return reference_conv_transpose(call, op); }
  Result<Dense> operator()(const Elementwise& op) const { return reference_elementwise(call, op); }
  Result<Dense> operator()(const Binary& op) const { return reference_binary(call, op); }
  Result<Dense> operator()(const Concat& op) const { return reference_concat(call, op); }
  Result<Dense> operator()(const DepthToSpace& op) const { return reference_depth_to_space(call, op); }
  Result<Dense> operator()(const Resize& op) const { return reference_resize(call, op); }
  Result<Dense> operator()(const Pool& op) const { return reference_pool(call, op); }
  Result<Dense> operator()(const GlobalAveragePool&) const { return reference_global_average_pool(call); }
  Result<Dense> operator()(const Gemm& op) const { return reference_gemm(call, op); }
  Result<Dense> operator()(const Reshape& op) const { return reference_reshape(call, op); }
  Result<Dense> operator()(const Softmax& op) const { return reference_softmax(call, op); }
  Result<Dense> operator()(const Affine& op) const { return reference_affine(call, op); }
};

}  // namespace

Result<Dense> reference_node(const Graph& graph, const Node& node, std::span<const Dense> in) {
  const auto wrong = [&](std::string_view why) {
    return bad_input(fmt::format("node \"{}\" ({}): {}", node.name, op_name(node), why));
  };
  if (in.empty() || in.size() != node.inputs.size())
    return wrong(fmt::format("got {} inputs, expected {}", in.size(), node.inputs.size()));
  std::vector<Shape> shapes;
  for (const Dense& dense : in) {
    if (element_count(dense.shape) != int64_t(dense.values.size()))
      return wrong("an input's shape and values differ in size");
    shapes.push_back(dense.shape);
  }
  const Result<Shape> shape = infer_node(graph, node, shapes);
  if (!shape) return shape.error();
  Result<Dense> out = std::visit(Compute{{graph, node, in}}, node.op);
  if (out && out->shape != *shape)
    return internal_error(fmt::format("node \"{}\" ({}): computed {}, the shape rule says {}", node.name,
                                      op_name(node), to_text(out->shape), to_text(*shape)));
  return out;
}

Result<std::vector<Dense>> reference_graph(const Graph& graph, std::span<const Dense> inputs) {
  if (inputs.size() != graph.inputs.size())
    return bad_input(fmt::format("{} inputs for a graph of {}", inputs.size(), graph.inputs.size()));
  std::vector<Dense> tensors(graph.tensors.size());
  for (size_t i = 0; i < inputs.size(); ++i) tensors[size_t(graph.inputs[i])] = inputs[i];
  for (const Node& node : graph.nodes) {
    std::vector<Dense> in;
    for (const TensorId id : node.inputs) in.push_back(tensors[size_t(id)]);
    Result<Dense> out = reference_node(graph, node, in);
    if (!out) return out.error();
    tensors[size_t(node.output)] = *std::move(out);
  }
  std::vector<Dense> outputs;
  for (const TensorId id : graph.outputs) outputs.push_back(tensors[size_t(id)]);
  return outputs;
}

}  // namespace fye
