// to_text(): everything that makes two graphs differ, one line a node; constants by shape and a hash of their
// bytes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>

#include "graph/graph.h"
#include "graph/shapes.h"

namespace fye {
namespace {

// FNV-1a over the values' bits: enough to see in a dump that weights changed.
uint64_t digest(const std::vector<float>& values) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const float value : values) {
    for (uint32_t bits = std::bit_cast<uint32_t>(value), i = 0; i < 4; ++i, bits >>= 8)
      hash = (hash ^ (bits & 0xff)) * 0x100000001b3;
  }
  return hash;
}

// Short lists in full, long ones by hash.
std::string list(const std::vector<float>& values) {
  if (values.size() <= 4) return fmt::format("[{}]", fmt::join(values, ","));
  return fmt::format("[{}]#{:016x}", values.size(), digest(values));
}

std::string activation(std::string_view label, const Activation& act) {
  using Kind = Activation::Kind;
  switch (act.kind) {
    case Kind::none:
      return {};
    case Kind::relu:
      return fmt::format(" {} relu", label);
    case Kind::leaky_relu:
      return fmt::format(" {} leaky_relu {}", label, list(act.slope));
    case Kind::prelu:
      return fmt::format(" {} prelu {}", label, list(act.slope));
    case Kind::clip:
      return fmt::format(" {} clip {} {}", label, act.lo, act.hi);
    case Kind::tanh:
      return fmt::format(" {} tanh", label);
    case Kind::sigmoid:
      return fmt::format(" {} sigmoid", label);
  }
  return {};
}

// " label HxW", nothing if both are `usual`.
std::string pair(std::string_view label, int h, int w, int usual) {
  return h == usual && w == usual ? "" : fmt::format(" {} {}x{}", label, h, w);
}

template <class Op>
std::string window(const Op& op) {
  std::string text = fmt::format(" {}x{}", op.kernel_h, op.kernel_w) +
                     pair("stride", op.stride_h, op.stride_w, 1) +
                     pair("dilation", op.dilation_h, op.dilation_w, 1);
  if (op.pad_top || op.pad_left || op.pad_bottom || op.pad_right)
    text += fmt::format(" pad {},{},{},{}", op.pad_top, op.pad_left, op.pad_bottom, op.pad_right);
  return text;
}

std::string flag(bool set, std::string_view text) { return set ? fmt::format(" {}", text) : ""; }

struct AttributesText {
  const Graph& graph;

  std::string constant(std::string_view label, ConstantId id) const {
    if (id == kNone) return {};
    const Constant& c = graph.constants[id];
    return fmt::format(" {} {}#{:016x}", label, to_text(c.shape), digest(c.values));
  }
  std::string operator()(const Conv& op) const {
    return window(op) + (op.group == 1 ? "" : fmt::format(" group {}", op.group)) +
           constant("weight", op.weight) + constant("bias", op.bias) + activation("act", op.act) +
           (op.residual_repeat == 1 ? "" : fmt::format(" repeat {}", op.residual_repeat)) +
           activation("post", op.post);
  }
  std::string operator()(const ConvTranspose& op) const {
    return window(op) + pair("output_pad", op.output_pad_h, op.output_pad_w, 0) +
           (op.group == 1 ? "" : fmt::format(" group {}", op.group)) + constant("weight", op.weight) +
           constant("bias", op.bias);
  }
  std::string operator()(const Elementwise& op) const { return activation("act", op.act); }
  std::string operator()(const Binary& op) const {
    static constexpr std::string_view kNames[] = {"add", "sub", "mul", "div"};
    return fmt::format(" {}", kNames[static_cast<int>(op.kind)]) + constant("constant", op.constant) +
           flag(op.constant_first, "constant_first");
  }
  std::string operator()(const Concat& op) const { return fmt::format(" axis {}", op.axis); }
  std::string operator()(const DepthToSpace& op) const {
    return fmt::format(" block {} {}", op.block, op.crd ? "crd" : "dcr");
  }
  std::string operator()(const Resize& op) const {
    const bool nearest = op.kind == Resize::Kind::nearest;
    return fmt::format(" {} {}x{}", nearest ? "nearest" : "bicubic", op.factor_h, op.factor_w) +
           (nearest ? "" : fmt::format(" a {}", op.cubic_a));
  }
  std::string operator()(const Pool& op) const {
    return (op.kind == Pool::Kind::max ? " max" : " average") + window(op) + flag(op.ceil_mode, "ceil") +
           flag(op.count_include_pad, "count_include_pad");
  }
  std::string operator()(const GlobalAveragePool&) const { return {}; }
  std::string operator()(const Gemm& op) const {
    return constant("weight", op.weight) + constant("bias", op.bias) + flag(op.trans_a, "trans_a") +
           flag(op.trans_b, "trans_b") + (op.alpha == 1 ? "" : fmt::format(" alpha {}", op.alpha)) +
           (op.beta == 1 ? "" : fmt::format(" beta {}", op.beta));
  }
  std::string operator()(const Reshape& op) const {
    return op.target.empty() ? fmt::format(" flatten {}", op.axis)
                             : fmt::format(" to {}", to_text(op.target));
  }
  std::string operator()(const Softmax& op) const { return fmt::format(" axis {}", op.axis); }
  std::string operator()(const Affine& op) const {
    return fmt::format(" scale {} shift {}", list(op.scale), list(op.shift));
  }
};

}  // namespace

std::string to_text(const Graph& graph) {
  const auto label = [&](TensorId id) { return graph.tensors[id].name + to_text(graph.tensors[id].shape); };
  std::string text;
  for (const auto& [key, value] : graph.metadata) text += fmt::format("{} = {}\n", key, value);
  for (const TensorId id : graph.inputs) text += fmt::format("input {}\n", label(id));
  for (const Node& node : graph.nodes) {
    std::string inputs;
    for (const TensorId id : node.inputs) inputs += (inputs.empty() ? "" : ", ") + graph.tensors[id].name;
    text += fmt::format("{}: {} = {}({}){}\n", node.name, label(node.output), op_name(node), inputs,
                        std::visit(AttributesText{graph}, node.op));
  }
  for (const TensorId id : graph.outputs) text += fmt::format("output {}\n", label(id));
  return text;
}

}  // namespace fye
