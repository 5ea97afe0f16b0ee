// Small ONNX models made in memory, for tests.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "graph/tensor.h"
#include "import/onnx_import.h"

namespace fye {

// A model with input "x" [1, 4, 8, 9]; add nodes, then name the output.
struct TestModel {
  onnx::ModelProto model;

  TestModel() {
    model.set_ir_version(8);
    auto& opset = *model.add_opset_import();
    opset.set_version(17);
    input("x", {1, 4, 8, 9});
  }
  onnx::GraphProto& graph() { return *model.mutable_graph(); }

  onnx::ValueInfoProto& input(const std::string& name, const Shape& shape,
                              int type = onnx::TensorProto::FLOAT) {
    return describe(*graph().add_input(), name, shape, type);
  }
  TestModel& output(const std::string& name) {
    describe(*graph().add_output(), name, {}, onnx::TensorProto::FLOAT);
    return *this;
  }
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::string& output) {
    auto& made = *graph().add_node();
    made.set_op_type(op);
    made.set_name(output + "_node");
    for (const std::string& name : inputs) made.add_input(name);
    made.add_output(output);
    return made;
  }
  onnx::TensorProto& initializer(const std::string& name, const Shape& shape, int type) {
    auto& made = *graph().add_initializer();
    made.set_name(name);
    made.set_data_type(type);
    for (const int64_t dim : shape) made.add_dims(dim);
    return made;
  }
  std::string floats(const std::string& name, const Shape& shape, const std::vector<float>& values) {
    auto& made = initializer(name, shape, onnx::TensorProto::FLOAT);
    for (const float v : values) made.add_float_data(v);
    return name;
  }
  std::string filled(const std::string& name, const Shape& shape, float value) {
    return floats(name, shape, std::vector<float>(static_cast<size_t>(element_count(shape)), value));
  }
  std::string int64s(const std::string& name, const std::vector<int64_t>& values) {
    auto& made = initializer(name, {std::ssize(values)}, onnx::TensorProto::INT64);
    for (const int64_t v : values) made.add_int64_data(v);
    return name;
  }
  // Small integers of any type that lives in int32_data.
  std::string codes(const std::string& name, const Shape& shape, int type, const std::vector<int>& values) {
    auto& made = initializer(name, shape, type);
    for (const int v : values) made.add_int32_data(v);
    return name;
  }
  // A 3x3 convolution of `from` with 4 channels in and `out` out, padding 1, named `to`.
  onnx::NodeProto& conv(const std::string& from, const std::string& to, int64_t out = 4) {
    auto& made =
        node("Conv", {from, filled(to + "_w", {out, 4, 3, 3}, 0.1f), filled(to + "_b", {out}, 1.0f)}, to);
    ints(made, "pads", {1, 1, 1, 1});
    return made;
  }
  Result<Imported> import(const std::filesystem::path& folder = {}, const ImportLimits& limits = {}) const {
    return import_onnx_bytes(model.SerializeAsString(), "test.onnx", folder, limits);
  }

  static onnx::AttributeProto& attribute(onnx::NodeProto& node, const std::string& name,
                                         onnx::AttributeProto::AttributeType type) {
    auto& made = *node.add_attribute();
    made.set_name(name);
    made.set_type(type);
    return made;
  }
  static void ints(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
    auto& made = attribute(node, name, onnx::AttributeProto::INTS);
    for (const int64_t v : values) made.add_ints(v);
  }
  static void integer(onnx::NodeProto& node, const std::string& name, int64_t value) {
    attribute(node, name, onnx::AttributeProto::INT).set_i(value);
  }
  static void number(onnx::NodeProto& node, const std::string& name, float value) {
    attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
  }
  static void text(onnx::NodeProto& node, const std::string& name, const std::string& value) {
    attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
  }

 private:
  static onnx::ValueInfoProto& describe(onnx::ValueInfoProto& info, const std::string& name,
                                        const Shape& shape, int type) {
    info.set_name(name);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    for (const int64_t dim : shape) {
      auto& made = *tensor.mutable_shape()->add_dim();
      if (dim != -1) made.set_dim_value(dim);
    }
    return info;
  }
};

// x -> conv "a" -> relu "y".
inline TestModel good_model() {
  TestModel model;
  model.conv("x", "a");
  model.node("Relu", {"a"}, "y");
  model.output("y");
  return model;
}

}  // namespace fye
