#include "graph/passes/hoist_clip.h"

#include "graph/passes/links.h"

namespace fye {
namespace {

bool same_for_all_channels(const Node& node) {
  const Elementwise* op = node.as<Elementwise>();
  return op && op->act.kind != Activation::Kind::prelu;
}

}  // namespace

Graph hoist_clip(Graph graph) {
  Links links(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    if (!same_for_all_channels(graph.nodes[i])) continue;
    for (int lower = i;;) {
      const TensorId between = graph.nodes[lower].inputs[0];
      const int upper = links.producer(between);
      if (upper == kNone || !graph.nodes[upper].as<DepthToSpace>() || links.sole_reader(between) != lower)
        break;
      links.swap(upper, lower);
      graph.tensors[between].shape = graph.tensors[graph.nodes[upper].inputs[0]].shape;
      lower = upper;
    }
  }
  return graph;
}

}  // namespace fye
