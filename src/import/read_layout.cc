// Ops that move elements: Concat, Tile along channels, DepthToSpace, SpaceToDepth, Flatten, Reshape.
#include <fmt/format.h>

#include <algorithm>

#include "graph/shapes.h"
#include "import/op_table.h"

namespace fye {
namespace {

// `axis` made 0..rank - 1 (or rank, for Flatten).
int normal_axis(NodeReader& node, int64_t axis, int64_t rank, int64_t most) {
  if (node.ok() && (axis < -rank || axis > most))
    node.fail(fmt::format("axis {} of an input of {} dimensions", axis, rank));
  return static_cast<int>(node.ok() ? (axis < 0 ? axis + rank : axis) : 0);
}

// Copies that Tile may make at most of one map; ABPN x4 makes 16.
constexpr int64_t kMaxCopies = 4096;
// Weights that SpaceToDepth may become.
constexpr int64_t kMaxSelection = int64_t{1} << 22;

}  // namespace

void read_concat(NodeReader& node) {
  if (!node.attribute("axis")) node.fail("has no axis");
  std::vector<TensorId> inputs;
  for (int i = 0; i < node.input_count(); ++i) inputs.push_back(node.tensor(i));
  if (inputs.empty()) node.fail("has no inputs");
  const auto rank = static_cast<int64_t>(node.shape(0).size());
  const int axis = normal_axis(node, node.int_attribute("axis", 0), rank, rank - 1);
  node.emit(Concat{axis}, std::move(inputs));
}

void read_tile(NodeReader& node) {
  const auto& repeats = node.ints(1);
  const Shape& shape = node.shape(0);
  if (!node.ok()) return;
  if (repeats.size() != shape.size())
    return node.fail(fmt::format("{} repeats for an input {}", repeats.size(), to_text(shape)));
  for (size_t i = 0; i < repeats.size(); ++i)
    if (repeats[i] < 1 || repeats[i] > (i == 1 ? kMaxCopies : 1))
      return node.fail(
          fmt::format("repeats {}; fye knows repeated channels (axis 1) alone", to_text(repeats)));
  const int64_t copies = repeats.size() > 1 ? repeats[1] : 1;
  node.emit(Concat{1}, std::vector<TensorId>(static_cast<size_t>(copies), node.tensor(0)));
}

void read_depth_to_space(NodeReader& node) {
  if (!node.attribute("blocksize")) node.fail("has no blocksize");
  DepthToSpace op{.block = node.small_attribute("blocksize", 1)};
  const std::string mode = node.string_attribute("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") node.fail(fmt::format("mode \"{}\"; expected DCR or CRD", mode));
  op.crd = mode == "CRD";
  node.emit(op, {node.tensor(0)});
}

// A convolution of stride and kernel `block` whose weights pick one element each: output channel (dy * b +
// dx) * C + c takes channel c of pixel (dy, dx) of the cell.
void read_space_to_depth(NodeReader& node) {
  if (!node.attribute("blocksize")) node.fail("has no blocksize");
  const int block = node.small_attribute("blocksize", 1);
  const Shape shape = node.shape(0);
  if (node.ok() && (shape.size() != 4 || shape[1] < 1))
    node.fail(fmt::format("input {} is no map of known channels", to_text(shape)));
  if (node.ok() && block < 1) node.fail("blocksize is 0");
  if (!node.ok()) return;
  const int64_t channels = shape[1], cell = int64_t{block} * block;
  if (channels > kMaxSelection || channels * channels * cell > kMaxSelection / cell)
    return node.fail(fmt::format("blocksize {} for {} channels is too large", block, channels));
  for (const int64_t size : {shape[2], shape[3]})
    if (size > 0 && size % block != 0)
      return node.fail(fmt::format("input {} is no multiple of blocksize {}", to_text(shape), block));
  if (!node.charge(channels * channels * cell * cell)) return;
  std::vector<float> weight(static_cast<size_t>(channels * channels * cell * cell));
  for (int64_t out = 0; out < channels * cell; ++out)
    weight[static_cast<size_t>((out * channels + out % channels) * cell + out / channels)] = 1;
  Conv op{.kernel_h = block, .kernel_w = block, .stride_h = block, .stride_w = block};
  op.weight = node.constant({channels * cell, channels, block, block}, std::move(weight));
  node.emit(op, {node.tensor(0)});
}

void read_flatten(NodeReader& node) {
  const auto rank = static_cast<int64_t>(node.shape(0).size());
  const int axis = normal_axis(node, node.int_attribute("axis", 1), rank, rank);
  node.emit(Reshape{{}, axis}, {node.tensor(0)});
}

void read_reshape(NodeReader& node) {
  Reshape op{.target = node.ints(1)};
  const bool zero_is_zero = node.int_attribute("allowzero", 0) != 0;
  if (!node.ok()) return;
  if (op.target.empty() || op.target.size() > kMaxRank || node.value(1).shape.size() != 1)
    return node.fail(fmt::format("target {}; expected 1 to {} dimensions", to_text(op.target), kMaxRank));
  if (zero_is_zero && std::ranges::count(op.target, 0) > 0)
    return node.fail("target with a dimension of 0 elements");
  if (std::ranges::any_of(op.target, [](int64_t dim) { return dim > kMaxElements; }))
    return node.fail(fmt::format("target {} is too large", to_text(op.target)));
  node.emit(op, {node.tensor(0)});
}

}  // namespace fye
