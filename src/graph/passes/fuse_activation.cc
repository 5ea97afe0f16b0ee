#include "graph/passes/fuse_activation.h"

#include "graph/passes/links.h"

namespace fye {
namespace {

bool can_fuse(Activation::Kind kind) {
  using Kind = Activation::Kind;
  return kind == Kind::relu || kind == Kind::leaky_relu || kind == Kind::prelu || kind == Kind::clip;
}

}  // namespace

Graph fuse_activation(Graph graph) {
  Links links(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Elementwise* element = graph.nodes[i].as<Elementwise>();
    if (!element || !can_fuse(element->act.kind)) continue;
    const TensorId in = graph.nodes[i].inputs[0];
    const int before = links.producer(in);
    if (before == kNone || links.sole_reader(in) != i) continue;
    Conv* conv = graph.nodes[before].as<Conv>();
    if (!conv || graph.nodes[before].inputs.size() != 1 || conv->act.kind != Activation::Kind::none ||
        conv->post.kind != Activation::Kind::none)
      continue;
    conv->act = element->act;
    links.absorb(before, i);
  }
  links.finish();
  return graph;
}

}  // namespace fye
