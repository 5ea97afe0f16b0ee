#include "import/ncnn/layers.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "graph/shapes.h"

namespace fye {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();

// Convolution's activation_type; nothing for 0.
Activation activation_of(LayerReader& layer) {
  const int type = layer.whole(9, 0);
  const auto values = layer.numbers(10);
  const auto need = [&](size_t count) {
    if (values.size() < count) layer.fail(fmt::format("activation {} has {} values", type, values.size()));
    return layer.ok();
  };
  switch (type) {
    case 0:
      return {};
    case 1:
      return {.kind = Activation::Kind::relu};
    case 2:
      if (!need(1)) return {};
      return {.kind = Activation::Kind::leaky_relu, .slope = {float(values[0])}};
    case 3:
      if (!need(2)) return {};
      return {.kind = Activation::Kind::clip, .slope = {}, .lo = float(values[0]), .hi = float(values[1])};
    case 4:
      return {.kind = Activation::Kind::sigmoid};
    default:
      layer.fail(fmt::format("activation {}; fye knows 0 to 4 (relu, leaky, clip, sigmoid)", type));
      return {};
  }
}

void read_input(LayerReader& layer) {
  for (int key = 0; key <= 2; ++key) layer.whole(key, 0);
  Graph& graph = layer.model().graph;
  if (!graph.inputs.empty()) return layer.fail("is a second input; fye feeds one picture");
  if (layer.layer().out.size() != 1) return layer.fail("has no single output");
  const int64_t channels = layer.model().input_channels;
  if (channels < 1) return layer.fail("nobody says how many channels it has: no convolution reads it");
  graph.inputs.push_back(TensorId(graph.tensors.size()));
  graph.tensors.push_back({layer.layer().out[0], {1, channels, -1, -1}});
  layer.alias(0, graph.inputs[0]);
}

// Split, Noop, Dropout: the same blob under other names.
void read_alias(LayerReader& layer) {
  const TensorId tensor = layer.input(0);
  layer.must_be(0, 1, "scale");  // Dropout's
  for (int i = 0; i < std::ssize(layer.layer().out); ++i) layer.alias(i, tensor);
}

void read_convolution(LayerReader& layer) {
  Conv op;
  const int out = layer.whole(0, 0);
  op.kernel_w = layer.whole(1, 0);
  op.kernel_h = layer.whole(11, op.kernel_w);
  op.dilation_w = layer.whole(2, 1);
  op.dilation_h = layer.whole(12, op.dilation_w);
  op.stride_w = layer.whole(3, 1);
  op.stride_h = layer.whole(13, op.stride_w);
  if (layer.number(4, 0) < 0) layer.fail("pads automatically (SAME); fye knows counted padding");
  op.pad_left = layer.whole(4, 0);
  op.pad_right = layer.whole(15, op.pad_left);
  op.pad_top = layer.whole(14, op.pad_left);
  op.pad_bottom = layer.whole(16, op.pad_top);
  layer.must_be(18, 0, "padding value");
  const bool biased = layer.whole(5, 0) != 0;
  const double size = layer.number(6, 0);
  op.group = layer.layer().type == "ConvolutionDepthWise" ? layer.whole(7, 1) : 1;
  layer.must_be(8, 0, "int8 scales");
  layer.must_be(19, 0, "dynamic weights");
  const Activation act = activation_of(layer);
  const TensorId in = layer.input(0);
  const int64_t channels = layer.channels(in);
  if (layer.ok() && (op.group < 1 || channels % op.group))
    layer.fail(fmt::format("{} groups of {} channels", op.group, channels));
  if (!layer.ok()) return;
  const Shape shape{out, channels / op.group, op.kernel_h, op.kernel_w};
  // Products of numbers up to 2^15 and of channels stay below 2^64 and are exact enough to differ.
  if (const double wanted = double(out) * double(shape[1]) * op.kernel_h * op.kernel_w; wanted != size)
    return layer.fail(fmt::format("announces {} weights; {} outputs of {}x{} over {} channels are {}", size,
                                  out, op.kernel_h, op.kernel_w, shape[1], wanted));
  op.weight = layer.constant(shape, layer.tagged(int64_t(size)));
  if (biased) op.bias = layer.constant({out}, layer.plain(out));
  if (act.kind == Activation::Kind::none) {
    layer.emit(op, {in});
  } else {
    const TensorId sum = layer.emit_inner(op, {in});
    layer.emit(Elementwise{act}, {sum});
  }
}

void read_prelu(LayerReader& layer) {
  const int count = layer.whole(0, 0);
  Activation act{.kind = count == 1 ? Activation::Kind::leaky_relu : Activation::Kind::prelu};
  act.slope = layer.plain(count);
  const TensorId in = layer.input(0);
  if (count != 1 && count != layer.channels(in))
    layer.fail(fmt::format("{} slopes for another number of channels", count));
  layer.emit(Elementwise{act}, {in});
}

void read_relu(LayerReader& layer) {
  const double slope = layer.number(0, 0);
  if (slope == 0)
    layer.emit(Elementwise{{.kind = Activation::Kind::relu}}, {layer.input(0)});
  else
    layer.emit(Elementwise{{.kind = Activation::Kind::leaky_relu, .slope = {float(slope)}}},
               {layer.input(0)});
}

void read_clip(LayerReader& layer) {
  Activation act{.kind = Activation::Kind::clip};
  // ncnn's defaults are float's largest numbers: no bound.
  act.lo = float(layer.number(0, -double(kInfinite)));
  act.hi = float(layer.number(1, double(kInfinite)));
  layer.emit(Elementwise{act}, {layer.input(0)});
}

void read_sigmoid(LayerReader& layer) {
  layer.emit(Elementwise{{.kind = Activation::Kind::sigmoid}}, {layer.input(0)});
}

void read_tanh(LayerReader& layer) {
  layer.emit(Elementwise{{.kind = Activation::Kind::tanh}}, {layer.input(0)});
}

void read_batch_norm(LayerReader& layer) {
  const int count = layer.whole(0, 0);
  const double epsilon = layer.number(1, 0);
  const auto slope = layer.plain(count), mean = layer.plain(count), variance = layer.plain(count),
             bias = layer.plain(count);
  const TensorId in = layer.input(0);
  if (layer.channels(in) != count)
    layer.fail(fmt::format("statistics of {} channels for another number", count));
  if (!layer.ok()) return;
  Affine op;
  for (size_t c = 0; c < size_t(count); ++c) {
    const double deviation = std::sqrt(double(variance[c]) + epsilon);
    if (!(deviation > 0)) return layer.fail(fmt::format("channel {} has no variance", c));
    op.scale.push_back(float(slope[c] / deviation));
    op.shift.push_back(float(bias[c] - double(mean[c]) * slope[c] / deviation));
  }
  layer.emit(op, {in});
}

// x * scale + shift, the same for each channel, as an Affine that folds into its neighbours.
Affine scaled(LayerReader& layer, TensorId tensor, double scale, double shift) {
  const size_t channels = size_t(layer.channels(tensor));
  return {std::vector<float>(channels, float(scale)), std::vector<float>(channels, float(shift))};
}

enum BinaryType { kAdd, kSub, kMul, kDiv, kMax, kMin, kPow, kRsub, kRdiv };

void read_scalar(LayerReader& layer, int type, double b) {
  const TensorId in = layer.input(0);
  switch (type) {
    case kAdd:
      layer.emit(scaled(layer, in, 1, b), {in});
      return;
    case kSub:
      layer.emit(scaled(layer, in, 1, -b), {in});
      return;
    case kMul:
      layer.emit(scaled(layer, in, b, 0), {in});
      return;
    case kRsub:
      layer.emit(scaled(layer, in, -1, b), {in});
      return;
    case kDiv:
    case kRdiv:
      layer.emit(Binary{.kind = Binary::Kind::div,
                        .constant = layer.constant({1}, {float(b)}),
                        .constant_first = type == kRdiv},
                 {in});
      return;
    default:
      layer.fail(fmt::format("operation {} with a number; fye knows add, sub, mul, div", type));
  }
}

void read_binary(LayerReader& layer) {
  const int type = layer.whole(0, 0);
  const bool scalar = layer.whole(1, 0) != 0;
  const double b = layer.number(2, 0);
  if (scalar) return read_scalar(layer, type, b);
  const TensorId first = layer.input(0), second = layer.input(1);
  switch (type) {
    case kAdd:
      layer.emit(Binary{.kind = Binary::Kind::add}, {first, second});
      return;
    case kSub:
      layer.emit(Binary{.kind = Binary::Kind::sub}, {first, second});
      return;
    case kMul:
      layer.emit(Binary{.kind = Binary::Kind::mul}, {first, second});
      return;
    case kDiv:
      layer.emit(Binary{.kind = Binary::Kind::div}, {first, second});
      return;
    default:
      layer.fail(fmt::format("operation {} of two blobs; fye knows add, sub, mul, div", type));
  }
}

// c0 * x0 + c1 * x1 + ..., or x0 * x1 * ...
void read_eltwise(LayerReader& layer) {
  const int type = layer.whole(0, 0);
  const auto coefficients = layer.numbers(1);
  auto terms = layer.inputs();
  if (type > 1) layer.fail("is a maximum; fye knows products and sums");
  if (terms.size() < 2) layer.fail("has fewer than two inputs");
  if (type == 1 && !coefficients.empty() && coefficients.size() != terms.size())
    layer.fail(fmt::format("{} coefficients for {} inputs", coefficients.size(), terms.size()));
  if (!layer.ok()) return;
  if (type == 1 && !coefficients.empty())
    for (size_t i = 0; i < terms.size(); ++i)
      if (coefficients[i] != 1)
        terms[i] = layer.emit_inner(scaled(layer, terms[i], coefficients[i], 0), {terms[i]});
  const Binary op{.kind = type == 0 ? Binary::Kind::mul : Binary::Kind::add};
  TensorId sum = terms[0];
  for (size_t i = 1; i + 1 < terms.size(); ++i) sum = layer.emit_inner(op, {sum, terms[i]});
  layer.emit(op, {sum, terms.back()});
}

void read_concat(LayerReader& layer) {
  // ncnn's maps have no batch axis; -1 is the last one.
  const double axis = layer.number(0, 0);
  if (axis != 0 && axis != -3) layer.fail(fmt::format("axis {}; fye joins channels, axis 0", axis));
  layer.emit(Concat{1}, layer.inputs());
}

void read_interp(LayerReader& layer) {
  const int type = layer.whole(0, 0);
  const double factor_h = layer.number(1, 1), factor_w = layer.number(2, 1);
  layer.must_be(3, 0, "output height");
  layer.must_be(4, 0, "output width");
  layer.must_be(5, 0, "dynamic target size");
  layer.must_be(6, 0, "align_corner");
  if (type != 1 && type != 3) layer.fail(fmt::format("kind {}; fye knows nearest (1) and bicubic (3)", type));
  for (const double factor : {factor_h, factor_w})
    if (factor < 1 || factor > kMaxAttribute || factor != std::floor(factor))
      layer.fail(fmt::format("resizes by {}; fye knows whole factors", factor),
                 "take the model of the full scale: fye up -s shrinks its result once, antialiased");
  if (!layer.ok()) return;
  const TensorId in = layer.input(0);
  layer.emit(Resize{.kind = type == 1 ? Resize::Kind::nearest : Resize::Kind::bicubic,
                    .factor_h = int(factor_h),
                    .factor_w = int(factor_w)},
             {in});
}

void read_pixel_shuffle(LayerReader& layer) {
  const int factor = layer.whole(0, 1);
  const int mode = layer.whole(1, 0);
  if (mode > 1) layer.fail(fmt::format("mode {}; expected 0 or 1", mode));
  layer.emit(DepthToSpace{.block = factor, .crd = mode == 0}, {layer.input(0)});
}

}  // namespace

std::span<const NcnnRow> ncnn_table() {
  static constexpr NcnnRow kTable[] = {
      {"Input", read_input},
      {"Split", read_alias},
      {"Noop", read_alias},
      {"Dropout", read_alias},
      {"Convolution", read_convolution},
      {"ConvolutionDepthWise", read_convolution},
      {"PReLU", read_prelu},
      {"ReLU", read_relu},
      {"Clip", read_clip},
      {"Sigmoid", read_sigmoid},
      {"TanH", read_tanh},
      {"BatchNorm", read_batch_norm},
      {"BinaryOp", read_binary},
      {"Eltwise", read_eltwise},
      {"Concat", read_concat},
      {"Interp", read_interp},
      {"PixelShuffle", read_pixel_shuffle},
  };
  return kTable;
}

int64_t channels_wanted(const NcnnLayer& layer) {
  if (!layer.type.starts_with("Convolution")) return 0;
  const auto get = [&](int key, double fallback) {
    const auto found = layer.numbers.find(key);
    return found == layer.numbers.end() || found->second.size() != 1 ? fallback : found->second[0];
  };
  const double kernel = get(1, 0), taps = kernel * get(11, kernel);
  const double group = layer.type == "ConvolutionDepthWise" ? get(7, 1) : 1;
  const double channels = get(6, 0) / (get(0, 0) * taps) * group;
  constexpr double kMost = 1 << 15;
  return channels >= 1 && channels <= kMost && channels == std::floor(channels) ? int64_t(channels) : 0;
}

}  // namespace fye
