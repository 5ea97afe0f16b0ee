// ONNX's shape rules for what Graph can hold. Each op is one overload that returns an empty optional and
// fills `why` if the inputs do not fit; infer_node() adds the node's name. Tested by shapes_test.cc.
#include "graph/shapes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fye {
namespace {

using Rule = Result<Shape>;

// Dimensions agree, or one is unknown.
bool same(int64_t a, int64_t b) { return a == b || a < 0 || b < 0; }

bool compatible(const Shape& a, const Shape& b) {
  return std::ranges::equal(a, b, [](int64_t x, int64_t y) { return same(x, y); });
}

Error unfit(std::string text) { return bad_input(std::move(text)); }

// Positions of a window that moves over `in` elements; ceil counts a last partial window, but never one that
// would start in the end padding.
int64_t windows(int64_t in, int kernel, int stride, int dilation, int begin, int end, bool ceil) {
  if (in < 0) return -1;
  const int64_t span = int64_t{kernel - 1} * dilation + 1, room = in + begin + end - span;
  if (room < 0) return 0;
  if (!ceil) return room / stride + 1;
  const int64_t count = (room + stride - 1) / stride + 1;
  return (count - 1) * stride >= in + begin ? count - 1 : count;
}

// numpy-style broadcast; empty optional as error.
Rule broadcast(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t x = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    const int64_t y = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    if (x != y && x > 1 && y > 1)
      return unfit(fmt::format("shapes {} and {} can't be combined", to_text(a), to_text(b)));
    out[i] = x == 1 ? y : y == 1 ? x : std::max(x, y);
  }
  return out;
}

struct RuleOf {
  const Graph& graph;
  std::span<const Shape> in;

  const Shape& weight(ConstantId id) const { return graph.constants[id].shape; }

  std::optional<Error> rank_is(size_t rank) const {
    if (in[0].size() == rank) return {};
    return unfit(fmt::format("input {} has {} dimensions, expected {}", to_text(in[0]), in[0].size(), rank));
  }
  std::optional<Error> channels_are(int64_t channels) const {
    if (same(in[0][1], channels)) return {};
    return unfit(
        fmt::format("input {} has {} channels, the weights take {}", to_text(in[0]), in[0][1], channels));
  }
  // Errors if a spatial dimension vanished.
  Rule map(int64_t n, int64_t c, int64_t h, int64_t w) const {
    if (h != 0 && w != 0) return Shape{n, c, h, w};
    return unfit(fmt::format("input {} is smaller than the kernel", to_text(in[0])));
  }

  Rule operator()(const Conv& op) const {
    const Shape& w = weight(op.weight);
    if (auto error = rank_is(4)) return *error;
    if (auto error = channels_are(w[1] * op.group)) return *error;
    auto out =
        map(in[0][0], w[0],
            windows(in[0][2], op.kernel_h, op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom, false),
            windows(in[0][3], op.kernel_w, op.stride_w, op.dilation_w, op.pad_left, op.pad_right, false));
    if (!out || in.size() < 2) return out;
    Shape residual = *out;
    residual[1] /= op.residual_repeat;
    if (in[1].size() != 4 || !compatible(in[1], residual))
      return unfit(fmt::format("residual {} does not fit, expected {}", to_text(in[1]), to_text(residual)));
    return out;
  }
  Rule operator()(const ConvTranspose& op) const {
    const Shape& w = weight(op.weight);
    if (auto error = rank_is(4)) return *error;
    if (auto error = channels_are(w[0])) return *error;
    const auto grown = [](int64_t size, int kernel, int stride, int dilation, int begin, int end, int extra) {
      return size < 0 ? -1
                      : std::max<int64_t>(0, (size - 1) * stride + int64_t{kernel - 1} * dilation + 1 -
                                                 begin - end + extra);
    };
    return map(
        in[0][0], w[1] * op.group,
        grown(in[0][2], op.kernel_h, op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom, op.output_pad_h),
        grown(in[0][3], op.kernel_w, op.stride_w, op.dilation_w, op.pad_left, op.pad_right, op.output_pad_w));
  }
  Rule operator()(const Elementwise& op) const {
    if (op.act.kind != Activation::Kind::prelu) return in[0];
    if (in[0].size() < 2 || !same(in[0][1], static_cast<int64_t>(op.act.slope.size())))
      return unfit(fmt::format("{} slopes for an input {}", op.act.slope.size(), to_text(in[0])));
    return in[0];
  }
  Rule operator()(const Binary& op) const {
    return broadcast(in[0], op.constant == kNone ? in[1] : graph.constants[op.constant].shape);
  }
  Rule operator()(const Concat& op) const {
    Shape out = in[0];
    if (op.axis < 0 || op.axis >= static_cast<int>(out.size()))
      return unfit(fmt::format("axis {} of an input {}", op.axis, to_text(out)));
    for (const Shape& next : in.subspan(1)) {
      Shape expected = out;
      if (next.size() == out.size()) expected[op.axis] = next[op.axis];
      if (next.size() != out.size() || !compatible(next, expected))
        return unfit(fmt::format("inputs {} and {} can't be joined along axis {}", to_text(in[0]),
                                 to_text(next), op.axis));
      for (size_t i = 0; i < out.size(); ++i)
        if (static_cast<int>(i) != op.axis) out[i] = std::max(out[i], next[i]);
      out[op.axis] = out[op.axis] < 0 || next[op.axis] < 0 ? -1 : out[op.axis] + next[op.axis];
    }
    return out;
  }
  Rule operator()(const DepthToSpace& op) const {
    if (auto error = rank_is(4)) return *error;
    const int64_t cell = int64_t{op.block} * op.block, c = in[0][1];
    if (c >= 0 && c % cell != 0)
      return unfit(fmt::format("{} channels are no multiple of block {} squared", c, op.block));
    const auto times = [&](int64_t dim) { return dim < 0 ? -1 : dim * op.block; };
    return Shape{in[0][0], c < 0 ? -1 : c / cell, times(in[0][2]), times(in[0][3])};
  }
  Rule operator()(const Resize& op) const {
    if (auto error = rank_is(4)) return *error;
    const auto times = [](int64_t dim, int factor) { return dim < 0 ? -1 : dim * factor; };
    return Shape{in[0][0], in[0][1], times(in[0][2], op.factor_h), times(in[0][3], op.factor_w)};
  }
  Rule operator()(const Pool& op) const {
    if (auto error = rank_is(4)) return *error;
    return map(
        in[0][0], in[0][1],
        windows(in[0][2], op.kernel_h, op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom, op.ceil_mode),
        windows(in[0][3], op.kernel_w, op.stride_w, op.dilation_w, op.pad_left, op.pad_right, op.ceil_mode));
  }
  Rule operator()(const GlobalAveragePool&) const {
    if (auto error = rank_is(4)) return *error;
    return Shape{in[0][0], in[0][1], 1, 1};
  }
  Rule operator()(const Gemm& op) const {
    if (auto error = rank_is(2)) return *error;
    const Shape& w = weight(op.weight);
    const int64_t k = in[0][op.trans_a ? 0 : 1], rows = in[0][op.trans_a ? 1 : 0];
    if (!same(k, w[op.trans_b ? 1 : 0]))
      return unfit(fmt::format("input {} does not fit weights {}{}", to_text(in[0]), to_text(w),
                               op.trans_b ? " (transposed)" : ""));
    return Shape{rows, w[op.trans_b ? 0 : 1]};
  }
  Rule operator()(const Reshape& op) const {
    return op.target.empty() ? flatten(op.axis) : reshape(op.target);
  }
  Rule operator()(const Softmax& op) const {
    if (op.axis >= -static_cast<int>(in[0].size()) && op.axis < static_cast<int>(in[0].size())) return in[0];
    return unfit(fmt::format("axis {} of an input {}", op.axis, to_text(in[0])));
  }
  Rule operator()(const Affine& op) const {
    if (in[0].size() >= 2 && same(in[0][1], static_cast<int64_t>(op.scale.size()))) return in[0];
    return unfit(fmt::format("{} channel constants for an input {}", op.scale.size(), to_text(in[0])));
  }

  Rule flatten(int axis) const {
    const Shape& shape = in[0];
    if (axis < 0 || axis > static_cast<int>(shape.size()))
      return unfit(fmt::format("axis {} of an input {}", axis, to_text(shape)));
    return Shape{element_count({shape.begin(), shape.begin() + axis}),
                 element_count({shape.begin() + axis, shape.end()})};
  }
  Rule reshape(const Shape& target) const {
    const int64_t total = element_count(in[0]);
    Shape out = target;
    int64_t known = 1;
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i] == 0) {
        if (i >= in[0].size())
          return unfit(fmt::format("{} copies a dimension that {} lacks", to_text(target), to_text(in[0])));
        out[i] = in[0][i];
        if (out[i] < 0) known = -1;
      }
      if (known > 0 && out[i] > 0 && __builtin_mul_overflow(known, out[i], &known)) known = 0;
    }
    const auto free = std::ranges::find(target, -1);
    if (total < 0 || known < 0) return out;
    const bool fits = known > 0 && (free == target.end() ? known == total : total % known == 0);
    if (!fits)
      return unfit(fmt::format("{} elements of {} can't become {}", total, to_text(in[0]), to_text(target)));
    if (free != target.end()) out[free - target.begin()] = total / known;
    return out;
  }
};

}  // namespace

std::string to_text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ",")); }

Result<Shape> infer_node(const Graph& graph, const Node& node, std::span<const Shape> inputs) {
  auto shape = std::visit(RuleOf{graph, inputs}, node.op);
  if (!shape)
    return bad_input(fmt::format("node \"{}\" ({}): {}", node.name, op_name(node), shape.error().what));
  int64_t known = 1;
  for (const int64_t dim : *shape)
    if (dim >= 0 &&
        (__builtin_mul_overflow(known, std::max<int64_t>(dim, 1), &known) || known > kMaxElements))
      return bad_input(fmt::format("node \"{}\" ({}): output {} is beyond 2^40 elements", node.name,
                                   op_name(node), to_text(*shape)));
  return shape;
}

Result<std::vector<Shape>> infer_shapes(const Graph& graph, const std::vector<Shape>& inputs) {
  if (inputs.size() != graph.inputs.size())
    return bad_input(fmt::format("{} input shapes for {} inputs", inputs.size(), graph.inputs.size()));
  std::vector<Shape> shapes(graph.tensors.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[graph.inputs[i]];
    const bool channels_fit = inputs[i].size() == tensor.shape.size() &&
                              (inputs[i].size() < 2 || same(inputs[i][1], tensor.shape[1]));
    int64_t known = 1;
    for (const int64_t dim : inputs[i])
      if (dim == 0 || dim < -1 ||
          (dim > 0 && (__builtin_mul_overflow(known, dim, &known) || known > kMaxElements)))
        return bad_input(fmt::format("input \"{}\": impossible shape {}", tensor.name, to_text(inputs[i])));
    if (!channels_fit)
      return bad_input(fmt::format("input \"{}\": got {}, expected {}", tensor.name, to_text(inputs[i]),
                                   to_text(tensor.shape)));
    shapes[graph.inputs[i]] = inputs[i];
  }
  for (const Node& node : graph.nodes) {
    std::vector<Shape> in;
    for (const TensorId id : node.inputs) in.push_back(shapes[id]);
    auto shape = infer_node(graph, node, in);
    if (!shape) return shape.error();
    shapes[node.output] = *std::move(shape);
  }
  return shapes;
}

}  // namespace fye
