// Importer: what is known of a model while its nodes become graph nodes, and NodeReader, one node's operands
// and attributes.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "import/value.h"

namespace fye {

// Integer weights behind a dequantised constant (qdq.cc).
struct IntegerWeights {
  std::vector<int8_t> values;
  std::vector<float> scale;  // one, or one per index of `axis`
  int axis = 0;
  std::string unfit;  // why they can't be fye's int8 weights; empty if they can
};

// What a name of the model stands for: a tensor of the graph, or a constant. `quantised`: between
// QuantizeLinear and DequantizeLinear, where only DequantizeLinear may read it.
struct Operand {
  TensorId tensor = kNone;
  std::shared_ptr<const Value> value;
  std::shared_ptr<const IntegerWeights> integers;
  bool quantised = false;
  Quant quant;
};

// Attribute values with their name in the file, and defaults for those that lack. The first failure sticks
// and makes all later calls return something harmless; status() reports it, with model and node. Attributes
// that nobody asked for are a failure too: they might change the meaning.
class NodeReader {
 public:
  NodeReader(class Importer& importer, const onnx::NodeProto& proto);

  const std::string& op() const { return proto_.op_type(); }
  int opset() const;

  // Operand `i`. An input that is missing or of the other kind is a failure (value: returns an empty Value;
  // shape: of 4 unknown dimensions).
  int input_count() const { return proto_.input_size(); }
  bool has(int i) const { return i < proto_.input_size() && !proto_.input(i).empty(); }
  const Operand* operand(int i);
  bool is_tensor(int i);
  TensorId tensor(int i);
  const Shape& shape(int i);  // of a tensor
  const Value& value(int i);
  const std::vector<float>& floats(int i);  // of a constant of floating point
  const std::vector<int64_t>& ints(int i);  // of a constant of whole numbers

  int64_t int_attribute(const std::string& name, int64_t fallback);
  float float_attribute(const std::string& name, float fallback);
  std::string string_attribute(const std::string& name, const std::string& fallback);
  std::vector<int64_t> ints_attribute(const std::string& name, std::vector<int64_t> fallback);
  const onnx::AttributeProto* attribute(const std::string& name);  // null if absent
  // For small counts: kernel sizes, groups, blocks; a failure outside 0..kMaxAttribute.
  int small_attribute(const std::string& name, int fallback);
  std::vector<int> small_attributes(const std::string& name, std::vector<int> fallback);

  // Notes that `elements` values will be made for this node; a failure if the whole model's exceed the limit.
  // A file can ask for copies of one tensor, or of one number, as often as it has nodes.
  bool charge(int64_t elements);

  // A constant of the graph; a failure if it is empty or not finite. Charged.
  ConstantId constant(Shape shape, std::vector<float> values);

  // Records integer weights of operand `i` for the node made next, if it has them; a failure if they can't be
  // used.
  void integer_weights(int i, int channel_axis, int64_t channels);

  // A tensor attribute's value.
  std::shared_ptr<const Value> decode(const onnx::TensorProto& tensor);

  // `tensor` is stored with this quantisation; a failure if another one was noted before.
  void note_quant(TensorId tensor, const Quant& quant);

  // The node's only output is this op of the graph / stands for this.
  void emit(Attributes op, std::vector<TensorId> inputs);
  void alias(Operand operand);

  void fail(std::string_view reason);
  bool ok() const { return !error_; }
  Status status();

 private:
  const onnx::AttributeProto* typed(const std::string& name, onnx::AttributeProto::AttributeType type);
  bool has_one_output();

  Importer& importer_;
  const onnx::NodeProto& proto_;
  std::string name_;  // of the graph's node
  std::set<std::string> asked_;
  std::optional<Error> error_;
};

class Importer {
 public:
  // `model_name` is used in errors; external data may lie in `data_folder`.
  Importer(std::string_view model_name, std::filesystem::path data_folder, const ImportLimits& given)
      : name(model_name), folder(std::move(data_folder)), limits(given) {}

  Result<Imported> run(const onnx::ModelProto& model);

  // "file: reason"
  Error wrong(std::string_view reason) const;

  std::string name;
  std::filesystem::path folder;
  ImportLimits limits;
  int opset = 0;
  int64_t charged = 0;  // NodeReader::charge
  Graph graph;
  std::unordered_map<std::string, Operand> operands;
  std::map<TensorId, Quant> quants;                // of graph's tensors
  std::map<std::string, IntegerWeights> integers;  // by node name
  std::set<std::string> node_names;

 private:
  Status check_model(const onnx::ModelProto& model);
  Status read_initializers(const onnx::GraphProto& proto);
  Status read_inputs(const onnx::GraphProto& proto);
  Status read_nodes(const onnx::GraphProto& proto);
  Status read_outputs(const onnx::GraphProto& proto);
};

}  // namespace fye
