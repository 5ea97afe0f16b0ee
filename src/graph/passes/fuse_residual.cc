#include "graph/passes/fuse_residual.h"

#include <algorithm>

#include "graph/passes/links.h"

namespace fye {
namespace {

// The convolution that writes `tensor` and may take over its only reader, the addition `add`; kNone if there
// is none.
int plain_conv(const Graph& graph, const Links& links, TensorId tensor, int add) {
  const int producer = links.producer(tensor);
  if (producer == kNone || links.sole_reader(tensor) != add) return kNone;
  const Conv* conv = graph.nodes[producer].as<Conv>();
  const bool plain = conv && graph.nodes[producer].inputs.size() == 1 &&
                     conv->act.kind == Activation::Kind::none && conv->post.kind == Activation::Kind::none;
  return plain ? producer : kNone;
}

struct Residual {
  TensorId tensor;
  int repeat = 1;
};

// What `tensor` is k copies of along its channels, or itself.
Residual repeated(const Graph& graph, const Links& links, TensorId tensor) {
  const int producer = links.producer(tensor);
  if (producer == kNone) return {tensor};
  const Node& node = graph.nodes[producer];
  const Concat* concat = node.as<Concat>();
  const bool copies = concat && concat->axis == 1 &&
                      std::ranges::count(node.inputs, node.inputs[0]) == std::ssize(node.inputs);
  return copies ? Residual{node.inputs[0], static_cast<int>(node.inputs.size())} : Residual{tensor};
}

}  // namespace

Graph fuse_residual(Graph graph) {
  Links links(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& add = graph.nodes[i];
    const Binary* binary = add.as<Binary>();
    if (!binary || binary->kind != Binary::Kind::add || binary->constant != kNone) continue;
    const TensorId a = add.inputs[0], b = add.inputs[1];
    if (a == b || graph.tensors[a].shape != graph.tensors[b].shape || graph.tensors[a].shape.size() != 4)
      continue;
    const int conv_a = plain_conv(graph, links, a, i), conv_b = plain_conv(graph, links, b, i);
    if (conv_a == kNone && conv_b == kNone) continue;
    const int conv = std::max(conv_a, conv_b);
    const Residual residual = repeated(graph, links, conv == conv_a ? b : a);
    graph.nodes[conv].as<Conv>()->residual_repeat = residual.repeat;
    links.absorb_at(conv, i, residual.tensor);
  }
  links.finish();
  return graph;
}

}  // namespace fye
