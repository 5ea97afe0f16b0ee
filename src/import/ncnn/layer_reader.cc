#include "import/ncnn/layer_reader.h"

#include <fmt/format.h>

#include <cmath>

#include "graph/append.h"
#include "graph/shapes.h"

namespace fye {

void LayerReader::fail(std::string_view reason, std::string_view hint) {
  if (error_) return;
  error_ = bad_input(fmt::format("{}: layer \"{}\" ({}): {}", model_.name, layer_.name, layer_.type, reason),
                     std::string(hint));
}

Status LayerReader::status() {
  for (const auto& [key, values] : layer_.numbers)
    if (!asked_.contains(key)) fail(fmt::format("has number {}, which fye does not know", key));
  if (error_) return *error_;
  return {};
}

TensorId LayerReader::input(int i) {
  if (i >= std::ssize(layer_.in)) {
    fail(fmt::format("has {} inputs, expected {}", layer_.in.size(), i + 1));
    return 0;
  }
  const auto found = model_.blobs.find(layer_.in[size_t(i)]);
  if (found != model_.blobs.end()) return found->second;
  fail(fmt::format("reads \"{}\", which no layer before it writes", layer_.in[size_t(i)]));
  return 0;
}

std::vector<TensorId> LayerReader::inputs() {
  std::vector<TensorId> all;
  for (int i = 0; i < std::ssize(layer_.in); ++i) all.push_back(input(i));
  return all;
}

int64_t LayerReader::channels(TensorId tensor) {
  if (!ok()) return 1;
  const Shape& shape = model_.graph.tensors[size_t(tensor)].shape;
  if (shape.size() == 4 && shape[1] > 0) return shape[1];
  fail(fmt::format("input {} is no map of known channels", to_text(shape)));
  return 1;
}

std::vector<double> LayerReader::numbers(int key) {
  asked_.insert(key);
  const auto found = layer_.numbers.find(key);
  return found == layer_.numbers.end() ? std::vector<double>{} : found->second;
}

double LayerReader::number(int key, double fallback) {
  const auto values = numbers(key);
  if (values.size() > 1) fail(fmt::format("number {} is an array", key));
  return values.empty() ? fallback : values[0];
}

int LayerReader::whole(int key, int fallback) {
  const double value = number(key, fallback);
  if (value >= 0 && value <= kMaxAttribute && value == std::floor(value)) return int(value);
  fail(fmt::format("number {} is {}; expected a whole number 0..{}", key, value, kMaxAttribute));
  return fallback;
}

void LayerReader::must_be(int key, double value, std::string_view what) {
  if (const double got = number(key, value); got != value)
    fail(fmt::format("{} is {} (number {}); fye knows {}", what, got, key, value));
}

std::vector<float> LayerReader::next(int64_t count,
                                     Result<std::vector<float>> (NcnnWeights::*read)(int64_t)) {
  if (count < 1 || count > model_.limits.elements) fail(fmt::format("{} weights", count));
  if (ok()) {
    auto values = (model_.weights.*read)(count);
    if (values) return *std::move(values);
    fail(values.error().what, values.error().hint);
  }
  return std::vector<float>(size_t(count > 0 && count <= kMaxAttribute ? count : 1));
}

std::vector<float> LayerReader::tagged(int64_t count) { return next(count, &NcnnWeights::tagged); }
std::vector<float> LayerReader::plain(int64_t count) { return next(count, &NcnnWeights::plain); }

ConstantId LayerReader::constant(Shape shape, std::vector<float> values) {
  if (!ok()) return kNone;
  if (element_count(shape) != std::ssize(values)) {
    fail(fmt::format("{} weights don't fill {}", values.size(), to_text(shape)));
    return kNone;
  }
  model_.graph.constants.push_back({std::move(shape), std::move(values)});
  return ConstantId(model_.graph.constants.size()) - 1;
}

TensorId LayerReader::add_node(std::string tensor, Attributes op, std::vector<TensorId> inputs) {
  if (!ok()) return 0;
  std::string name = layer_.name;
  while (!model_.node_names.insert(name).second) name += "_";
  auto made = append_node(model_.graph, std::move(name), std::move(op), std::move(inputs), std::move(tensor));
  if (made) return *made;
  fail(made.error().what);
  return 0;
}

TensorId LayerReader::emit_inner(Attributes op, std::vector<TensorId> inputs) {
  return add_node(fmt::format("{}.{}", layer_.name, model_.graph.tensors.size()), std::move(op),
                  std::move(inputs));
}

TensorId LayerReader::emit(Attributes op, std::vector<TensorId> inputs) {
  if (layer_.out.size() != 1) fail(fmt::format("has {} outputs, expected 1", layer_.out.size()));
  if (!ok()) return 0;
  const TensorId made = add_node(layer_.out[0], std::move(op), std::move(inputs));
  alias(0, made);
  return made;
}

void LayerReader::alias(int i, TensorId tensor) {
  if (i >= std::ssize(layer_.out)) fail(fmt::format("has {} outputs, expected {}", layer_.out.size(), i + 1));
  if (!ok()) return;
  if (!model_.blobs.emplace(layer_.out[size_t(i)], tensor).second)
    fail(fmt::format("writes \"{}\", which a layer before it has written", layer_.out[size_t(i)]));
}

}  // namespace fye
