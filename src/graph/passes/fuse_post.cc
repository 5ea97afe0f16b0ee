#include "graph/passes/fuse_post.h"

#include "graph/passes/links.h"

namespace fye {

Graph fuse_post(Graph graph) {
  Links links(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Elementwise* element = graph.nodes[i].as<Elementwise>();
    if (!element ||
        (element->act.kind != Activation::Kind::relu && element->act.kind != Activation::Kind::clip))
      continue;
    const TensorId in = graph.nodes[i].inputs[0];
    const int before = links.producer(in);
    if (before == kNone || links.sole_reader(in) != i) continue;
    Conv* conv = graph.nodes[before].as<Conv>();
    if (!conv || graph.nodes[before].inputs.size() != 2 || conv->post.kind != Activation::Kind::none)
      continue;
    conv->post = element->act;
    links.absorb(before, i);
  }
  links.finish();
  return graph;
}

}  // namespace fye
