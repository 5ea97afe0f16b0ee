// Tested by simulate_test.cc against formulas worked by hand, and against the executor over all placements of
// ABPN.
#include "execute/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "graph/trunk.h"

namespace fye {
namespace {

using Kind = Activation::Kind;

Error node_problem(const Node& node, const std::string& what) {
  return bad_input(fmt::format("node \"{}\" ({}): {}", node.name, op_name(node), what));
}

// sat(rne(steps) + zero); NaN gives zero.
float stored(float steps, const Quant& quant) {
  if (std::isnan(steps)) return float(quant.zero);
  return float(std::clamp(std::nearbyint(double(steps)) + quant.zero, 0.0, 255.0));
}

// The same in 16 bits.
float stored16(float steps) {
  return std::isnan(steps) ? 0 : float(std::clamp(std::nearbyint(double(steps)), -32768.0, 32767.0));
}

Dense quantised(const Dense& real, const Quant& quant) {
  Dense out = real;
  for (float& v : out.values) v = stored(v / quant.scale, quant);
  return out;
}

Dense real_values(const StoredTensor& tensor) {
  Dense out = tensor.dense;
  if (tensor.numbers != Numbers::f32)
    for (float& v : out.values) v = tensor.quant.scale * (v - float(tensor.quant.zero));
  return out;
}

// As a hand-over converts it: by one multiplication between whole numbers of which one is s16, else through
// real values.
StoredTensor converted(const StoredTensor& from, Numbers numbers, const Quant& quant) {
  if (from.numbers == numbers && (numbers == Numbers::f32 || from.quant == quant)) return from;
  StoredTensor to{numbers, quant, from.dense};
  const bool wide = numbers == Numbers::int8r16;
  if (from.numbers != Numbers::f32 && (wide || from.numbers == Numbers::int8r16)) {
    const float ratio = from.quant.scale / quant.scale;
    for (float& v : to.dense.values) {
      const float steps = (v - float(from.quant.zero)) * ratio;
      v = wide ? stored16(steps) : stored(steps, quant);
    }
    return to;
  }
  to.dense = real_values(from);
  for (float& v : to.dense.values) v = wide ? stored16(v / quant.scale) : stored(v / quant.scale, quant);
  return to;
}

// An activation that keeps the order is a clamp between levels of the output grid.
void clamp_levels(const Activation& act, const Quant& quant, bool wide, float& level) {
  const auto at = [&](float bound) {
    return wide ? stored16(bound / quant.scale) : stored(bound / quant.scale, quant);
  };
  if (act.kind == Kind::relu) level = std::max(level, float(quant.zero));
  if (act.kind == Kind::clip) {
    level = std::max(level, at(act.lo));
    level = std::min(level, at(act.hi));
  }
}

float slope_of(const Activation& act, int64_t channel) {
  if (act.kind != Kind::leaky_relu && act.kind != Kind::prelu) return 1;
  return act.slope[act.slope.size() == 1 ? 0 : size_t(channel)];
}

// The function of one real value in float32.
float apply(const Activation& act, float x, int64_t channel) {
  switch (act.kind) {
    case Kind::none:
      return x;
    case Kind::relu:
      return std::max(x, 0.0f);
    case Kind::leaky_relu:
    case Kind::prelu:
      return x < 0 ? x * slope_of(act, channel) : x;
    case Kind::clip:
      return std::min(std::max(x, act.lo), act.hi);
    case Kind::tanh:
      return float(std::tanh(double(x)));
    case Kind::sigmoid:
      return float(1 / (1 + std::exp(-double(x))));
  }
  return x;
}

// Values of one channel of one picture in a dense NCHW tensor.
int64_t plane_size(const Shape& shape) {
  int64_t size = 1;
  for (size_t i = 2; i < shape.size(); ++i) size *= shape[i];
  return size;
}

class Int8Node {
 public:
  Int8Node(const Graph& graph, const Node& node, const Calib& calib, std::span<const StoredTensor> in,
           const Quant& out, bool wide)
      : graph_(graph), node_(node), calib_(calib), in_(in), out_(out), wide_(wide) {}

  Result<Dense> operator()(const Conv& conv) const;
  Result<Dense> operator()(const Elementwise& op) const {
    return each([&](float x, int64_t channel) { return apply(op.act, x, channel); });
  }
  Result<Dense> operator()(const Affine& op) const {
    return each([&](float x, int64_t c) { return x * op.scale[size_t(c)] + op.shift[size_t(c)]; });
  }
  Result<Dense> operator()(const Binary& op) const;
  Result<Dense> operator()(const Concat&) const {
    std::vector<Dense> inputs;
    for (const StoredTensor& in : in_) {
      inputs.push_back(in.dense);
      if (in.quant == out_) continue;
      const float ratio = in.quant.scale / out_.scale;
      for (float& q : inputs.back().values) q = stored((q - float(in.quant.zero)) * ratio, out_);
    }
    return reference_node(graph_, node_, inputs);
  }
  Result<Dense> operator()(const DepthToSpace&) const { return moved(); }
  Result<Dense> operator()(const Resize& op) const {
    return op.kind == Resize::Kind::nearest ? moved() : through_real();
  }
  Result<Dense> operator()(const Pool& op) const {
    return op.kind == Pool::Kind::max ? moved() : through_real();
  }
  template <class Op>
  Result<Dense> operator()(const Op&) const {
    return node_problem(node_, "has no integer form");
  }

 private:
  template <class F>
  Dense each(F f) const {
    Dense out = in_[0].dense;
    const int64_t plane = plane_size(out.shape), channels = out.shape[1];
    const Quant& quant = in_[0].quant;
    for (size_t i = 0; i < out.values.size(); ++i) {
      const float real = quant.scale * (out.values[i] - float(quant.zero));
      out.values[i] = stored(f(real, int64_t(i) / plane % channels) / out_.scale, out_);
    }
    return out;
  }

  Result<Dense> moved() const {
    if (!(in_[0].quant == out_))
      return node_problem(node_, "moves bytes, but input and output have different scales");
    const Dense in[] = {in_[0].dense};
    return reference_node(graph_, node_, in);
  }

  Result<Dense> through_real() const {
    std::vector<Dense> in;
    for (const StoredTensor& each : in_) in.push_back(real_values(each));
    auto out = reference_node(graph_, node_, in);
    if (!out) return out;
    return quantised(*out, out_);
  }

  const Graph& graph_;
  const Node& node_;
  const Calib& calib_;
  std::span<const StoredTensor> in_;
  const Quant& out_;
  bool wide_;  // 16-bit output, and what is added to it
};

Result<Dense> Int8Node::operator()(const Binary& op) const {
  if (op.constant != kNone) return through_real();
  const bool add = op.kind == Binary::Kind::add, sub = op.kind == Binary::Kind::sub;
  if (!add && !sub) return through_real();
  const Quant &a = in_[0].quant, &b = in_[1].quant;
  const float ratio_a = a.scale / out_.scale, ratio_b = b.scale / out_.scale;
  Dense out = in_[0].dense;
  for (size_t i = 0; i < out.values.size(); ++i) {
    const float left = ratio_a * (in_[0].dense.values[i] - float(a.zero));
    const float right = ratio_b * (in_[1].dense.values[i] - float(b.zero));
    const float sum = add ? left + right : left - right;  // in 16 bits both ratios are 1
    out.values[i] = wide_ ? stored16(sum) : stored(sum, out_);
  }
  return out;
}

Result<Dense> Int8Node::operator()(const Conv& conv) const {
  const auto found = calib_.weights.find(node_.name);
  if (found == calib_.weights.end()) return node_problem(node_, "the calibration has no weights for it");
  const WeightQuant& weights = found->second;
  const Shape &x = in_[0].dense.shape, &w = graph_.constants[size_t(conv.weight)].shape;
  if (weights.scale.size() != size_t(w[0]) || weights.bias.size() != size_t(w[0]) ||
      int64_t(weights.values.size()) != element_count(w))
    return node_problem(node_, "the calibration's weights have another shape");
  const bool residual = node_.inputs.size() > 1;
  const auto smooth = [](const Activation& act) {
    return act.kind == Kind::tanh || act.kind == Kind::sigmoid;
  };
  const bool clamps = conv.act.kind == Kind::relu || conv.act.kind == Kind::clip;
  if (smooth(conv.act) || smooth(conv.post) || (residual && clamps))
    return node_problem(node_, "its fused activation has no integer form");

  const auto out_size = [](int64_t in, int before, int after, int kernel, int dilation, int stride) {
    return (in + before + after - (int64_t(kernel) - 1) * dilation - 1) / stride + 1;
  };
  Dense out;
  out.shape = {x[0], w[0],
               out_size(x[2], conv.pad_top, conv.pad_bottom, conv.kernel_h, conv.dilation_h, conv.stride_h),
               out_size(x[3], conv.pad_left, conv.pad_right, conv.kernel_w, conv.dilation_w, conv.stride_w)};
  out.values.reserve(size_t(element_count(out.shape)));
  const Quant& in = in_[0].quant;
  const int64_t per_group_out = w[0] / conv.group;

  for (int64_t n = 0; n < x[0]; ++n)
    for (int64_t oc = 0; oc < w[0]; ++oc) {
      const float scale = weights.scale[size_t(oc)];
      const double bias = std::nearbyint(double(weights.bias[size_t(oc)]) / (double(in.scale) * scale));
      const float product = in.scale * scale;
      const float multiplier = product / out_.scale;
      const float negative = multiplier * slope_of(conv.act, oc);
      for (int64_t oy = 0; oy < out.shape[2]; ++oy)
        for (int64_t ox = 0; ox < out.shape[3]; ++ox) {
          int64_t sum = int64_t(bias);
          for (int64_t ic = 0; ic < w[1]; ++ic)
            for (int ky = 0; ky < conv.kernel_h; ++ky)
              for (int kx = 0; kx < conv.kernel_w; ++kx) {
                const int64_t iy = oy * conv.stride_h - conv.pad_top + ky * conv.dilation_h;
                const int64_t ix = ox * conv.stride_w - conv.pad_left + kx * conv.dilation_w;
                if (iy < 0 || ix < 0 || iy >= x[2] || ix >= x[3]) continue;  // padding is real 0
                const int64_t channel = oc / per_group_out * w[1] + ic;
                const int q =
                    int(in_[0].dense.values[size_t(((n * x[1] + channel) * x[2] + iy) * x[3] + ix)]);
                sum += int64_t(q - in.zero) *
                       weights.values[size_t(((oc * w[1] + ic) * conv.kernel_h + ky) * conv.kernel_w + kx)];
              }
          float steps = float(int32_t(sum)) * (sum < 0 ? negative : multiplier);
          float level = wide_ ? stored16(steps) : stored(steps, out_);
          if (residual) {
            const StoredTensor& other = in_[1];
            const Shape& r = other.dense.shape;
            const int64_t channel = oc % (w[0] / conv.residual_repeat);
            const float q = other.dense.values[size_t(((n * r[1] + channel) * r[2] + oy) * r[3] + ox)];
            const float ratio = other.quant.scale / out_.scale;
            level = wide_ ? stored16(level + q) : stored(steps + ratio * (q - float(other.quant.zero)), out_);
          }
          clamp_levels(conv.act, out_, wide_, level);
          clamp_levels(conv.post, out_, wide_, level);
          out.values.push_back(level);
        }
    }
  return out;
}

}  // namespace

Result<StoredTensor> simulate_node(const Graph& graph, const Calib* calib, int index, Numbers numbers,
                                   std::span<const StoredTensor> tensors) {
  const Node& node = graph.nodes[size_t(index)];
  if (numbers == Numbers::f32) {
    std::vector<Dense> in;
    for (const TensorId id : node.inputs) in.push_back(real_values(tensors[size_t(id)]));
    auto out = reference_node(graph, node, in);
    if (!out) return out.error();
    return StoredTensor{Numbers::f32, {}, *std::move(out)};
  }
  if (storage(numbers) != DType::u8) return node_problem(node, "only f32, int8 and int8r16 are simulated");
  const auto quant_of = [&](TensorId tensor) -> Result<Quant> {
    const std::string& name = graph.tensors[size_t(tensor)].name;
    if (!calib || !calib->tensors.contains(name))
      return bad_input(fmt::format("the calibration has no range for tensor \"{}\"", name));
    return calib->tensors.at(name);
  };
  bool wide = false;
  Quant trunk;
  if (numbers == Numbers::int8r16 && calib) {
    const Trunks trunks = find_trunks(graph, calib->tensors);
    wide = trunks.wide[size_t(node.output)];
    trunk.scale = trunk_scales(graph, *calib, trunks)[size_t(node.output)];
  }
  std::vector<StoredTensor> in;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const TensorId id = node.inputs[i];
    const StoredTensor& have = tensors[size_t(id)];
    if (wide && (i > 0 || !node.as<Conv>())) {
      in.push_back(converted(have, Numbers::int8r16, trunk));
      continue;
    }
    auto quant = quant_of(id);
    if (!quant) return quant.error();
    in.push_back(converted(have, Numbers::int8, *quant));
  }
  auto quant = wide ? trunk : quant_of(node.output);
  if (!quant) return quant.error();
  auto out = std::visit(Int8Node(graph, node, *calib, in, *quant, wide), node.op);
  if (!out) return out.error();
  return StoredTensor{wide ? Numbers::int8r16 : Numbers::int8, *quant, *std::move(out)};
}

Result<std::vector<StoredTensor>> simulate(const Graph& graph, const Calib* calib,
                                           std::span<const Numbers> numbers, const StoredTensor& input) {
  if (numbers.size() != graph.nodes.size() || graph.inputs.size() != 1)
    return internal_error(fmt::format("{} formats for {} nodes, {} inputs", numbers.size(),
                                      graph.nodes.size(), graph.inputs.size()));
  std::vector<StoredTensor> tensors(graph.tensors.size());
  tensors[size_t(graph.inputs[0])] = input;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    auto out = simulate_node(graph, calib, int(n), numbers[n], tensors);
    if (!out) return out.error();
    tensors[size_t(graph.nodes[n].output)] = *std::move(out);
  }
  return tensors;
}

}  // namespace fye
