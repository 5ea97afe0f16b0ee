#include "graph/trunk.h"

#include <algorithm>
#include <numeric>
#include <span>

namespace fye {
namespace {

// What a residual add adds up beside a convolution's own sums; empty if the node is none.
std::span<const TensorId> addends(const Node& node) {
  if (const Conv* conv = node.as<Conv>()) {
    const bool plain =
        node.inputs.size() == 2 && conv->residual_repeat == 1 && node.inputs[0] != node.inputs[1];
    return plain ? std::span(node.inputs).subspan(1) : std::span<const TensorId>();
  }
  const Binary* binary = node.as<Binary>();
  const bool sum = binary && binary->constant == kNone &&
                   (binary->kind == Binary::Kind::add || binary->kind == Binary::Kind::sub);
  return sum ? std::span(node.inputs) : std::span<const TensorId>();
}

// True for the convolutions and adds that can write s16.
bool can_be_wide(const Node& node) {
  return !addends(node).empty() || (node.as<Conv>() && node.inputs.size() == 1);
}

// By tensor: an input or output of the network, or on the u8 grid of one.
std::vector<bool> on_picture_grid(const Graph& graph, const std::map<std::string, Quant>& grids) {
  std::vector<bool> on(graph.tensors.size());
  std::vector<Quant> edges;
  for (const auto* list : {&graph.inputs, &graph.outputs})
    for (const TensorId tensor : *list) {
      on[size_t(tensor)] = true;
      if (const auto found = grids.find(graph.tensors[size_t(tensor)].name); found != grids.end())
        edges.push_back(found->second);
    }
  for (size_t t = 0; t < on.size(); ++t)
    if (const auto found = grids.find(graph.tensors[t].name); found != grids.end())
      on[t] = on[t] || std::find(edges.begin(), edges.end(), found->second) != edges.end();
  return on;
}

}  // namespace

Trunks find_trunks(const Graph& graph, const std::map<std::string, Quant>& grids) {
  const size_t tensors = graph.tensors.size();
  Trunks trunks{.of = std::vector<int>(tensors, kNone), .wide = std::vector<bool>(tensors)};
  const std::vector<bool> picture = on_picture_grid(graph, grids);

  // Union-find: `parent` leads to a tensor that stands for its trunk.
  std::vector<TensorId> parent(tensors);
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](TensorId t) {
    while (parent[size_t(t)] != t) t = parent[size_t(t)] = parent[size_t(parent[size_t(t)])];
    return t;
  };
  std::vector<bool> connected(tensors);
  for (const Node& node : graph.nodes) {
    if (picture[size_t(node.output)]) continue;
    for (const TensorId addend : addends(node)) {
      parent[size_t(root(addend))] = root(node.output);
      connected[size_t(addend)] = connected[size_t(node.output)] = true;
    }
  }
  std::vector<int> number(tensors, kNone);
  for (size_t t = 0; t < tensors; ++t) {
    if (!connected[t]) continue;
    int& its = number[size_t(root(TensorId(t)))];
    if (its == kNone) its = trunks.count++;
    trunks.of[t] = its;
  }
  for (const Node& node : graph.nodes) {
    const size_t out = size_t(node.output);
    trunks.wide[out] = trunks.of[out] != kNone && !picture[out] && can_be_wide(node);
  }
  return trunks;
}

std::vector<float> trunk_scales(const Graph& graph, const Calib& calib, const Trunks& trunks) {
  std::vector<float> stated(size_t(trunks.count)), derived(size_t(trunks.count));
  for (size_t t = 0; t < trunks.of.size(); ++t) {
    if (trunks.of[t] == kNone) continue;
    const size_t trunk = size_t(trunks.of[t]);
    const std::string& name = graph.tensors[t].name;
    if (const auto found = calib.scale16.find(name); found != calib.scale16.end())
      stated[trunk] = std::max(stated[trunk], found->second);
    if (const auto found = calib.tensors.find(name); found != calib.tensors.end()) {
      const Quant& grid = found->second;
      const float most = grid.scale * float(std::max(grid.zero, 255 - grid.zero));
      derived[trunk] = std::max(derived[trunk], kTrunkHeadroom * most / 32767);
    }
  }
  std::vector<float> scales(trunks.of.size());
  for (size_t t = 0; t < scales.size(); ++t)
    if (trunks.of[t] != kNone) {
      const size_t trunk = size_t(trunks.of[t]);
      scales[t] = stated[trunk] > 0 ? stated[trunk] : derived[trunk];
    }
  return scales;
}

}  // namespace fye
