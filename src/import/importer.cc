#include "import/importer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "graph/shapes.h"
#include "import/node_order.h"
#include "import/op_table.h"

namespace fye {
namespace {

// onnx 1.22 writes 13; 3 is the first with opset imports.
constexpr int64_t kOldestIr = 3, kNewestIr = 13;
// More inputs than any picture network has; keeps comparisons of all with all cheap.
constexpr int kMaxInputs = 256;

bool is_onnx_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

const OpRow* find_op(std::string_view name) {
  for (const OpRow& row : op_table())
    if (row.name == name) return &row;
  return nullptr;
}

std::string known_ops() {
  std::vector<std::string_view> names;
  for (const OpRow& row : op_table()) names.push_back(row.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Error Importer::wrong(std::string_view reason) const {
  return bad_input(fmt::format("{}: {}", name, reason));
}

Status Importer::check_model(const onnx::ModelProto& model) {
  if (model.ir_version() < kOldestIr || model.ir_version() > kNewestIr)
    return wrong(fmt::format("IR version {}; fye reads {} to {}", model.ir_version(), kOldestIr, kNewestIr));
  if (model.functions_size() > 0)
    return wrong(fmt::format("has functions (\"{}\"), which fye does not read", model.functions(0).name()));
  for (const auto& import : model.opset_import())
    if (is_onnx_domain(import.domain()))
      opset = static_cast<int>(std::clamp<int64_t>(import.version(), 0, 1 << 20));
  if (opset < kOldestOpset || opset > kNewestOpset)
    return wrong(fmt::format("opset {}; fye reads ai.onnx {} to {}", opset, kOldestOpset, kNewestOpset));
  const auto& proto = model.graph();
  if (proto.node_size() == 0) return wrong("the graph has no nodes");
  if (proto.node_size() > limits.nodes)
    return wrong(fmt::format("{} nodes, at most {}", proto.node_size(), limits.nodes));
  if (proto.input_size() > limits.nodes || proto.output_size() > kMaxInputs)
    return wrong(
        fmt::format("{} inputs and {} outputs are too many", proto.input_size(), proto.output_size()));
  if (proto.output_size() == 0) return wrong("the graph has no outputs");
  if (proto.sparse_initializer_size() > 0) return wrong("has sparse initializers, which fye does not read");
  return {};
}

Status Importer::read_initializers(const onnx::GraphProto& proto) {
  for (const auto& tensor : proto.initializer()) {
    auto value = read_value(tensor, folder, limits);
    if (!value) return wrong(fmt::format("initializer \"{}\": {}", tensor.name(), value.error().what));
    operands[tensor.name()] = {.value = std::make_shared<const Value>(*std::move(value))};
  }
  return {};
}

Status Importer::read_inputs(const onnx::GraphProto& proto) {
  for (const auto& input : proto.input()) {
    if (operands.contains(input.name())) continue;  // the initializer is its value
    const auto refused = [&](std::string_view reason) {
      return wrong(fmt::format("input \"{}\": {}", input.name(), reason));
    };
    if (static_cast<int>(graph.inputs.size()) == kMaxInputs) return refused("one of too many");
    if (!input.type().has_tensor_type()) return refused("is no tensor");
    const auto& type = input.type().tensor_type();
    if (!is_float_type(type.elem_type()))
      return refused(fmt::format("takes {}; fye feeds floating point", type_name(type.elem_type())));
    if (!type.has_shape()) return refused("has no shape");
    if (type.shape().dim_size() == 0 || type.shape().dim_size() > kMaxRank)
      return refused(fmt::format("{} dimensions; expected 1 to {}", type.shape().dim_size(), kMaxRank));
    Shape shape;
    for (const auto& dim : type.shape().dim()) {
      if (dim.has_dim_value() && (dim.dim_value() < 1 || dim.dim_value() > kMaxDimension))
        return refused(fmt::format("dimension {}; expected 1 to {}", dim.dim_value(), kMaxDimension));
      shape.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
    }
    graph.inputs.push_back(static_cast<TensorId>(graph.tensors.size()));
    operands[input.name()] = {.tensor = graph.inputs.back()};
    graph.tensors.push_back({input.name(), std::move(shape)});
  }
  if (graph.inputs.empty()) return wrong("the graph has no inputs");
  return {};
}

Status Importer::read_nodes(const onnx::GraphProto& proto) {
  const auto order = node_order(proto);
  if (!order) return wrong(order.error().what);
  for (const int i : *order) {
    const auto& node = proto.node(i);
    NodeReader reader(*this, node);
    const OpRow* row = is_onnx_domain(node.domain()) ? find_op(node.op_type()) : nullptr;
    if (!row) {
      const std::string domain = is_onnx_domain(node.domain()) ? "" : node.domain() + ".";
      const std::string& label = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
      return wrong(fmt::format("unknown op \"{}{}\" (node \"{}\"); fye knows: {}", domain, node.op_type(),
                               label, known_ops()));
    }
    for (const auto& attribute : node.attribute())
      if (!attribute.ref_attr_name().empty()) reader.fail("refers to a function's attribute");
    if (reader.ok()) row->read(reader);
    if (auto status = reader.status(); !status) return status;
  }
  return {};
}

Status Importer::read_outputs(const onnx::GraphProto& proto) {
  for (const auto& output : proto.output()) {
    const auto refused = [&](std::string_view reason) {
      return wrong(fmt::format("output \"{}\": {}", output.name(), reason));
    };
    const auto found = operands.find(output.name());
    if (found == operands.end()) return refused("is computed by no node");
    const Operand& operand = found->second;
    if (operand.tensor == kNone) return refused("is a constant");
    if (operand.quantised) return refused("is quantised; fye gives what DequantizeLinear gives");

    // Where the name is only another one for a tensor (after DequantizeLinear), the tensor takes it.
    Tensor& tensor = graph.tensors[operand.tensor];
    const bool is_input = std::ranges::count(graph.inputs, operand.tensor) > 0;
    if (tensor.name == output.name() || (!is_input && !graph.is_output(operand.tensor))) {
      tensor.name = output.name();
      graph.outputs.push_back(operand.tensor);
      continue;
    }
    const auto id = static_cast<TensorId>(graph.tensors.size());
    graph.tensors.push_back({output.name(), tensor.shape});
    std::string node_name = output.name();
    while (!node_names.insert(node_name).second) node_name += "_";
    graph.nodes.push_back({std::move(node_name), {operand.tensor}, id, Elementwise{}});
    graph.outputs.push_back(id);
  }
  for (const TensorId id : graph.outputs)
    if (std::ranges::count(graph.outputs, id) > 1)
      return wrong(fmt::format("output \"{}\" is listed twice", graph.tensors[id].name));
  return {};
}

Result<Imported> Importer::run(const onnx::ModelProto& model) {
  if (auto status = check_model(model); !status) return status.error();
  const auto& proto = model.graph();
  if (auto status = read_initializers(proto); !status) return status.error();
  if (auto status = read_inputs(proto); !status) return status.error();
  if (auto status = read_nodes(proto); !status) return status.error();
  if (auto status = read_outputs(proto); !status) return status.error();
  for (const auto& entry : model.metadata_props())
    if (entry.key().starts_with("fye.")) graph.metadata[entry.key()] = entry.value();
  if (auto status = validate(graph); !status) return wrong(status.error().what);
  return Imported{std::move(graph), std::nullopt};
}

}  // namespace fye
