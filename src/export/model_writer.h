// ModelWriter: builds one ONNX model; names that are not the graph's own never collide with it.
#pragma once

#include <onnx/onnx_pb.h>

#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/graph.h"

namespace fye {

class ModelWriter {
 public:
  // Takes the graph's names, and writes its inputs, outputs and metadata.
  explicit ModelWriter(const Graph& graph);

  // A name made of these that nothing else has.
  std::string fresh(std::string name);

  // The reference stays valid until the next node.
  onnx::NodeProto& node(const std::string& op, const std::string& name,
                        const std::vector<std::string>& inputs, const std::string& output);

  // Initializers; each returns the name it really has. An empty shape is a scalar.
  std::string floats(const std::string& name, const Shape& shape, std::span<const float> values);
  std::string int64s(const std::string& name, std::span<const int64_t> values);
  std::string int32s(const std::string& name, const Shape& shape, std::span<const int32_t> values);
  std::string int8s(const std::string& name, const Shape& shape, std::span<const int8_t> values);
  std::string uint8(const std::string& name, uint8_t value);

  // The model's bytes; the same for the same calls. Error: more than protobuf's 2 GB.
  Result<std::string> finish() const;

 private:
  onnx::TensorProto& initializer(const std::string& name, const Shape& shape, int type, const void* data,
                                 size_t bytes);

  onnx::ModelProto model_;
  std::set<std::string> taken_;
};

void set_int(onnx::NodeProto& node, const std::string& name, int64_t value);
void set_ints(onnx::NodeProto& node, const std::string& name, std::initializer_list<int64_t> values);
void set_float(onnx::NodeProto& node, const std::string& name, float value);
void set_string(onnx::NodeProto& node, const std::string& name, const std::string& value);

}  // namespace fye
