#include "import/fused_calib.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace fye {
namespace {

bool moves_bytes(const Node& node) {
  if (const Resize* resize = node.as<Resize>()) return resize->kind == Resize::Kind::nearest;
  if (const Pool* pool = node.as<Pool>()) return pool->kind == Pool::Kind::max;
  return node.as<DepthToSpace>() != nullptr;
}

bool stays_on_grid(const Node& node) {
  using Kind = Activation::Kind;
  const Elementwise* element = node.as<Elementwise>();
  if (!element) return moves_bytes(node);
  return element->act.kind == Kind::none || element->act.kind == Kind::relu ||
         element->act.kind == Kind::clip;
}

// Both sides of an op that moves bytes: what the output says, or the input if the output says nothing.
// Backwards, so that chains follow their end. An input that others read too, or that is the graph's, keeps
// its own.
void unify_moved(const Graph& graph, std::map<std::string, Quant>& tensors) {
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!moves_bytes(*node)) continue;
    const TensorId in = node->inputs[0];
    const auto out = tensors.find(graph.tensors[node->output].name);
    if (out != tensors.end() && graph.producer(in) != kNone && graph.consumers(in).size() == 1 &&
        !graph.is_output(in))
      tensors[graph.tensors[in].name] = out->second;
  }
  for (const Node& node : graph.nodes)
    if (const auto in = tensors.find(graph.tensors[node.inputs[0]].name);
        moves_bytes(node) && in != tensors.end())
      tensors.emplace(graph.tensors[node.output].name, in->second);
}

struct Weights {
  const Constant* weight = nullptr;
  const Constant* bias = nullptr;
  int64_t channels = 0;
  size_t inner = 1;  // element i belongs to channel i / inner % channels
};

Weights weights_of(const Graph& graph, const Node& node) {
  const auto constant = [&](ConstantId id) { return id == kNone ? nullptr : &graph.constants[id]; };
  if (const Conv* conv = node.as<Conv>()) {
    const Constant* weight = constant(conv->weight);
    return {weight, constant(conv->bias), weight->shape[0],
            weight->values.size() / static_cast<size_t>(weight->shape[0])};
  }
  if (const Gemm* gemm = node.as<Gemm>()) {
    const Constant* weight = constant(gemm->weight);
    const bool rows = gemm->trans_b;
    return {weight, constant(gemm->bias), weight->shape[rows ? 0 : 1],
            rows ? static_cast<size_t>(weight->shape[1]) : 1};
  }
  return {};
}

// Rounding of a multiplication or two in float, relative.
constexpr float kTolerance = 1e-5f;

// The factor between the integers' value and the fused weights, channel by channel, moves into the scale; a
// negative one turns the integers' sign. False if some channel has no such factor.
bool follow_weights(const Weights& weights, WeightQuant& quant) {
  const auto channel_of = [&](size_t i) { return i / weights.inner % static_cast<size_t>(weights.channels); };
  std::vector<size_t> largest(static_cast<size_t>(weights.channels), SIZE_MAX);
  for (size_t i = 0; i < quant.values.size(); ++i) {
    size_t& best = largest[channel_of(i)];
    if (quant.values[i] != 0 &&
        (best == SIZE_MAX || std::abs(quant.values[i]) > std::abs(quant.values[best])))
      best = i;
  }
  std::vector<bool> turned(largest.size());
  for (size_t c = 0; c < largest.size(); ++c) {
    if (largest[c] == SIZE_MAX) continue;
    const float now = weights.weight->values[largest[c]],
                before = quant.scale[c] * static_cast<float>(quant.values[largest[c]]);
    if (now == before) continue;
    if (now == 0 || !std::isfinite(now / before)) return false;
    turned[c] = now / before < 0;
    quant.scale[c] = std::fabs(now / static_cast<float>(quant.values[largest[c]]));
  }
  for (size_t i = 0; i < quant.values.size(); ++i) {
    const size_t c = channel_of(i);
    if (turned[c] && quant.values[i] == -128) return false;
    if (turned[c]) quant.values[i] = static_cast<int8_t>(-quant.values[i]);
    const float expected = quant.scale[c] * static_cast<float>(quant.values[i]);
    if (std::fabs(weights.weight->values[i] - expected) > kTolerance * quant.scale[c] * 128) return false;
  }
  return true;
}

}  // namespace

void spread_quants(const Graph& graph, std::map<TensorId, Quant>& quants) {
  for (const Node& node : graph.nodes)
    if (const auto in = quants.find(node.inputs[0]); stays_on_grid(node) && in != quants.end())
      quants.emplace(node.output, in->second);
}

Result<std::optional<Calib>> fused_calib(const Graph& fused, const std::map<std::string, Quant>& quants,
                                         const std::map<std::string, IntegerWeights>& integers) {
  Calib calib{.method = "qdq"};
  for (const Tensor& tensor : fused.tensors)
    if (const auto found = quants.find(tensor.name); found != quants.end()) calib.tensors.insert(*found);
  unify_moved(fused, calib.tensors);

  for (const Node& node : fused.nodes) {
    const auto found = integers.find(node.name);
    const Weights weights = weights_of(fused, node);
    if (found == integers.end() || !weights.weight) continue;
    WeightQuant quant{.scale = found->second.scale, .values = found->second.values};
    quant.bias =
        weights.bias ? weights.bias->values : std::vector<float>(static_cast<size_t>(weights.channels));
    if (!follow_weights(weights, quant))
      return bad_input(fmt::format(
          "node \"{}\": its integer weights can't take in the scaling of the nodes around it", node.name));
    calib.weights[node.name] = std::move(quant);
  }
  if (calib.tensors.empty() && calib.weights.empty()) return std::optional<Calib>();
  return std::optional(std::move(calib));
}

}  // namespace fye
