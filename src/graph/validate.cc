// What must hold for a Graph before anything computes with it; shapes.cc and the kernels rely on it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "graph/graph.h"
#include "graph/shapes.h"

namespace fye {
namespace {

// A reason, or empty.
using Reason = std::string;

Reason in_range(std::string_view what, std::initializer_list<int> values, int least) {
  for (const int value : values)
    if (value < least || value > kMaxAttribute)
      return fmt::format("{} {} is out of range {}..{}", what, value, least, kMaxAttribute);
  return {};
}

Reason first_of(std::initializer_list<Reason> reasons) {
  for (const Reason& reason : reasons)
    if (!reason.empty()) return reason;
  return {};
}

template <class Op>
Reason window(const Op& op) {
  return first_of({in_range("kernel size", {op.kernel_h, op.kernel_w}, 1),
                   in_range("stride", {op.stride_h, op.stride_w}, 1),
                   in_range("dilation", {op.dilation_h, op.dilation_w}, 1),
                   in_range("padding", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right}, 0)});
}

struct Check {
  const Graph& graph;
  const Node& node;

  Reason inputs(size_t least, size_t most) const {
    if (node.inputs.size() >= least && node.inputs.size() <= most) return {};
    return fmt::format("{} inputs, expected {}", node.inputs.size(),
                       least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most));
  }
  Reason constant(std::string_view what, ConstantId id, size_t rank) const {
    if (id < 0 || id >= static_cast<int>(graph.constants.size())) return fmt::format("has no {}", what);
    const Constant& value = graph.constants[id];
    if (value.shape.size() != rank)
      return fmt::format("{} {} has not {} dimensions", what, to_text(value.shape), rank);
    if (value.values.empty()) return fmt::format("{} {} is empty", what, to_text(value.shape));
    return {};
  }
  Reason bias(ConstantId id, int64_t channels) const {
    if (id == kNone) return {};
    if (auto reason = constant("bias", id, 1); !reason.empty()) return reason;
    if (graph.constants[id].shape[0] == channels) return {};
    return fmt::format("bias has {} values for {} channels", graph.constants[id].shape[0], channels);
  }
  static Reason activation(const Activation& act) {
    using Kind = Activation::Kind;
    if (act.kind == Kind::leaky_relu && act.slope.size() != 1) return "leaky_relu needs one slope";
    if (act.kind == Kind::prelu && act.slope.empty()) return "prelu needs a slope a channel";
    if (std::ranges::any_of(act.slope, [](float v) { return !std::isfinite(v); }))
      return "slope is not finite";
    if (act.kind == Kind::clip && (std::isnan(act.lo) || std::isnan(act.hi))) return "clip bound is NaN";
    return {};
  }
  // Kernel, groups and channels of a convolution whose weights are [first, second, kh, kw].
  template <class Op>
  Reason convolution(const Op& op) const {
    if (auto reason =
            first_of({window(op), in_range("group", {op.group}, 1), constant("weight", op.weight, 4)});
        !reason.empty())
      return reason;
    const Shape& w = graph.constants[op.weight].shape;
    if (w[2] != op.kernel_h || w[3] != op.kernel_w)
      return fmt::format("weight {} does not fit a {}x{} kernel", to_text(w), op.kernel_h, op.kernel_w);
    if (w[0] % op.group != 0)
      return fmt::format("weight {} does not divide into {} groups", to_text(w), op.group);
    return {};
  }

  Reason operator()(const Conv& op) const {
    if (auto reason = first_of({inputs(1, 2), convolution(op), activation(op.act), activation(op.post)});
        !reason.empty())
      return reason;
    const int64_t channels = graph.constants[op.weight].shape[0];
    if (op.residual_repeat < 1 || channels % op.residual_repeat != 0)
      return fmt::format("{} channels are no multiple of residual_repeat {}", channels, op.residual_repeat);
    if (node.inputs.size() == 2 && op.act.kind != Activation::Kind::none)
      return "a residual and an activation before it";
    for (const Activation* act : {&op.act, &op.post})
      if (act->kind == Activation::Kind::prelu && static_cast<int64_t>(act->slope.size()) != channels)
        return fmt::format("{} slopes for {} channels", act->slope.size(), channels);
    return bias(op.bias, channels);
  }
  Reason operator()(const ConvTranspose& op) const {
    if (auto reason = first_of({inputs(1, 1), convolution(op),
                                in_range("output padding", {op.output_pad_h, op.output_pad_w}, 0)});
        !reason.empty())
      return reason;
    return bias(op.bias, graph.constants[op.weight].shape[1] * op.group);
  }
  Reason operator()(const Elementwise& op) const { return first_of({inputs(1, 1), activation(op.act)}); }
  Reason operator()(const Binary& op) const {
    if (op.constant == kNone) return inputs(2, 2);
    if (op.constant < 0 || op.constant >= static_cast<int>(graph.constants.size())) return "has no constant";
    return first_of({inputs(1, 1), graph.constants[op.constant].values.empty() ? "constant is empty" : ""});
  }
  Reason operator()(const Concat&) const { return inputs(1, SIZE_MAX); }
  Reason operator()(const DepthToSpace& op) const {
    return first_of({inputs(1, 1), in_range("block", {op.block}, 1)});
  }
  Reason operator()(const Resize& op) const {
    if (!std::isfinite(op.cubic_a)) return "cubic coefficient is not finite";
    return first_of({inputs(1, 1), in_range("factor", {op.factor_h, op.factor_w}, 1)});
  }
  Reason operator()(const Pool& op) const {
    if (auto reason = first_of({inputs(1, 1), window(op)}); !reason.empty()) return reason;
    const auto inside = [](int pad, int kernel, int dilation) {
      return pad < (kernel - 1) * int64_t{dilation} + 1;
    };
    if (inside(std::max(op.pad_top, op.pad_bottom), op.kernel_h, op.dilation_h) &&
        inside(std::max(op.pad_left, op.pad_right), op.kernel_w, op.dilation_w))
      return {};
    return "padding is as large as the kernel: windows without a pixel";
  }
  Reason operator()(const GlobalAveragePool&) const { return inputs(1, 1); }
  Reason operator()(const Gemm& op) const {
    if (auto reason = first_of({inputs(1, 1), constant("weight", op.weight, 2)}); !reason.empty())
      return reason;
    if (!std::isfinite(op.alpha) || !std::isfinite(op.beta)) return "alpha or beta is not finite";
    return bias(op.bias, graph.constants[op.weight].shape[op.trans_b ? 0 : 1]);
  }
  Reason operator()(const Reshape& op) const {
    if (std::ranges::count(op.target, -1) > 1 ||
        std::ranges::any_of(op.target, [](int64_t d) { return d < -1; }))
      return fmt::format("impossible target {}", to_text(op.target));
    return inputs(1, 1);
  }
  Reason operator()(const Softmax&) const { return inputs(1, 1); }
  Reason operator()(const Affine& op) const {
    if (op.scale.empty() || op.scale.size() != op.shift.size())
      return fmt::format("{} scales and {} shifts", op.scale.size(), op.shift.size());
    return inputs(1, 1);
  }
};

Status check_constants(const Graph& graph) {
  for (size_t i = 0; i < graph.constants.size(); ++i)
    if (element_count(graph.constants[i].shape) != static_cast<int64_t>(graph.constants[i].values.size()))
      return bad_input(fmt::format("constant {}: {} values for shape {}", i, graph.constants[i].values.size(),
                                   to_text(graph.constants[i].shape)));
  return {};
}

Status check_names(const Graph& graph) {
  std::set<std::string_view> seen;
  for (const Tensor& tensor : graph.tensors)
    if (tensor.name.empty() || !seen.insert(tensor.name).second)
      return bad_input(fmt::format("tensor name \"{}\" is empty or taken", tensor.name));
  seen.clear();
  for (const Node& node : graph.nodes)
    if (node.name.empty() || !seen.insert(node.name).second)
      return bad_input(fmt::format("node name \"{}\" is empty or taken", node.name));
  return {};
}

}  // namespace

Status validate_node(const Graph& graph, const Node& node) {
  const Reason reason = std::visit(Check{graph, node}, node.op);
  if (reason.empty()) return {};
  return bad_input(fmt::format("node \"{}\" ({}): {}", node.name, op_name(node), reason));
}

Status validate(const Graph& graph) {
  if (auto status = check_constants(graph); !status) return status;
  if (auto status = check_names(graph); !status) return status;
  if (graph.inputs.empty() || graph.outputs.empty()) return bad_input("the graph has no input or no output");

  const int tensors = static_cast<int>(graph.tensors.size());
  std::vector<bool> known(graph.tensors.size());
  for (const TensorId id : graph.inputs) {
    if (id < 0 || id >= tensors || known[id]) return bad_input("an input is no tensor, or is listed twice");
    known[id] = true;
  }
  for (const Node& node : graph.nodes) {
    const auto wrong = [&](const Reason& reason) {
      return bad_input(fmt::format("node \"{}\" ({}): {}", node.name, op_name(node), reason));
    };
    for (const TensorId id : node.inputs) {
      if (id < 0 || id >= tensors) return wrong("an input is no tensor");
      if (!known[id])
        return wrong(fmt::format("input \"{}\" is not computed before it", graph.tensors[id].name));
    }
    if (node.output < 0 || node.output >= tensors) return wrong("the output is no tensor");
    if (known[node.output])
      return wrong(fmt::format("output \"{}\" is written twice", graph.tensors[node.output].name));
    known[node.output] = true;
    if (auto status = validate_node(graph, node); !status) return status;
  }
  for (const TensorId id : graph.outputs)
    if (id < 0 || id >= tensors || !known[id]) return bad_input("an output is computed by no node");
  return {};
}

}  // namespace fye
