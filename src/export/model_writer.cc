#include "export/model_writer.h"

#include <fmt/format.h>

#include <bit>
#include <climits>

namespace fye {
namespace {

// raw_data is little-endian by ONNX's definition; so is every machine that fye runs on.
static_assert(std::endian::native == std::endian::little);

constexpr int kIrVersion = 8, kOpset = 17;

void describe(onnx::ValueInfoProto& info, const Tensor& tensor) {
  // Dimensions that are free get one name a tensor and axis, so that nothing is claimed about their being
  // equal.
  static constexpr const char* kAxes[] = {"n", "c", "h", "w"};
  info.set_name(tensor.name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  auto& shape = *type.mutable_shape();
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    auto& dim = *shape.add_dim();
    if (tensor.shape[i] >= 0)
      dim.set_dim_value(tensor.shape[i]);
    else
      dim.set_dim_param(fmt::format("{}.{}", tensor.name, i < 4 ? kAxes[i] : std::to_string(i)));
  }
}

onnx::AttributeProto& attribute(onnx::NodeProto& node, const std::string& name,
                                onnx::AttributeProto::AttributeType type) {
  auto& made = *node.add_attribute();
  made.set_name(name);
  made.set_type(type);
  return made;
}

}  // namespace

ModelWriter::ModelWriter(const Graph& graph) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("fye");
  auto& opset = *model_.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  auto& out = *model_.mutable_graph();
  out.set_name("graph");
  for (const TensorId id : graph.inputs) describe(*out.add_input(), graph.tensors[id]);
  for (const TensorId id : graph.outputs) describe(*out.add_output(), graph.tensors[id]);
  for (const auto& [key, value] : graph.metadata) {
    auto& entry = *model_.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  for (const Tensor& tensor : graph.tensors) taken_.insert(tensor.name);
  for (const Node& node : graph.nodes) taken_.insert(node.name);
}

std::string ModelWriter::fresh(std::string name) {
  while (!taken_.insert(name).second) name += "_";
  return name;
}

onnx::NodeProto& ModelWriter::node(const std::string& op, const std::string& name,
                                   const std::vector<std::string>& inputs, const std::string& output) {
  auto& made = *model_.mutable_graph()->add_node();
  made.set_op_type(op);
  made.set_name(name);
  for (const std::string& input : inputs) made.add_input(input);
  made.add_output(output);
  return made;
}

onnx::TensorProto& ModelWriter::initializer(const std::string& name, const Shape& shape, int type,
                                            const void* data, size_t bytes) {
  auto& made = *model_.mutable_graph()->add_initializer();
  made.set_name(fresh(name));
  made.set_data_type(type);
  for (const int64_t dim : shape) made.add_dims(dim);
  made.set_raw_data(data, bytes);
  return made;
}

std::string ModelWriter::floats(const std::string& name, const Shape& shape, std::span<const float> values) {
  return initializer(name, shape, onnx::TensorProto::FLOAT, values.data(), values.size_bytes()).name();
}
std::string ModelWriter::int64s(const std::string& name, std::span<const int64_t> values) {
  return initializer(name, {std::ssize(values)}, onnx::TensorProto::INT64, values.data(), values.size_bytes())
      .name();
}
std::string ModelWriter::int32s(const std::string& name, const Shape& shape,
                                std::span<const int32_t> values) {
  return initializer(name, shape, onnx::TensorProto::INT32, values.data(), values.size_bytes()).name();
}
std::string ModelWriter::int8s(const std::string& name, const Shape& shape, std::span<const int8_t> values) {
  return initializer(name, shape, onnx::TensorProto::INT8, values.data(), values.size_bytes()).name();
}
std::string ModelWriter::uint8(const std::string& name, uint8_t value) {
  return initializer(name, {}, onnx::TensorProto::UINT8, &value, 1).name();
}

Result<std::string> ModelWriter::finish() const {
  if (model_.ByteSizeLong() > INT_MAX)
    return bad_input(fmt::format("the model takes {} bytes; an ONNX file without external data holds 2 GB",
                                 model_.ByteSizeLong()));
  return model_.SerializeAsString();
}

void set_int(onnx::NodeProto& node, const std::string& name, int64_t value) {
  attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}
void set_ints(onnx::NodeProto& node, const std::string& name, std::initializer_list<int64_t> values) {
  auto& made = attribute(node, name, onnx::AttributeProto::INTS);
  for (const int64_t value : values) made.add_ints(value);
}
void set_float(onnx::NodeProto& node, const std::string& name, float value) {
  attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}
void set_string(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

}  // namespace fye
