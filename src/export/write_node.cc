#include "export/write_node.h"

#include <fmt/format.h>

#include <cmath>

namespace fye {
namespace {

using Kind = Activation::Kind;

struct Write {
  ModelWriter& writer;
  const Graph& graph;
  const Node& node;
  const OperandNames& names;

  // The node itself; attributes follow.
  onnx::NodeProto& self(const std::string& op, const std::vector<std::string>& inputs) const {
    return writer.node(op, node.name, inputs, names.output);
  }
  // "" if there is no such constant: ONNX's way to leave an input out.
  std::string constant(const std::string& given, const std::string& label, ConstantId id) const {
    if (id == kNone || !given.empty()) return given;
    const Constant& value = graph.constants[id];
    return writer.floats(node.name + "." + label, value.shape, value.values);
  }
  // x, weight and, if there is one, bias.
  template <class Op>
  std::vector<std::string> weighted(const Op& op) const {
    std::vector<std::string> inputs{names.inputs[0], constant(names.weight, "weight", op.weight)};
    if (op.bias != kNone) inputs.push_back(constant(names.bias, "bias", op.bias));
    return inputs;
  }
  template <class Op>
  static void window(onnx::NodeProto& made, const Op& op) {
    set_ints(made, "kernel_shape", {op.kernel_h, op.kernel_w});
    set_ints(made, "strides", {op.stride_h, op.stride_w});
    set_ints(made, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  }
  std::string bound(const std::string& label, float value) const {
    return std::isinf(value) ? "" : writer.floats(label, {}, {&value, 1});
  }
  void activation(const std::string& name, const Activation& act, const std::string& in,
                  const std::string& out) const {
    const size_t rank = graph.tensors[node.output].shape.size();
    switch (act.kind) {
      case Kind::none:
        writer.node("Identity", name, {in}, out);
        break;
      case Kind::relu:
        writer.node("Relu", name, {in}, out);
        break;
      case Kind::tanh:
        writer.node("Tanh", name, {in}, out);
        break;
      case Kind::sigmoid:
        writer.node("Sigmoid", name, {in}, out);
        break;
      case Kind::leaky_relu:
        set_float(writer.node("LeakyRelu", name, {in}, out), "alpha", act.slope[0]);
        break;
      case Kind::prelu: {
        Shape shape(rank - 1, 1);
        shape[0] = std::ssize(act.slope);
        const std::string slope = writer.floats(name + ".slope", shape, act.slope);
        writer.node("PRelu", name, {in, slope}, out);
        break;
      }
      case Kind::clip: {
        std::vector<std::string> inputs{in, bound(name + ".min", act.lo), bound(name + ".max", act.hi)};
        while (inputs.back().empty()) inputs.pop_back();
        writer.node("Clip", name, inputs, out);
        break;
      }
    }
  }

  // Conv, then what was fused into it; the last step writes the output.
  Status operator()(const Conv& op) const {
    const bool act = op.act.kind != Kind::none, add = node.inputs.size() == 2,
               post = op.post.kind != Kind::none;
    int steps = 1 + act + add + post;
    const auto out = [&](const std::string& step) {
      return --steps == 0 ? names.output : writer.fresh(node.name + "/" + step);
    };
    std::string current = out("conv");
    auto& conv = writer.node("Conv", node.name, weighted(op), current);
    window(conv, op);
    set_ints(conv, "dilations", {op.dilation_h, op.dilation_w});
    set_int(conv, "group", op.group);
    const auto step_name = [&](const std::string& step) { return writer.fresh(node.name + "." + step); };
    if (act) {
      const std::string before = std::exchange(current, out("act"));
      activation(step_name("act"), op.act, before, current);
    }
    if (add) {
      std::string residual = names.inputs[1];
      if (op.residual_repeat > 1) {
        const std::string joined = writer.fresh(node.name + "/anchor");
        const std::vector<std::string> copies(static_cast<size_t>(op.residual_repeat), residual);
        set_int(writer.node("Concat", step_name("anchor"), copies, joined), "axis", 1);
        residual = joined;
      }
      const std::string before = std::exchange(current, out("add"));
      writer.node("Add", step_name("add"), {before, residual}, current);
    }
    if (post) {
      const std::string before = std::exchange(current, out("post"));
      activation(step_name("post"), op.post, before, current);
    }
    return {};
  }
  Status operator()(const ConvTranspose& op) const {
    auto& made = self("ConvTranspose", weighted(op));
    window(made, op);
    set_ints(made, "dilations", {op.dilation_h, op.dilation_w});
    set_ints(made, "output_padding", {op.output_pad_h, op.output_pad_w});
    set_int(made, "group", op.group);
    return {};
  }
  Status operator()(const Elementwise& op) const {
    activation(node.name, op.act, names.inputs[0], names.output);
    return {};
  }
  Status operator()(const Binary& op) const {
    static constexpr const char* kOps[] = {"Add", "Sub", "Mul", "Div"};
    std::vector<std::string> inputs = names.inputs;
    if (op.constant != kNone) {
      const std::string value = constant("", "constant", op.constant);
      inputs.insert(op.constant_first ? inputs.begin() : inputs.end(), value);
    }
    self(kOps[static_cast<int>(op.kind)], inputs);
    return {};
  }
  Status operator()(const Concat& op) const {
    set_int(self("Concat", names.inputs), "axis", op.axis);
    return {};
  }
  Status operator()(const DepthToSpace& op) const {
    auto& made = self("DepthToSpace", names.inputs);
    set_int(made, "blocksize", op.block);
    set_string(made, "mode", op.crd ? "CRD" : "DCR");
    return {};
  }
  Status operator()(const Resize& op) const {
    const float scales[] = {1, 1, static_cast<float>(op.factor_h), static_cast<float>(op.factor_w)};
    auto& made = self("Resize", {names.inputs[0], "", writer.floats(node.name + ".scales", {4}, scales)});
    if (op.kind == Resize::Kind::nearest) {
      set_string(made, "mode", "nearest");
      set_string(made, "coordinate_transformation_mode", "asymmetric");
      set_string(made, "nearest_mode", "floor");
    } else {
      set_string(made, "mode", "cubic");
      set_string(made, "coordinate_transformation_mode", "half_pixel");
      set_float(made, "cubic_coeff_a", op.cubic_a);
    }
    return {};
  }
  Status operator()(const Pool& op) const {
    const bool max = op.kind == Pool::Kind::max;
    if (!max && (op.dilation_h != 1 || op.dilation_w != 1))
      return bad_input(fmt::format("node \"{}\": opset 17 has no average pooling with dilation", node.name));
    auto& made = self(max ? "MaxPool" : "AveragePool", names.inputs);
    window(made, op);
    set_int(made, "ceil_mode", op.ceil_mode);
    if (max)
      set_ints(made, "dilations", {op.dilation_h, op.dilation_w});
    else
      set_int(made, "count_include_pad", op.count_include_pad);
    return {};
  }
  Status operator()(const GlobalAveragePool&) const {
    self("GlobalAveragePool", names.inputs);
    return {};
  }
  Status operator()(const Gemm& op) const {
    auto& made = self("Gemm", weighted(op));
    set_float(made, "alpha", op.alpha);
    set_float(made, "beta", op.beta);
    set_int(made, "transA", op.trans_a);
    set_int(made, "transB", op.trans_b);
    return {};
  }
  Status operator()(const Reshape& op) const {
    if (op.target.empty())
      set_int(self("Flatten", names.inputs), "axis", op.axis);
    else
      self("Reshape", {names.inputs[0], writer.int64s(node.name + ".shape", op.target)});
    return {};
  }
  Status operator()(const Softmax& op) const {
    set_int(self("Softmax", names.inputs), "axis", op.axis);
    return {};
  }
  // Batch normalisation with mean 0, variance 1 and epsilon 0 computes exactly scale * x + shift.
  Status operator()(const Affine& op) const {
    const Shape shape{std::ssize(op.scale)};
    const std::vector<float> zeros(op.scale.size(), 0.0f), ones(op.scale.size(), 1.0f);
    const auto vector = [&](const char* label, const std::vector<float>& values) {
      return writer.floats(node.name + label, shape, values);
    };
    const std::string scale = vector(".scale", op.scale), shift = vector(".shift", op.shift);
    const std::string mean = vector(".mean", zeros), variance = vector(".variance", ones);
    set_float(self("BatchNormalization", {names.inputs[0], scale, shift, mean, variance}), "epsilon", 0);
    return {};
  }
};

}  // namespace

Status write_node(ModelWriter& writer, const Graph& graph, const Node& node, const OperandNames& names) {
  return std::visit(Write{writer, graph, node, names}, node.op);
}

}  // namespace fye
