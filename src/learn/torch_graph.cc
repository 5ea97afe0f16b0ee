// Tested by torch_graph_test.cc against the dense reference, and against the simulation of int8.
#include "learn/torch_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "learn/torch_rounding.h"

namespace fye {
namespace {

using Kind = Activation::Kind;
using Inputs = std::span<const torch::Tensor>;

// Whole numbers up to here, and sums of them, are exact in float32.
constexpr double kExactInFloat = 1 << 24;

torch::Tensor per_channel(const std::vector<float>& values) {
  return torch::tensor(values, torch::kFloat32).view({1, -1, 1, 1});
}

torch::Tensor tensor_of(const Constant& constant) {
  return torch::tensor(constant.values, torch::kFloat32).reshape(constant.shape);
}

torch::Tensor activated(const Activation& act, const torch::Tensor& x) {
  switch (act.kind) {
    case Kind::none:
      return x;
    case Kind::relu:
      return x.relu();
    case Kind::leaky_relu:
      return torch::leaky_relu(x, act.slope[0]);
    case Kind::prelu:
      return torch::prelu(x, torch::tensor(act.slope, torch::kFloat32));
    case Kind::clip:
      return x.clamp(act.lo, act.hi);
    case Kind::tanh:
      return x.tanh();
    case Kind::sigmoid:
      return x.sigmoid();
  }
  return x;
}

// Keys' cubic kernel.
double cubic(double t, double a) {
  t = std::fabs(t);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

// [size * factor, size]: each row's four weights, edges repeated.
torch::Tensor cubic_matrix(int64_t size, int factor, double a) {
  auto matrix = torch::zeros({size * factor, size}, torch::kFloat64);
  auto at = matrix.accessor<double, 2>();
  for (int64_t o = 0; o < size * factor; ++o) {
    const double centre = (double(o) + 0.5) / factor - 0.5;
    const auto first = int64_t(std::floor(centre)) - 1;
    for (int64_t i = first; i < first + 4; ++i)
      at[o][std::clamp<int64_t>(i, 0, size - 1)] += cubic(centre - double(i), a);
  }
  return matrix.to(torch::kFloat32);
}

torch::Tensor depth_to_space(const DepthToSpace& op, const torch::Tensor& x) {
  if (op.crd) return torch::pixel_shuffle(x, op.block);
  const int64_t b = op.block, n = x.size(0), c = x.size(1) / (b * b), h = x.size(2), w = x.size(3);
  return x.reshape({n, b, b, c, h, w}).permute({0, 3, 4, 1, 5, 2}).reshape({n, c, h * b, w * b});
}

torch::Tensor resized(const Resize& op, const torch::Tensor& x) {
  if (op.kind == Resize::Kind::nearest)
    return x.repeat_interleave(op.factor_h, 2).repeat_interleave(op.factor_w, 3);
  const auto rows = cubic_matrix(x.size(2), op.factor_h, op.cubic_a);
  const auto columns = cubic_matrix(x.size(3), op.factor_w, op.cubic_a);
  return torch::matmul(torch::matmul(rows, x.contiguous()), columns.t());
}

// How far the last window of a pool reaches beyond the map, -n if the last n pixels are in none. With
// ceil_mode a last window may hang over, but not start beyond the map and its padding.
int64_t reach(int64_t in, int kernel, int stride, int dilation, int begin, int end, bool ceil) {
  const int64_t span = int64_t{dilation} * (kernel - 1) + 1, room = in + begin + end - span;
  int64_t last = (ceil ? (room + stride - 1) / stride : room / stride) * stride;
  if (ceil && last >= in + begin) last -= stride;
  return last + span - in - begin;
}

torch::Tensor pooled(const Pool& op, const torch::Tensor& x) {
  const std::vector<int64_t> kernel{op.kernel_h, op.kernel_w}, stride{op.stride_h, op.stride_w};
  const int64_t below =
      reach(x.size(2), op.kernel_h, op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom, op.ceil_mode);
  const int64_t right =
      reach(x.size(3), op.kernel_w, op.stride_w, op.dilation_w, op.pad_left, op.pad_right, op.ceil_mode);
  const auto padded = [&](const torch::Tensor& t, double value) {
    return torch::constant_pad_nd(t, {op.pad_left, right, op.pad_top, below}, value);
  };
  if (op.kind == Pool::Kind::max)
    return torch::max_pool2d(padded(x, -INFINITY), kernel, stride, at::IntArrayRef({0, 0}),
                             at::IntArrayRef({op.dilation_h, op.dilation_w}));
  // What counts in a window: the map, and its padding if that is asked for, but nothing beyond.
  auto counts = torch::ones({1, 1, x.size(2), x.size(3)});
  counts =
      op.count_include_pad
          ? torch::constant_pad_nd(
                torch::constant_pad_nd(counts, {op.pad_left, op.pad_right, op.pad_top, op.pad_bottom}, 1),
                {0, right - op.pad_right, 0, below - op.pad_bottom}, 0)
          : padded(counts, 0);
  return torch::avg_pool2d(padded(x, 0), kernel, stride) / torch::avg_pool2d(counts, kernel, stride);
}

torch::Tensor convolved(const Conv& op, const torch::Tensor& x, const torch::Tensor& weight,
                        const torch::Tensor& bias) {
  const std::vector<int64_t> stride{op.stride_h, op.stride_w}, dilation{op.dilation_h, op.dilation_w};
  if (op.pad_top == op.pad_bottom && op.pad_left == op.pad_right)
    return torch::conv2d(x, weight, bias, stride, at::IntArrayRef({op.pad_top, op.pad_left}), dilation,
                         op.group);
  const auto padded = torch::constant_pad_nd(x, {op.pad_left, op.pad_right, op.pad_top, op.pad_bottom}, 0);
  return torch::conv2d(padded, weight, bias, stride, at::IntArrayRef({0, 0}), dilation, op.group);
}

torch::Tensor repeated(const torch::Tensor& x, int times) {
  return times == 1 ? x : x.repeat({1, times, 1, 1});
}

// One node of one graph on one processor: makes the function, holding copies of what it will need.
class Maker {
 public:
  Maker(const Graph& graph, const Calib* calib, const Node& node, Numbers numbers, std::vector<Stored> reads,
        Stored writes)
      : graph_(graph),
        calib_(calib),
        node_(node),
        numbers_(numbers),
        reads_(std::move(reads)),
        writes_(writes) {}

  // Everything here works on real values that are already in the form they are read in, and gives real values
  // that are not yet in the form they are written in.
  Result<TorchNode> operator()(const Conv& op) const {
    return numbers_ == Numbers::int8 ? whole(op) : real(op);
  }
  Result<TorchNode> operator()(const Elementwise& op) const {
    return rounded([op](Inputs in) { return activated(op.act, in[0]); });
  }
  Result<TorchNode> operator()(const Affine& op) const {
    return rounded([scale = per_channel(op.scale), shift = per_channel(op.shift)](Inputs in) {
      return in[0] * scale + shift;
    });
  }
  Result<TorchNode> operator()(const Binary& op) const;
  Result<TorchNode> operator()(const Concat& op) const;
  Result<TorchNode> operator()(const DepthToSpace& op) const {
    return moved([op](Inputs in) { return depth_to_space(op, in[0]); });
  }
  Result<TorchNode> operator()(const Resize& op) const {
    TorchNode f = [op](Inputs in) { return resized(op, in[0]); };
    return op.kind == Resize::Kind::nearest ? moved(std::move(f)) : rounded(std::move(f));
  }
  Result<TorchNode> operator()(const Pool& op) const {
    if (op.kind == Pool::Kind::average && (op.dilation_h > 1 || op.dilation_w > 1))
      return refuse("averages over dilated windows");
    TorchNode f = [op](Inputs in) { return pooled(op, in[0]); };
    return op.kind == Pool::Kind::max ? moved(std::move(f)) : rounded(std::move(f));
  }
  Result<TorchNode> operator()(const GlobalAveragePool&) const {
    return rounded([](Inputs in) { return in[0].mean({2, 3}, true); });
  }
  template <class Op>
  Result<TorchNode> operator()(const Op&) const {
    return refuse("this op");
  }

 private:
  Error refuse(const std::string& what) const {
    return bad_input(fmt::format("node \"{}\" ({}): the split learner cannot compute {}", node_.name,
                                 op_name(node_), what),
                     "plan with another strategy");
  }

  // f between the forms that are read and the form that is written.
  TorchNode rounded(TorchNode f) const {
    return [f = std::move(f), reads = reads_, writes = writes_](Inputs in) {
      std::vector<torch::Tensor> read;
      for (size_t i = 0; i < in.size(); ++i) read.push_back(in_form(in[i], reads[i]));
      return in_form(f(read), writes);
    };
  }

  // f moves values about: int8 kernels move bytes, so both grids must be one.
  Result<TorchNode> moved(TorchNode f) const {
    if (!(reads_[0] == writes_)) return refuse("a move of bytes between two grids; calibrate again");
    return rounded(std::move(f));
  }

  Result<TorchNode> real(const Conv& op) const;
  Result<TorchNode> whole(const Conv& op) const;

  const Graph& graph_;
  const Calib* calib_;
  const Node& node_;
  Numbers numbers_;
  std::vector<Stored> reads_;
  Stored writes_;
};

Result<TorchNode> Maker::operator()(const Binary& op) const {
  const auto combine = [op](const torch::Tensor& a, const torch::Tensor& b) {
    switch (op.kind) {
      case Binary::Kind::add:
        return a + b;
      case Binary::Kind::sub:
        return a - b;
      case Binary::Kind::mul:
        return a * b;
      case Binary::Kind::div:
        return a / b;
    }
    return a;
  };
  if (op.constant != kNone)
    return rounded([combine, op, constant = tensor_of(graph_.constants[size_t(op.constant)])](Inputs in) {
      return op.constant_first ? combine(constant, in[0]) : combine(in[0], constant);
    });
  const bool sum = op.kind == Binary::Kind::add || op.kind == Binary::Kind::sub;
  if (numbers_ != Numbers::int8 || !sum)
    return rounded([combine](Inputs in) { return combine(in[0], in[1]); });
  const float a = reads_[0].quant.scale / writes_.quant.scale,
              b = reads_[1].quant.scale / writes_.quant.scale;
  return TorchNode([combine, a, b, reads = reads_, writes = writes_](Inputs in) {
    return from_steps(combine(levels(in[0], reads[0]) * a, levels(in[1], reads[1]) * b), range_of(writes),
                      writes.quant.scale);
  });
}

Result<TorchNode> Maker::operator()(const Concat& op) const {
  if (numbers_ != Numbers::int8)
    return rounded([op](Inputs in) { return torch::cat(torch::TensorList(in.data(), in.size()), op.axis); });
  return TorchNode([op, reads = reads_, writes = writes_](Inputs in) {
    std::vector<torch::Tensor> parts;
    for (size_t i = 0; i < in.size(); ++i) {
      const float ratio = reads[i].quant.scale / writes.quant.scale;
      const auto q = levels(in[i], reads[i]);
      parts.push_back(from_steps(reads[i] == writes ? q : q * ratio, range_of(writes), writes.quant.scale));
    }
    return torch::cat(parts, op.axis);
  });
}

Result<TorchNode> Maker::real(const Conv& op) const {
  auto weight = tensor_of(graph_.constants[size_t(op.weight)]);
  if (numbers_ == Numbers::bf16) weight = weight.to(torch::kBFloat16).to(torch::kFloat32);
  weight = weight.contiguous(torch::MemoryFormat::ChannelsLast);
  const auto bias =
      op.bias == kNone ? torch::Tensor() : tensor_of(graph_.constants[size_t(op.bias)]).flatten();
  return rounded([op, weight, bias](Inputs in) {
    auto y = activated(op.act, convolved(op, in[0], weight, bias));
    if (in.size() > 1) y = y + repeated(in[1], op.residual_repeat);
    return activated(op.post, y);
  });
}

// What an activation that keeps the order does to a level of the output grid (zero point left out).
double clamped(const Activation& act, const Quant& out, double level) {
  if (act.kind == Kind::relu) return std::max(level, 0.0);
  if (act.kind != Kind::clip) return level;
  return std::min(std::max(level, std::nearbyint(double(act.lo / out.scale))),
                  std::nearbyint(double(act.hi / out.scale)));
}

Result<TorchNode> Maker::whole(const Conv& op) const {
  const auto found = calib_->weights.find(node_.name);
  const Constant& shape = graph_.constants[size_t(op.weight)];
  if (found == calib_->weights.end() || found->second.values.size() != shape.values.size() ||
      found->second.scale.size() != size_t(shape.shape[0]) ||
      found->second.bias.size() != size_t(shape.shape[0]))
    return bad_input(fmt::format("node \"{}\": the calibration has no weights of its shape", node_.name),
                     "run fye calibrate on this model again");
  const WeightQuant& given = found->second;
  const bool smooth = op.act.kind == Kind::tanh || op.act.kind == Kind::sigmoid ||
                      op.post.kind == Kind::tanh || op.post.kind == Kind::sigmoid;
  if (smooth) return refuse("a fused curve in whole numbers");

  const Quant in = reads_[0].quant, out = writes_.quant;
  const bool wide = writes_.type == DType::s16;
  std::vector<float> multiplier, negative;
  std::vector<double> bias;
  const size_t taps = given.values.size() / given.scale.size();
  const double furthest = std::max(in.zero, 255 - in.zero);
  double largest = 0;
  for (size_t c = 0; c < given.scale.size(); ++c) {
    const float product = in.scale * given.scale[c];
    const bool slopes = op.act.kind == Kind::leaky_relu || op.act.kind == Kind::prelu;
    const float slope = slopes ? op.act.slope[op.act.slope.size() == 1 ? 0 : c] : 1;
    multiplier.push_back(product / out.scale);
    negative.push_back(multiplier.back() * slope);
    bias.push_back(std::nearbyint(double(given.bias[c]) / (double(in.scale) * given.scale[c])));
    double sum = std::fabs(bias.back());
    for (size_t k = c * taps; k < (c + 1) * taps; ++k) sum += std::abs(int(given.values[k])) * furthest;
    largest = std::max(largest, sum);
  }
  const auto type = largest < kExactInFloat ? torch::kFloat32 : torch::kFloat64;
  const auto weight = torch::tensor(std::vector<float>(given.values.begin(), given.values.end()))
                          .reshape(shape.shape)
                          .to(type)
                          .contiguous(torch::MemoryFormat::ChannelsLast);
  const auto offset = torch::tensor(bias, torch::kFloat64).to(type);
  const auto m = per_channel(multiplier), m_negative = per_channel(negative);
  const bool sloped = multiplier != negative;
  LevelRange range = range_of(writes_);
  for (const Activation& act : {op.act, op.post}) {
    range.lo = clamped(act, out, range.lo);
    range.hi = clamped(act, out, range.hi);
  }
  return TorchNode([=, reads = reads_, writes = writes_](Inputs x) {
    const auto sum = convolved(op, levels(x[0], reads[0]).to(type), weight, offset).to(torch::kFloat32);
    auto steps = sum * (sloped ? torch::where(sum < 0, m_negative, m) : m);
    if (x.size() > 1) {
      const auto other = repeated(levels(x[1], reads[1]), op.residual_repeat);
      // A 16-bit trunk rounds before the addition, and its tensors share one scale.
      if (wide) steps = from_steps(steps, range_of(writes), 1);
      const float ratio = reads[1].quant.scale / writes.quant.scale;
      steps = steps + other * ratio;
    }
    return from_steps(steps, range, writes.quant.scale);
  });
}

}  // namespace

Result<TorchNode> torch_node(const Graph& graph, const Calib* calib, int index, const Processor& processor) {
  const Node& node = graph.nodes[size_t(index)];
  if (const std::string why = processor.supports(graph, node); !why.empty())
    return bad_input(fmt::format("node \"{}\": {} refuses it: {}", node.name, processor.name(), why));
  std::vector<Stored> reads;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    auto form = processor.reads(graph, calib, index, int(i));
    if (!form) return form.error();
    reads.push_back(*form);
  }
  const auto writes = processor.writes(graph, calib, index);
  if (!writes) return writes.error();
  const Numbers numbers = processor.numbers() == Numbers::f32 || processor.numbers() == Numbers::bf16
                              ? processor.numbers()
                              : Numbers::int8;
  return std::visit(Maker(graph, calib, node, numbers, std::move(reads), *writes), node.op);
}

}  // namespace fye
