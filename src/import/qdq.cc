// QuantizeLinear and DequantizeLinear: the float graph passes through them, and what they say is kept as a
// Calib.
//
// x -> Q -> DQ on a tensor: readers of DQ's output read x itself, whose scale and zero point are noted; s8
// activations become u8 by a zero point 128 higher. DQ of constants: readers get the float values; s8 values
// with zero point 0 are kept beside them for Conv and Gemm (Calib::weights), others only say why they can't
// be such weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/shapes.h"
#include "import/op_table.h"

namespace fye {
namespace {

using Proto = onnx::TensorProto;

// Scale and zero point (inputs 1 and 2) of a node.
struct Scales {
  std::vector<float> scale;
  std::vector<int64_t> zero;  // as many
  int zero_type = Proto::UINT8;
  int64_t axis = 1;
};

Scales read_scales(NodeReader& node) {
  Scales s{.scale = node.floats(1), .axis = node.int_attribute("axis", 1)};
  node.attribute("saturate");      // concerns 8-bit floating point alone
  node.attribute("output_dtype");  // what the zero point says too, or float
  node.attribute("precision");     // of the division
  if (node.int_attribute("block_size", 0) != 0)
    node.fail("has a block_size; fye knows scales per tensor and per channel");
  s.zero.assign(s.scale.size(), 0);
  if (node.has(2)) {
    s.zero = node.ints(2);
    s.zero_type = node.value(2).type;
  }
  if (node.ok() && (s.scale.empty() || s.zero.size() != s.scale.size()))
    node.fail(fmt::format("{} scales and {} zero points", s.scale.size(), s.zero.size()));
  if (!std::ranges::all_of(s.scale, [](float v) { return v > 0 && std::isfinite(v); }))
    node.fail("a scale is not a positive number");
  return s;
}

// u8 form of one scale and zero point.
Quant activation_quant(NodeReader& node, const Scales& s) {
  if (s.scale.size() != 1)
    node.fail(fmt::format("{} scales; fye knows one a tensor for activations", s.scale.size()));
  const bool is_signed = s.zero_type == Proto::INT8;
  if (!is_signed && s.zero_type != Proto::UINT8)
    node.fail(fmt::format("activations of {}; fye knows UINT8 and INT8", type_name(s.zero_type)));
  if (!node.ok()) return {};
  const int64_t zero = s.zero[0] + (is_signed ? 128 : 0);
  if (zero < 0 || zero > 255) node.fail(fmt::format("zero point {}", s.zero[0]));
  return {s.scale[0], static_cast<int>(zero)};
}

std::string why_unfit(int type, const std::vector<int64_t>& zero) {
  if (type == Proto::UINT8)
    return "weights are UINT8; fye takes symmetric INT8 weights: quantise again with signed weights";
  if (type != Proto::INT8) return fmt::format("weights are {}; fye takes INT8", type_name(type));
  if (std::ranges::count(zero, 0) != std::ssize(zero))
    return "weights have a zero point other than 0; fye takes symmetric weights";
  return {};
}

// Calls f(element, index of its scale) over a constant.
template <class F>
void for_each_scaled(NodeReader& node, const Value& value, Scales& s, const F& f) {
  const auto rank = static_cast<int64_t>(value.shape.size());
  size_t inner = 1;
  if (s.scale.size() > 1) {
    if (s.axis < -rank || s.axis >= rank)
      return node.fail(fmt::format("axis {} of a constant {}", s.axis, to_text(value.shape)));
    if (s.axis < 0) s.axis += rank;
    if (value.shape[s.axis] != std::ssize(s.scale))
      return node.fail(
          fmt::format("{} scales along axis {} of {}", s.scale.size(), s.axis, to_text(value.shape)));
    for (int64_t i = s.axis + 1; i < rank; ++i) inner *= static_cast<size_t>(value.shape[i]);
  }
  const size_t count = std::max(value.ints.size(), value.floats.size());
  for (size_t i = 0; i < count; ++i) f(i, i / inner % s.scale.size());
}

void quantise_constant(NodeReader& node, Scales s) {
  const Value& in = node.value(0);
  const bool is_signed = s.zero_type == Proto::INT8;
  if (!is_signed && s.zero_type != Proto::UINT8)
    return node.fail(fmt::format("a constant to {}", type_name(s.zero_type)));
  auto out = std::make_shared<Value>(Value{.shape = in.shape, .type = s.zero_type});
  const float least = is_signed ? -128.0f : 0.0f, most = is_signed ? 127.0f : 255.0f;
  if (!node.charge(std::ssize(node.floats(0)))) return;
  out->ints.resize(in.floats.size());
  for_each_scaled(node, in, s, [&](size_t i, size_t k) {
    const float rounded = std::nearbyint(in.floats[i] / s.scale[k]) + static_cast<float>(s.zero[k]);
    out->ints[i] = static_cast<int64_t>(rounded >= least ? std::min(rounded, most) : least);
  });
  node.alias({.value = std::move(out)});
}

void dequantise_constant(NodeReader& node, Scales s) {
  const Value& in = node.value(0);
  const auto& codes = node.ints(0);
  if (node.has(2) && in.type != s.zero_type)
    node.fail(fmt::format("values of {}, zero point of {}", type_name(in.type), type_name(s.zero_type)));
  if (in.type != Proto::INT8 && in.type != Proto::UINT8 && in.type != Proto::INT32)
    node.fail(fmt::format("a constant of {}; fye knows INT8, UINT8 and INT32", type_name(in.type)));
  if (!node.ok() || !node.charge(std::ssize(codes))) return;
  auto out = std::make_shared<Value>(Value{.shape = in.shape, .type = Proto::FLOAT});
  out->floats.resize(codes.size());
  for_each_scaled(node, in, s, [&](size_t i, size_t k) {
    out->floats[i] = static_cast<float>(codes[i] - s.zero[k]) * s.scale[k];
  });
  auto integers = std::make_shared<IntegerWeights>();
  integers->unfit = why_unfit(in.type, s.zero);
  integers->scale = s.scale;
  integers->axis = static_cast<int>(s.axis);
  if (integers->unfit.empty()) integers->values.assign(codes.begin(), codes.end());
  node.alias({.value = std::move(out), .integers = std::move(integers)});
}

}  // namespace

void read_quantize_linear(NodeReader& node) {
  const Scales s = read_scales(node);
  if (!node.ok()) return;
  if (!node.is_tensor(0)) return quantise_constant(node, s);
  const Quant quant = activation_quant(node, s);
  node.alias({.tensor = node.tensor(0), .quantised = true, .quant = quant});
}

void read_dequantize_linear(NodeReader& node) {
  const Scales s = read_scales(node);
  if (!node.ok()) return;
  const Operand& in = *node.operand(0);
  if (in.value) return dequantise_constant(node, s);
  if (!in.quantised) return node.fail("input 0 is not quantised");
  const Quant quant = activation_quant(node, s);
  if (node.ok() && quant != in.quant)
    return node.fail(fmt::format("scale {} and zero point {} differ from QuantizeLinear's {} and {}",
                                 quant.scale, quant.zero, in.quant.scale, in.quant.zero));
  node.note_quant(in.tensor, quant);
  node.alias({.tensor = in.tensor});
}

}  // namespace fye
