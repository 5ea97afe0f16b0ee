// Ops that compute each element by itself: activations, arithmetic with tensors and constants, batch
// normalisation, softmax. Constants of one value, or one a channel, become Affine where the op allows it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/shapes.h"
#include "import/op_table.h"

namespace fye {
namespace {

using Kind = Activation::Kind;

// The values of constant `i`, one for each channel of `shape` if it broadcasts so (ONNX aligns shapes at
// their ends); empty if it does not, or if the channels are unknown.
std::vector<float> per_channel(NodeReader& node, int i, const Shape& shape) {
  const Value& constant = node.value(i);
  if (shape.size() < 2 || shape[1] < 1 || constant.shape.size() > shape.size()) return {};
  if (!node.charge(2 * shape[1])) return {};  // scale and shift
  if (constant.floats.size() == 1)
    return std::vector<float>(static_cast<size_t>(shape[1]), constant.floats[0]);
  const size_t skipped = shape.size() - constant.shape.size();
  for (size_t axis = skipped; axis < shape.size(); ++axis)
    if (constant.shape[axis - skipped] != (axis == 1 ? shape[1] : 1)) return {};
  return skipped > 1 ? std::vector<float>{} : constant.floats;
}

// A bound of Clip: attribute (opset 6's form) or input; infinite if absent.
float clip_bound(NodeReader& node, const std::string& attribute, int input, float fallback) {
  const auto* given = node.attribute(attribute);
  if (given) return node.float_attribute(attribute, fallback);
  if (!node.has(input)) return fallback;
  const auto& values = node.floats(input);
  if (node.ok() && values.size() != 1)
    node.fail(fmt::format("{} has {} values, expected 1", attribute, values.size()));
  if (node.ok() && std::isnan(values[0])) node.fail(fmt::format("{} is NaN", attribute));
  return node.ok() ? values[0] : fallback;
}

Activation prelu(NodeReader& node) {
  const auto& slopes = node.floats(1);
  if (slopes.size() == 1) return {.kind = Kind::leaky_relu, .slope = slopes};
  const auto channels = per_channel(node, 1, node.shape(0));
  if (node.ok() && channels.empty())
    node.fail(fmt::format("slope {} for an input {}; expected one value or one a channel",
                          to_text(node.value(1).shape), to_text(node.shape(0))));
  return {.kind = Kind::prelu, .slope = channels};
}

bool all_finite(const Affine& op) {
  const auto finite = [](float v) { return std::isfinite(v); };
  return std::ranges::all_of(op.scale, finite) && std::ranges::all_of(op.shift, finite);
}

// tensor op constant (or the other way round) as scale * x + shift; empty if it isn't.
Affine as_affine(Binary::Kind kind, bool constant_first, std::vector<float> values) {
  const std::vector<float> ones(values.size(), 1.0f), zeros(values.size(), 0.0f);
  const auto mapped = [&](auto f) {
    std::ranges::transform(values, values.begin(), f);
    return values;
  };
  switch (kind) {
    case Binary::Kind::add:
      return {ones, values};
    case Binary::Kind::mul:
      return {values, zeros};
    case Binary::Kind::sub:
      if (constant_first) return {std::vector<float>(values.size(), -1.0f), values};
      return {ones, mapped([](float v) { return -v; })};
    case Binary::Kind::div:
      if (constant_first) return {};
      return {mapped([](float v) { return 1 / v; }), zeros};
  }
  return {};
}

}  // namespace

void read_activation(NodeReader& node) {
  Activation act;
  if (node.op() == "Relu") act.kind = Kind::relu;
  if (node.op() == "Tanh") act.kind = Kind::tanh;
  if (node.op() == "Sigmoid") act.kind = Kind::sigmoid;
  if (node.op() == "LeakyRelu")
    act = {.kind = Kind::leaky_relu, .slope = {node.float_attribute("alpha", 0.01f)}};
  if (node.op() == "PRelu") act = prelu(node);
  if (node.op() == "Clip") {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    act.lo = clip_bound(node, "min", 1, -kInfinity);
    act.hi = clip_bound(node, "max", 2, kInfinity);
    act.kind = std::isinf(act.lo) && std::isinf(act.hi) ? Kind::none : Kind::clip;
  }
  node.emit(Elementwise{act}, {node.tensor(0)});
}

void read_binary(NodeReader& node) {
  Binary op;
  if (node.op() == "Sub") op.kind = Binary::Kind::sub;
  if (node.op() == "Mul") op.kind = Binary::Kind::mul;
  if (node.op() == "Div") op.kind = Binary::Kind::div;
  const bool first = node.is_tensor(0), second = node.is_tensor(1);
  if (node.ok() && !first && !second)
    return node.fail("both inputs are constants; fold constants before the export");
  if (first && second) return node.emit(op, {node.tensor(0), node.tensor(1)});

  op.constant_first = second;
  const int tensor = second ? 1 : 0, constant = 1 - tensor;
  const auto& values = node.floats(constant);
  if (!node.ok()) return;
  const Affine affine =
      as_affine(op.kind, op.constant_first, per_channel(node, constant, node.shape(tensor)));
  if (!affine.scale.empty() && all_finite(affine)) return node.emit(affine, {node.tensor(tensor)});
  op.constant = node.constant(node.value(constant).shape, values);
  node.emit(op, {node.tensor(tensor)});
}

void read_batch_normalization(NodeReader& node) {
  const float epsilon = node.float_attribute("epsilon", 1e-5f);
  node.float_attribute("momentum", 0.9f);  // concerns training alone
  if (node.int_attribute("training_mode", 0) != 0) node.fail("training_mode is set; fye knows inference");
  const auto &scale = node.floats(1), &shift = node.floats(2), &mean = node.floats(3),
             &variance = node.floats(4);
  if (!node.ok()) return;
  if (shift.size() != scale.size() || mean.size() != scale.size() || variance.size() != scale.size())
    return node.fail("scale, B, mean and variance differ in length");
  if (!node.charge(2 * std::ssize(scale))) return;
  Affine op{scale, shift};
  for (size_t c = 0; c < scale.size(); ++c) {
    op.scale[c] = static_cast<float>(scale[c] / std::sqrt(double{variance[c]} + epsilon));
    op.shift[c] = static_cast<float>(shift[c] - double{mean[c]} * op.scale[c]);
  }
  if (!all_finite(op)) return node.fail("the folded scale is not finite (negative variance, or NaN)");
  node.emit(op, {node.tensor(0)});
}

void read_softmax(NodeReader& node) {
  // Before opset 13 all dimensions from `axis` on were taken together; the same as one axis if the others
  // have one element.
  const Shape shape = node.shape(0);
  const auto rank = static_cast<int64_t>(shape.size());
  int64_t axis = node.int_attribute("axis", node.opset() < 13 ? 1 : -1);
  if (node.ok() && (axis < -rank || axis >= rank))
    return node.fail(fmt::format("axis {} of an input {}", axis, to_text(shape)));
  if (axis < 0) axis += rank;
  if (node.ok() && node.opset() < 13)
    for (int64_t i = axis + 1; i < rank; ++i)
      if (shape[i] != 1)
        return node.fail(fmt::format("opset {} takes axes {} to {} together, which fye does not",
                                     node.opset(), axis, rank - 1));
  node.emit(Softmax{static_cast<int>(axis)}, {node.tensor(0)});
}

}  // namespace fye
