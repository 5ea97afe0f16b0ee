#include "execute/macs.h"

#include <numeric>

namespace fye {

Result<int64_t> macs_of(const Graph& graph, int height, int width) {
  const auto nodes = macs_by_node(graph, height, width);
  if (!nodes) return nodes.error();
  return std::accumulate(nodes->begin(), nodes->end(), int64_t{0});
}

Result<std::vector<int64_t>> macs_by_node(const Graph& graph, int height, int width) {
  if (graph.inputs.empty()) return bad_input("the network has no input");
  Shape input = graph.tensors[graph.inputs[0]].shape;
  if (input.size() != 4)
    return bad_input("the network's input is not a picture (batch, channels, height, width)");
  input[0] = 1;
  input[2] = height;
  input[3] = width;
  const auto shapes = infer_shapes(graph, {input});
  if (!shapes) return shapes.error();

  std::vector<int64_t> macs;
  for (const Node& node : graph.nodes) {
    int64_t& of_node = macs.emplace_back(0);
    const Shape& in = (*shapes)[node.inputs[0]];
    const Shape& out = (*shapes)[node.output];
    if (const auto* conv = node.as<Conv>()) {
      of_node = element_count(out) * (in[1] / conv->group) * conv->kernel_h * conv->kernel_w;
    } else if (const auto* transposed = node.as<ConvTranspose>()) {
      of_node = element_count(in) * (out[1] / transposed->group) * transposed->kernel_h * transposed->kernel_w;
    } else if (const auto* gemm = node.as<Gemm>()) {
      of_node = element_count(out) * in[gemm->trans_a ? 0 : 1];
    }
  }
  return macs;
}

}  // namespace fye
