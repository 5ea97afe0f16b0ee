// LayerReader: one ncnn layer's inputs, numbers and weights, while it becomes nodes of a graph.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "graph/graph.h"
#include "import/ncnn/param_file.h"
#include "import/ncnn/weight_reader.h"

namespace fye {

// What is known of a model while its layers are read.
struct NcnnModel {
  std::string name;  // for messages
  ImportLimits limits;
  NcnnWeights weights;
  Graph graph;
  std::unordered_map<std::string, TensorId> blobs;
  std::set<std::string> node_names;
  int64_t input_channels = 0;
};

// The first failure sticks and makes all later calls return something harmless; status() reports it with
// model and layer. Numbers that nobody asked for are a failure too: they might change the meaning.
class LayerReader {
 public:
  LayerReader(NcnnModel& model, const NcnnLayer& layer) : model_(model), layer_(layer) {}

  const NcnnLayer& layer() const { return layer_; }
  NcnnModel& model() { return model_; }

  TensorId input(int i);
  std::vector<TensorId> inputs();
  // Channels of a map; a failure if they are not known.
  int64_t channels(TensorId tensor);

  // A whole number 0..kMaxAttribute; `fallback` if the key is absent.
  int whole(int key, int fallback);
  double number(int key, double fallback);
  std::vector<double> numbers(int key);
  // A failure unless the key is absent or has this value: what fye can't do.
  void must_be(int key, double value, std::string_view what);

  // Weights, the next ones in the file; after a failure as many zeros, if that is few.
  std::vector<float> tagged(int64_t count);
  std::vector<float> plain(int64_t count);
  ConstantId constant(Shape shape, std::vector<float> values);

  // A node whose output is this layer's blob, or, for all but the last node of a layer, a tensor of its own.
  TensorId emit(Attributes op, std::vector<TensorId> inputs);
  TensorId emit_inner(Attributes op, std::vector<TensorId> inputs);
  // Output `i` is another name for the tensor.
  void alias(int i, TensorId tensor);

  void fail(std::string_view reason, std::string_view hint = {});
  bool ok() const { return !error_; }
  Status status();

 private:
  std::vector<float> next(int64_t count, Result<std::vector<float>> (NcnnWeights::*read)(int64_t));
  TensorId add_node(std::string tensor, Attributes op, std::vector<TensorId> inputs);

  NcnnModel& model_;
  const NcnnLayer& layer_;
  std::set<int> asked_;
  std::optional<Error> error_;
};

}  // namespace fye
