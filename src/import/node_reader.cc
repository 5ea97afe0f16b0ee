#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "graph/append.h"
#include "graph/shapes.h"
#include "import/importer.h"

namespace fye {
namespace {

// What failed calls return.
const Operand kNoOperand;
const Value kNoValue;
const Shape kUnknownMap{-1, -1, -1, -1};

std::string label(const onnx::NodeProto& proto) {
  if (!proto.name().empty()) return proto.name();
  return proto.output_size() > 0 ? proto.output(0) : "";
}

}  // namespace

// ONNX wants outputs unique, not node names; the graph wants both.
NodeReader::NodeReader(Importer& importer, const onnx::NodeProto& proto)
    : importer_(importer), proto_(proto), name_(label(proto)) {
  if (importer_.node_names.contains(name_) && proto.output_size() > 0) name_ += "/" + proto.output(0);
  while (importer_.node_names.contains(name_)) name_ += "_";
}

int NodeReader::opset() const { return importer_.opset; }

void NodeReader::fail(std::string_view reason) {
  if (!error_)
    error_ = importer_.wrong(fmt::format("node \"{}\" ({}): {}", label(proto_), proto_.op_type(), reason));
}

Status NodeReader::status() {
  for (const auto& attribute : proto_.attribute())
    if (!asked_.contains(attribute.name()))
      fail(fmt::format("attribute \"{}\" is unknown to fye", attribute.name()));
  return error_ ? Status(*error_) : Status();
}

const Operand* NodeReader::operand(int i) {
  if (!has(i)) {
    fail(fmt::format("input {} is missing", i));
    return &kNoOperand;
  }
  const auto found = importer_.operands.find(proto_.input(i));
  if (found != importer_.operands.end()) return &found->second;
  fail(fmt::format("input \"{}\" is computed by nothing that fye knows", proto_.input(i)));
  return &kNoOperand;
}

bool NodeReader::is_tensor(int i) { return operand(i)->tensor != kNone; }

TensorId NodeReader::tensor(int i) {
  const Operand& found = *operand(i);
  if (found.tensor == kNone)
    fail(fmt::format("input {} is a constant; expected a tensor that depends on the picture", i));
  else if (found.quantised)
    fail(fmt::format("input {} is quantised; fye reads DequantizeLinear's output (QDQ form)", i));
  return ok() ? found.tensor : kNone;
}

const Shape& NodeReader::shape(int i) {
  const TensorId id = tensor(i);
  return id == kNone ? kUnknownMap : importer_.graph.tensors[id].shape;
}

const Value& NodeReader::value(int i) {
  const Operand& found = *operand(i);
  if (found.value) return *found.value;
  fail(fmt::format("input {} is no constant; fye needs it to be one", i));
  return kNoValue;
}

const std::vector<float>& NodeReader::floats(int i) {
  const Value& found = value(i);
  if (ok() && !found.is_float())
    fail(fmt::format("input {} holds {}; expected floating point", i, type_name(found.type)));
  return found.floats;
}

const std::vector<int64_t>& NodeReader::ints(int i) {
  const Value& found = value(i);
  if (ok() && found.is_float())
    fail(fmt::format("input {} holds {}; expected whole numbers", i, type_name(found.type)));
  return found.ints;
}

const onnx::AttributeProto* NodeReader::attribute(const std::string& name) {
  asked_.insert(name);
  for (const auto& attribute : proto_.attribute())
    if (attribute.name() == name) return &attribute;
  return nullptr;
}

const onnx::AttributeProto* NodeReader::typed(const std::string& name,
                                              onnx::AttributeProto::AttributeType type) {
  const auto* found = attribute(name);
  if (found && found->type() != type) {
    fail(fmt::format("attribute \"{}\" has the wrong type", name));
    return nullptr;
  }
  return found;
}

int64_t NodeReader::int_attribute(const std::string& name, int64_t fallback) {
  const auto* found = typed(name, onnx::AttributeProto::INT);
  return found ? found->i() : fallback;
}

float NodeReader::float_attribute(const std::string& name, float fallback) {
  const auto* found = typed(name, onnx::AttributeProto::FLOAT);
  if (found && !std::isfinite(found->f())) fail(fmt::format("attribute \"{}\" is not finite", name));
  return found ? found->f() : fallback;
}

std::string NodeReader::string_attribute(const std::string& name, const std::string& fallback) {
  const auto* found = typed(name, onnx::AttributeProto::STRING);
  return found ? found->s() : fallback;
}

std::vector<int64_t> NodeReader::ints_attribute(const std::string& name, std::vector<int64_t> fallback) {
  const auto* found = typed(name, onnx::AttributeProto::INTS);
  if (!found) return fallback;
  return {found->ints().begin(), found->ints().end()};
}

std::vector<int> NodeReader::small_attributes(const std::string& name, std::vector<int> fallback) {
  const auto values = ints_attribute(name, {fallback.begin(), fallback.end()});
  if (values.size() != fallback.size()) {
    fail(fmt::format("attribute \"{}\" has {} values, expected {}", name, values.size(), fallback.size()));
    return fallback;
  }
  for (const int64_t value : values)
    if (value < 0 || value > kMaxAttribute) {
      fail(fmt::format("attribute \"{}\": {} is out of range 0..{}", name, value, kMaxAttribute));
      return fallback;
    }
  return {values.begin(), values.end()};
}

int NodeReader::small_attribute(const std::string& name, int fallback) {
  const int64_t value = int_attribute(name, fallback);
  if (value >= 0 && value <= kMaxAttribute) return static_cast<int>(value);
  fail(fmt::format("attribute \"{}\": {} is out of range 0..{}", name, value, kMaxAttribute));
  return fallback;
}

bool NodeReader::charge(int64_t elements) {
  importer_.charged += elements;
  if (importer_.charged > importer_.limits.elements)
    fail(fmt::format("constants of all nodes together take more than {} values", importer_.limits.elements));
  return ok();
}

ConstantId NodeReader::constant(Shape shape, std::vector<float> values) {
  if (!ok() || !charge(std::ssize(values))) return kNone;
  if (values.empty()) fail(fmt::format("a constant of shape {} is empty", to_text(shape)));
  if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); }))
    fail("a constant holds NaN, or a number beyond float's range");
  importer_.graph.constants.push_back({std::move(shape), std::move(values)});
  return static_cast<ConstantId>(importer_.graph.constants.size()) - 1;
}

void NodeReader::integer_weights(int i, int channel_axis, int64_t channels) {
  const auto integers = operand(i)->integers;
  if (!ok() || !integers) return;
  if (!integers->unfit.empty()) return fail(integers->unfit);
  const bool per_tensor = integers->scale.size() == 1;
  if (!per_tensor && integers->axis != channel_axis)
    return fail(
        fmt::format("weights have one scale for each index of axis {}; expected axis {}, the output channels",
                    integers->axis, channel_axis));
  IntegerWeights own = *integers;
  if (per_tensor) own.scale.assign(static_cast<size_t>(channels), own.scale[0]);
  importer_.integers[name_] = std::move(own);
}

std::shared_ptr<const Value> NodeReader::decode(const onnx::TensorProto& tensor) {
  auto value = read_value(tensor, importer_.folder, importer_.limits);
  if (value) return std::make_shared<Value>(*std::move(value));
  fail(value.error().what);
  return std::make_shared<Value>();
}

void NodeReader::note_quant(TensorId tensor, const Quant& quant) {
  if (!ok()) return;
  const auto [found, fresh] = importer_.quants.emplace(tensor, quant);
  if (!fresh && found->second != quant)
    fail(fmt::format("tensor \"{}\" is quantised in two ways; fye stores it once",
                     importer_.graph.tensors[tensor].name));
}

bool NodeReader::has_one_output() {
  if (proto_.output_size() == 0 || proto_.output(0).empty()) fail("has no output");
  for (int i = 1; i < proto_.output_size(); ++i)
    if (!proto_.output(i).empty() && proto_.op_type() != "Dropout")
      fail(fmt::format("output {} \"{}\"; fye computes only the first", i, proto_.output(i)));
  return ok();
}

void NodeReader::emit(Attributes op, std::vector<TensorId> inputs) {
  if (!has_one_output()) return;
  importer_.node_names.insert(name_);
  auto made = append_node(importer_.graph, name_, std::move(op), std::move(inputs), proto_.output(0));
  if (made)
    importer_.operands[proto_.output(0)] = {.tensor = *made};
  else
    error_ = importer_.wrong(made.error().what);
}

void NodeReader::alias(Operand operand) {
  if (has_one_output()) importer_.operands[proto_.output(0)] = std::move(operand);
}

}  // namespace fye
