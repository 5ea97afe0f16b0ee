// export_qdq(): every tensor that calib knows goes through QuantizeLinear and DequantizeLinear right after
// the whole fused chain that computes it, so that ONNX Runtime's QDQ rewriting sees DQ -> Conv -> Q. Names:
// for tensor T of the graph, "T" is the float result, "T/q" the integers, "T/dq" what readers get; a graph
// output's dequantised form is called "T" itself. In a mixed plan a tensor that a float node writes and int8
// nodes read is quantised for these alone.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "export/model_writer.h"
#include "export/onnx_export.h"
#include "export/write_node.h"

namespace fye {
namespace {

struct Names {
  std::string written;     // by the producer
  std::string read;        // by int8 nodes
  std::string float_read;  // by the others
};

class QdqWriter {
 public:
  QdqWriter(const Graph& graph, const Calib& calib, const std::function<bool(const Node&)>& is_int8)
      : graph_(graph), calib_(calib), writer_(graph) {
    for (const Node& node : graph.nodes) in_int8_.push_back(is_int8(node));
    read_in_int8_.resize(graph.tensors.size());
    for (size_t n = 0; n < graph.nodes.size(); ++n)
      for (const TensorId id : graph.nodes[n].inputs)
        read_in_int8_[size_t(id)] = read_in_int8_[size_t(id)] || in_int8_[n];
  }

  Result<std::string> run() {
    for (const Tensor& tensor : graph_.tensors) names_.push_back({tensor.name, tensor.name, tensor.name});
    for (const TensorId id : graph_.inputs) quantise(id, false);
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (in_int8_[n] && calib_.tensors.contains(graph_.tensors[node.output].name) &&
          graph_.is_output(node.output))
        names_[node.output].written = writer_.fresh(graph_.tensors[node.output].name + "/float");
      OperandNames operands{.output = names_[node.output].written};
      for (const TensorId id : node.inputs)
        operands.inputs.push_back(in_int8_[n] ? names_[id].read : names_[id].float_read);
      if (const auto found = calib_.weights.find(node.name); in_int8_[n] && found != calib_.weights.end())
        if (auto status = weights(node, found->second, operands); !status) return status.error();
      if (auto status = write_node(writer_, graph_, node, operands); !status) return status.error();
      quantise(node.output, in_int8_[n]);
    }
    return writer_.finish();
  }

 private:
  // Q and DQ after tensor `id`, if calib knows it and its producer or a reader is in int8.
  void quantise(TensorId id, bool by_int8) {
    if (!by_int8 && !read_in_int8_[size_t(id)]) return;
    const std::string& name = graph_.tensors[id].name;
    const auto found = calib_.tensors.find(name);
    if (found == calib_.tensors.end()) return;
    const std::string scale = writer_.floats(name + ".scale", {}, {&found->second.scale, 1});
    const std::string zero = writer_.uint8(name + ".zero", static_cast<uint8_t>(found->second.zero));
    const std::string integers = writer_.fresh(name + "/q");
    const bool renamed = names_[id].written != name;
    if (!renamed) names_[id].read = writer_.fresh(name + "/dq");
    writer_.node("QuantizeLinear", writer_.fresh(name + ".quantise"), {names_[id].written, scale, zero},
                 integers);
    writer_.node("DequantizeLinear", writer_.fresh(name + ".dequantise"), {integers, scale, zero},
                 names_[id].read);
    if (by_int8) names_[id].float_read = names_[id].read;
  }

  // s8 weights and s32 bias of one node, dequantised; fills operands.weight and .bias.
  Status weights(const Node& node, const WeightQuant& quant, OperandNames& operands) {
    const auto wrong = [&](const std::string& reason) {
      return bad_input(fmt::format("node \"{}\": {}", node.name, reason));
    };
    const Conv* conv = node.as<Conv>();
    const Gemm* gemm = node.as<Gemm>();
    if (!conv && !gemm)
      return wrong(fmt::format("integer weights for a {}; expected conv or gemm", op_name(node)));
    if (gemm && (gemm->alpha != 1 || gemm->beta != 1)) return wrong("integer weights need alpha and beta 1");
    const Constant& weight = graph_.constants[conv ? conv->weight : gemm->weight];
    const int axis = gemm && !gemm->trans_b ? 1 : 0;
    const size_t channels = static_cast<size_t>(weight.shape[axis]);
    if (quant.values.size() != weight.values.size() || quant.scale.size() != channels)
      return wrong(fmt::format("calib has {} weights and {} scales, the model {} and {}", quant.values.size(),
                               quant.scale.size(), weight.values.size(), channels));
    const ConstantId bias_id = conv ? conv->bias : gemm->bias;
    if (!quant.bias.empty() && quant.bias.size() != channels)
      return wrong(fmt::format("calib has {} biases for {} channels", quant.bias.size(), channels));

    const Shape per_channel{static_cast<int64_t>(channels)};
    const std::string values = writer_.int8s(node.name + ".weight_q", weight.shape, quant.values);
    const std::string scale = writer_.floats(node.name + ".weight_scale", per_channel, quant.scale);
    const std::string zero =
        writer_.int8s(node.name + ".weight_zero", per_channel, std::vector<int8_t>(channels));
    operands.weight = writer_.fresh(node.name + ".weight");
    set_int(writer_.node("DequantizeLinear", writer_.fresh(node.name + ".dequantise_weight"),
                         {values, scale, zero}, operands.weight),
            "axis", axis);
    if (bias_id != kNone && !quant.bias.empty()) bias(node, quant, operands);
    return {};
  }

  // As s32 in units of input scale times weight scale, rounded as the int8 kernels do; float where the input
  // is not quantised.
  void bias(const Node& node, const WeightQuant& quant, OperandNames& operands) {
    const Shape per_channel{std::ssize(quant.bias)};
    const auto input = calib_.tensors.find(graph_.tensors[node.inputs[0]].name);
    if (input == calib_.tensors.end()) {
      operands.bias = writer_.floats(node.name + ".bias", per_channel, quant.bias);
      return;
    }
    std::vector<float> scales;
    std::vector<int32_t> values;
    for (size_t c = 0; c < quant.bias.size(); ++c) {
      scales.push_back(input->second.scale * quant.scale[c]);
      const double rounded = std::nearbyint(quant.bias[c] / scales.back());
      values.push_back(static_cast<int32_t>(std::clamp(rounded, -0x1p31, 0x1p31 - 1)));
    }
    const std::string integers = writer_.int32s(node.name + ".bias_q", per_channel, values);
    const std::string scale = writer_.floats(node.name + ".bias_scale", per_channel, scales);
    operands.bias = writer_.fresh(node.name + ".bias");
    set_int(writer_.node("DequantizeLinear", writer_.fresh(node.name + ".dequantise_bias"), {integers, scale},
                         operands.bias),
            "axis", 0);
  }

  const Graph& graph_;
  const Calib& calib_;
  ModelWriter writer_;
  std::vector<bool> in_int8_;       // by node
  std::vector<bool> read_in_int8_;  // by tensor
  std::vector<Names> names_;
};

// Names that the graph lacks mean that calib belongs to something else.
Status check(const Graph& graph, const Calib& calib) {
  if (!graph.sha256.empty() && !calib.graph_sha256.empty() && graph.sha256 != calib.graph_sha256)
    return bad_input("the calibration was made for another model file", "calibrate this model");
  const auto has_tensor = [&](const std::string& name) {
    return std::ranges::any_of(graph.tensors, [&](const Tensor& tensor) { return tensor.name == name; });
  };
  for (const auto& [name, quant] : calib.tensors) {
    if (!has_tensor(name))
      return bad_input(fmt::format("calib names tensor \"{}\", which the graph lacks", name));
    if (!(quant.scale > 0) || !std::isfinite(quant.scale) || quant.zero < 0 || quant.zero > 255)
      return bad_input(
          fmt::format("tensor \"{}\": impossible quantisation {} / {}", name, quant.scale, quant.zero));
  }
  for (const auto& [name, quant] : calib.weights)
    if (std::ranges::none_of(graph.nodes, [&](const Node& node) { return node.name == name; }))
      return bad_input(fmt::format("calib names node \"{}\", which the graph lacks", name));
  return {};
}

}  // namespace

Result<std::string> export_qdq(const Graph& graph, const Calib& calib) {
  return export_qdq(graph, calib, [](const Node&) { return true; });
}

Result<std::string> export_qdq(const Graph& graph, const Calib& calib,
                               const std::function<bool(const Node&)>& is_int8) {
  if (auto status = validate(graph); !status) return status.error();
  if (auto status = check(graph, calib); !status) return status.error();
  return QdqWriter(graph, calib, is_int8).run();
}

}  // namespace fye
