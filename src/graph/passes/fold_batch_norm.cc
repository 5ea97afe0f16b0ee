#include "graph/passes/fold_batch_norm.h"

#include <algorithm>

#include "graph/passes/links.h"

namespace fye {
namespace {

// A bias constant of `channels` zeros if the node has none.
std::vector<float> bias_of(const Graph& graph, ConstantId bias, size_t channels) {
  return bias == kNone ? std::vector<float>(channels) : graph.constants[bias].values;
}

// Constants may be shared between nodes, so a change makes a new one.
ConstantId add_constant(Graph& graph, Shape shape, std::vector<float> values) {
  graph.constants.push_back({std::move(shape), std::move(values)});
  return static_cast<ConstantId>(graph.constants.size()) - 1;
}

ConstantId folded_bias(Graph& graph, ConstantId bias, const Affine& affine, float gain = 1) {
  const size_t channels = affine.scale.size();
  auto values = bias_of(graph, bias, channels);
  for (size_t c = 0; c < channels; ++c) values[c] = gain * values[c] * affine.scale[c] + affine.shift[c];
  return add_constant(graph, {static_cast<int64_t>(channels)}, std::move(values));
}

// The attributes of an op with `affine` applied to its output; false if it can't be.
struct FoldAfter {
  Graph& graph;
  const Affine& affine;
  bool plain;  // no residual

  bool operator()(Conv& op) const {
    if (!plain || op.act.kind != Activation::Kind::none || op.post.kind != Activation::Kind::none)
      return false;
    Constant weight = graph.constants[op.weight];
    const size_t taps = weight.values.size() / affine.scale.size();
    for (size_t i = 0; i < weight.values.size(); ++i) weight.values[i] *= affine.scale[i / taps];
    op.weight = add_constant(graph, weight.shape, std::move(weight.values));
    op.bias = folded_bias(graph, op.bias, affine);
    return true;
  }
  bool operator()(ConvTranspose& op) const {
    Constant weight = graph.constants[op.weight];  // [in, out / group, kh, kw]
    const size_t in = weight.shape[0], out = weight.shape[1], taps = weight.shape[2] * weight.shape[3];
    for (size_t i = 0; i < weight.values.size(); ++i) {
      const size_t group = i / taps / out / (in / op.group);
      weight.values[i] *= affine.scale[group * out + i / taps % out];
    }
    op.weight = add_constant(graph, weight.shape, std::move(weight.values));
    op.bias = folded_bias(graph, op.bias, affine);
    return true;
  }
  bool operator()(Gemm& op) const {
    Constant weight = graph.constants[op.weight];
    const size_t columns = weight.shape[1];
    for (size_t i = 0; i < weight.values.size(); ++i)
      weight.values[i] *= op.alpha * affine.scale[op.trans_b ? i / columns : i % columns];
    op.weight = add_constant(graph, weight.shape, std::move(weight.values));
    op.bias = folded_bias(graph, op.bias, affine, op.beta);
    op.alpha = op.beta = 1;
    return true;
  }
  bool operator()(Affine& op) const {
    for (size_t c = 0; c < op.scale.size(); ++c) {
      op.scale[c] *= affine.scale[c];
      op.shift[c] = op.shift[c] * affine.scale[c] + affine.shift[c];
    }
    return true;
  }
  template <class Other>
  bool operator()(Other&) const {
    return false;
  }
};

// conv(scale * x + shift): the scale goes into the weights, the shift through all taps into the bias.
bool fold_before(Graph& graph, const Affine& affine, Conv& conv) {
  const bool padded = conv.pad_top || conv.pad_left || conv.pad_bottom || conv.pad_right;
  const bool shifted = std::ranges::any_of(affine.shift, [](float v) { return v != 0; });
  if (padded && shifted) return false;
  Constant weight = graph.constants[conv.weight];  // [out, in / group, kh, kw]
  const size_t out = weight.shape[0], in = weight.shape[1], taps = weight.shape[2] * weight.shape[3];
  std::vector<double> added(out);
  for (size_t i = 0; i < weight.values.size(); ++i) {
    const size_t c = i / taps / in, source = c / (out / conv.group) * in + i / taps % in;
    added[c] += double{weight.values[i]} * affine.shift[source];
    weight.values[i] *= affine.scale[source];
  }
  if (shifted) {
    auto bias = bias_of(graph, conv.bias, out);
    for (size_t c = 0; c < out; ++c) bias[c] = static_cast<float>(bias[c] + added[c]);
    conv.bias = add_constant(graph, {static_cast<int64_t>(out)}, std::move(bias));
  }
  conv.weight = add_constant(graph, weight.shape, std::move(weight.values));
  return true;
}

}  // namespace

Graph fold_batch_norm(Graph graph) {
  Links links(graph);
  const int count = static_cast<int>(graph.nodes.size());
  for (int i = 0; i < count; ++i) {
    const Affine* affine = graph.nodes[i].as<Affine>();
    if (!affine) continue;
    const TensorId in = graph.nodes[i].inputs[0];
    const int before = links.producer(in);
    if (before == kNone || links.sole_reader(in) != i) continue;
    Node& target = graph.nodes[before];
    if (std::visit(FoldAfter{graph, *affine, target.inputs.size() == 1}, target.op)) links.absorb(before, i);
  }
  for (int i = 0; i < count; ++i) {
    Conv* conv = graph.nodes[i].as<Conv>();
    if (!conv || graph.nodes[i].inputs.size() != 1) continue;
    const TensorId in = graph.nodes[i].inputs[0];
    const int before = links.producer(in);
    if (before == kNone || links.sole_reader(in) != i) continue;
    const Affine* affine = graph.nodes[before].as<Affine>();
    if (affine && fold_before(graph, *affine, *conv)) links.bypass(before, i);
  }
  links.finish();
  return graph;
}

}  // namespace fye
