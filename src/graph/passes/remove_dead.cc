#include "graph/passes/remove_dead.h"

#include <algorithm>
#include <numeric>

namespace fye {
namespace {

bool all_known(const Shape& shape) {
  return std::ranges::none_of(shape, [](int64_t dim) { return dim < 0; });
}

// True if the node returns its input 0 unchanged.
struct IsIdentity {
  const Graph& graph;
  const Node& node;

  bool operator()(const Elementwise& op) const { return op.act.kind == Activation::Kind::none; }
  bool operator()(const Concat&) const { return node.inputs.size() == 1; }
  bool operator()(const DepthToSpace& op) const { return op.block == 1; }
  bool operator()(const Resize& op) const { return op.factor_h == 1 && op.factor_w == 1; }
  bool operator()(const Affine& op) const {
    return std::ranges::all_of(op.scale, [](float v) { return v == 1; }) &&
           std::ranges::all_of(op.shift, [](float v) { return v == 0; });
  }
  bool operator()(const Reshape& op) const {
    const Shape& in = graph.tensors[node.inputs[0]].shape;
    if (op.target.empty()) return op.axis == 1 && in.size() == 2;
    if (op.target.size() != in.size()) return false;
    if (std::ranges::all_of(op.target, [](int64_t dim) { return dim == 0; })) return true;
    return all_known(in) && in == graph.tensors[node.output].shape;
  }
  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }
};

// Readers of an identity's output read its input instead. Where the output is one of the graph's, the node
// before writes it.
void bypass_identities(Graph& graph) {
  std::vector<TensorId> instead(graph.tensors.size());
  std::iota(instead.begin(), instead.end(), 0);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    for (TensorId& id : node.inputs) id = instead[id];
    if (!std::visit(IsIdentity{graph, node}, node.op)) continue;
    const TensorId in = node.inputs[0], out = node.output;
    if (!graph.is_output(out)) {
      instead[out] = in;
      continue;
    }
    const int before = graph.producer(in);
    if (before == kNone || graph.is_output(in)) continue;
    // `in` lost its writer; this node, now without readers, would be the only one left to write `out` twice.
    for (size_t j = 0; j < i; ++j) std::ranges::replace(graph.nodes[j].inputs, in, out);
    graph.nodes[before].output = out;
    instead[in] = out;
    for (TensorId& id : instead)
      if (id == in) id = out;
    graph.nodes.erase(graph.nodes.begin() + static_cast<ptrdiff_t>(i--));
  }
}

// Nodes from which no output can be reached.
void drop_unused_nodes(Graph& graph) {
  std::vector<bool> needed(graph.tensors.size());
  for (const TensorId id : graph.outputs) needed[id] = true;
  std::vector<bool> keep(graph.nodes.size());
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    keep[i] = needed[graph.nodes[i].output];
    if (keep[i])
      for (const TensorId id : graph.nodes[i].inputs) needed[id] = true;
  }
  size_t kept = 0;
  for (size_t i = 0; i < keep.size(); ++i)
    if (keep[i]) {
      if (kept != i) graph.nodes[kept] = std::move(graph.nodes[i]);
      ++kept;
    }
  graph.nodes.resize(kept);
}

// Calls f on every constant id of a node.
template <class F>
void for_each_constant(Node& node, const F& f) {
  if (auto* conv = node.as<Conv>()) f(conv->weight), f(conv->bias);
  if (auto* transpose = node.as<ConvTranspose>()) f(transpose->weight), f(transpose->bias);
  if (auto* gemm = node.as<Gemm>()) f(gemm->weight), f(gemm->bias);
  if (auto* binary = node.as<Binary>()) f(binary->constant);
}

// Moves the elements that are marked to the front, in order; returns each one's new index.
template <class T>
std::vector<int> compact(std::vector<T>& values, const std::vector<bool>& used) {
  std::vector<int> index(values.size(), kNone);
  size_t kept = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!used[i]) continue;
    index[i] = static_cast<int>(kept);
    if (kept != i) values[kept] = std::move(values[i]);
    ++kept;
  }
  values.resize(kept);
  return index;
}

void drop_unused_constants(Graph& graph) {
  std::vector<bool> used(graph.constants.size());
  for (Node& node : graph.nodes)
    for_each_constant(node, [&](ConstantId& id) {
      if (id != kNone) used[id] = true;
    });
  const auto index = compact(graph.constants, used);
  for (Node& node : graph.nodes)
    for_each_constant(node, [&](ConstantId& id) {
      if (id != kNone) id = index[id];
    });
}

void drop_unused_tensors(Graph& graph) {
  std::vector<bool> used(graph.tensors.size());
  const auto mark = [&](TensorId& id) { used[id] = true; };
  const auto for_each_tensor = [&](const auto& f) {
    std::ranges::for_each(graph.inputs, f);
    std::ranges::for_each(graph.outputs, f);
    for (Node& node : graph.nodes) std::ranges::for_each(node.inputs, f), f(node.output);
  };
  for_each_tensor(mark);
  const auto index = compact(graph.tensors, used);
  for_each_tensor([&](TensorId& id) { id = index[id]; });
}

}  // namespace

Graph remove_dead(Graph graph) {
  bypass_identities(graph);
  drop_unused_nodes(graph);
  drop_unused_constants(graph);
  drop_unused_tensors(graph);
  return graph;
}

}  // namespace fye
