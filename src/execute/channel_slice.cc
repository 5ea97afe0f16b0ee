// Tested by execute/channel_slice_test.cc.
#include "execute/channel_slice.h"

#include <algorithm>

namespace fye {
namespace {

// Weights of a vector's worth of output channels are packed together (kernels/conv/pack.h); narrower slices
// leave lanes idle.
constexpr int kVector = 8;

int out_channels(const Graph& graph, const Conv& conv) {
  return int(graph.constants[size_t(conv.weight)].shape[0]);
}

template <class T>
std::vector<T> part(const std::vector<T>& all, size_t channels, int from, int to) {
  const size_t each = all.size() / channels;
  return {all.begin() + std::ptrdiff_t(each) * from, all.begin() + std::ptrdiff_t(each) * to};
}

// One slope a channel is cut like the channels; one for all stays.
Activation part_of(Activation act, size_t channels, int from, int to) {
  if (act.slope.size() == channels && channels > 1) act.slope = part(act.slope, channels, from, to);
  return act;
}

}  // namespace

int channel_granule(const Graph& graph, const Node& node) {
  const Conv* conv = node.as<Conv>();
  if (!conv || conv->residual_repeat == 1) return kVector;
  return std::max(1, out_channels(graph, *conv) / conv->residual_repeat);
}

bool is_sliceable(const Graph& graph, const Node& node) {
  const Conv* conv = node.as<Conv>();
  return conv && conv->group == 1 && out_channels(graph, *conv) > channel_granule(graph, node);
}

ChannelRange slice_of_residual(const Node& node, int channels, int from, int to) {
  if (node.as<Conv>()->residual_repeat > 1) return {0, channels};
  return {from, to};
}

ChannelSlice slice_channels(const Graph& graph, const Calib* calib, int index, int from, int to) {
  const Node& node = graph.nodes[size_t(index)];
  Conv conv = *node.as<Conv>();
  const Constant& weight = graph.constants[size_t(conv.weight)];
  const auto channels = size_t(weight.shape[0]);
  ChannelSlice slice;
  Graph& g = slice.graph;
  const auto add = [&](Constant constant) {
    g.constants.push_back(std::move(constant));
    return int(g.constants.size()) - 1;
  };
  Shape shape = weight.shape;
  shape[0] = to - from;
  if (conv.bias != kNone) {
    const Constant& bias = graph.constants[size_t(conv.bias)];
    conv.bias = add({{to - from}, part(bias.values, channels, from, to)});
  }
  conv.weight = add({shape, part(weight.values, channels, from, to)});
  conv.act = part_of(conv.act, channels, from, to);
  conv.post = part_of(conv.post, channels, from, to);
  if (conv.residual_repeat > 1) {
    const int turn = int(channels) / conv.residual_repeat;
    conv.residual_repeat = (to - from) / turn;
  }
  Node mine{node.name, {}, int(node.inputs.size()), conv};
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    g.tensors.push_back({graph.tensors[size_t(node.inputs[i])].name, {}});
    mine.inputs.push_back(int(i));
    g.inputs.push_back(int(i));
  }
  g.tensors.push_back({graph.tensors[size_t(node.output)].name, {}});
  g.outputs = {mine.output};
  g.nodes.push_back(std::move(mine));
  if (calib) {
    for (const Tensor& tensor : g.tensors)
      if (const auto found = calib->tensors.find(tensor.name); found != calib->tensors.end())
        slice.calib.tensors.insert(*found);
    if (const auto found = calib->weights.find(node.name); found != calib->weights.end()) {
      const WeightQuant& all = found->second;
      slice.calib.weights[node.name] = {part(all.scale, channels, from, to),
                                        part(all.values, channels, from, to),
                                        part(all.bias, channels, from, to)};
    }
  }
  return slice;
}

}  // namespace fye
