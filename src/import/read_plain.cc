// Ops that compute nothing here: Identity, Dropout (inference), Cast among floating-point types, Constant.
#include <fmt/format.h>

#include <cmath>

#include "import/op_table.h"

namespace fye {
namespace {

// Another name for input 0; for tensors a node of its own, which remove_dead drops where it can, so that
// names survive.
void pass_on(NodeReader& node) {
  if (!node.ok()) return;
  const Operand operand = *node.operand(0);
  if (operand.value || operand.quantised) return node.alias(operand);
  node.emit(Elementwise{}, {node.tensor(0)});
}

std::shared_ptr<Value> floats_of(const onnx::AttributeProto& attribute, bool list) {
  auto value = std::make_shared<Value>();
  value->type = onnx::TensorProto::FLOAT;
  if (list)
    value->floats.assign(attribute.floats().begin(), attribute.floats().end());
  else
    value->floats = {attribute.f()};
  if (list) value->shape = {std::ssize(value->floats)};
  return value;
}

std::shared_ptr<Value> ints_of(const onnx::AttributeProto& attribute, bool list) {
  auto value = std::make_shared<Value>();
  value->type = onnx::TensorProto::INT64;
  if (list)
    value->ints.assign(attribute.ints().begin(), attribute.ints().end());
  else
    value->ints = {attribute.i()};
  if (list) value->shape = {std::ssize(value->ints)};
  return value;
}

}  // namespace

void read_identity(NodeReader& node) { pass_on(node); }

void read_dropout(NodeReader& node) {
  node.attribute("seed");
  node.attribute("ratio");
  if (node.has(2)) {
    const auto& training = node.ints(2);
    if (node.ok() && (training.size() != 1 || training[0] != 0))
      node.fail("training_mode is set; fye knows inference");
  }
  pass_on(node);
}

void read_cast(NodeReader& node) {
  const int64_t to = node.int_attribute("to", 0);
  node.attribute("saturate");    // concerns 8-bit floating point alone
  node.attribute("round_mode");  // likewise
  if (!node.ok()) return;
  const Operand& operand = *node.operand(0);
  if (!operand.value) {
    if (!is_float_type(static_cast<int>(to)))
      return node.fail(fmt::format("to {}; fye computes in floating point", type_name(static_cast<int>(to))));
    return pass_on(node);
  }
  if (!node.charge(std::ssize(operand.value->floats) + std::ssize(operand.value->ints))) return;
  auto value = std::make_shared<Value>(*operand.value);
  value->type = static_cast<int>(to);
  if (is_float_type(value->type)) {
    if (value->floats.empty()) value->floats.assign(value->ints.begin(), value->ints.end());
    value->ints.clear();
  } else if (to == onnx::TensorProto::INT64 || to == onnx::TensorProto::INT32) {
    for (const float v : value->floats) {
      if (!(std::fabs(v) < 0x1p31f)) return node.fail(fmt::format("{} as a whole number", v));
      value->ints.push_back(static_cast<int64_t>(v));
    }
    value->floats.clear();
  } else {
    return node.fail(fmt::format("of a constant to {}", type_name(static_cast<int>(to))));
  }
  node.alias({.value = std::move(value)});
}

void read_constant(NodeReader& node) {
  if (const auto* attribute = node.attribute("value")) {
    auto value = node.decode(attribute->t());
    return node.alias({.value = std::move(value)});
  }
  if (const auto* attribute = node.attribute("value_float"))
    return node.alias({.value = floats_of(*attribute, false)});
  if (const auto* attribute = node.attribute("value_floats"))
    return node.alias({.value = floats_of(*attribute, true)});
  if (const auto* attribute = node.attribute("value_int"))
    return node.alias({.value = ints_of(*attribute, false)});
  if (const auto* attribute = node.attribute("value_ints"))
    return node.alias({.value = ints_of(*attribute, true)});
  node.fail("holds no numbers");
}

}  // namespace fye
