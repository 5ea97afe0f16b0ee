#include "learn/net.h"

#include <fmt/format.h>

#include <cmath>

namespace fye {
namespace {

// Published sizes: ABPN has 28 feature channels, EDSR-baseline 16 blocks of 64.
constexpr int kAbpnWidth = 28, kAbpnMiddle = 4;
constexpr int kEdsrWidth = 64, kEdsrBlocks = 16;
// Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", 2016: 9-5-5.
constexpr int kSrcnnWidth = 64, kSrcnnMiddle = 32;
// DIV2K's mean colour in 0..1, which EDSR subtracts before its first layer.
constexpr float kEdsrMean[3] = {0.4488f, 0.4371f, 0.4040f};
// The layer before a residual addition starts small, so that an untrained network is close to its skip path.
constexpr float kResidualGain = 0.1f;

NetSpec abpn(int scale) {
  NetSpec spec{"abpn", scale, {}};
  const int cells = spec.cell_channels();
  spec.layers.push_back({"conv1", 3, kAbpnWidth, true});
  for (int i = 0; i < kAbpnMiddle; ++i)
    spec.layers.push_back({fmt::format("conv{}", i + 2), kAbpnWidth, kAbpnWidth, true});
  spec.layers.push_back({"conv6", kAbpnWidth, cells, true});
  spec.layers.push_back({"conv7", cells, cells, false, kResidualGain});
  return spec;
}

NetSpec edsr_baseline(int scale) {
  NetSpec spec{"edsr-baseline", scale, {}};
  spec.layers.push_back({"head", 3, kEdsrWidth, false});
  for (int i = 0; i < kEdsrBlocks; ++i) {
    spec.layers.push_back({fmt::format("block{}.conv1", i), kEdsrWidth, kEdsrWidth, true});
    spec.layers.push_back({fmt::format("block{}.conv2", i), kEdsrWidth, kEdsrWidth, false, kResidualGain});
  }
  spec.layers.push_back({"body", kEdsrWidth, kEdsrWidth, false, kResidualGain});
  spec.layers.push_back({"up", kEdsrWidth, kEdsrWidth * scale * scale, false});
  spec.layers.push_back({"tail", kEdsrWidth, 3, false, kResidualGain});
  return spec;
}

// The published graph has no skip. One channel carries the luma through (ReLU leaves it alone, for luma is
// positive), so that training begins near bicubic's score all the same.
NetSpec srcnn(int scale) {
  constexpr int features = kSrcnnWidth, middle = kSrcnnMiddle;
  NetSpec spec{"srcnn", scale, {}, true};
  spec.layers = {{.name = "conv1", .in = 1, .out = features, .relu = true, .kernel = 9},
                 {.name = "conv2", .in = features, .out = middle, .relu = true, .kernel = 5},
                 {.name = "conv3", .in = middle, .out = 1, .init_gain = kResidualGain, .kernel = 5}};
  for (auto& layer : spec.layers) layer.carry = true;
  return spec;
}

torch::Tensor forward_abpn(const NetSpec& spec, const Arithmetic& a, const torch::Tensor& input) {
  const auto in = a.store("input", input);
  auto x = in;
  const size_t last = spec.layers.size() - 1;
  for (size_t i = 0; i < last; ++i) x = a.store(spec.layers[i].name, a.convolve(i, x));
  const auto anchor = in.repeat({1, spec.scale * spec.scale, 1, 1});
  return a.store(output_name(spec), a.convolve(last, x) + anchor);
}

torch::Tensor forward_edsr(const NetSpec& spec, const Arithmetic& a, const torch::Tensor& input) {
  const auto mean =
      torch::tensor({kEdsrMean[0], kEdsrMean[1], kEdsrMean[2]}).mul(255 / kUnit).view({1, 3, 1, 1});
  const auto shift = mean.to(input.scalar_type());
  size_t i = 0;
  const auto convolve = [&](const torch::Tensor& x) { return a.convolve(i++, x); };
  const auto name = [&] { return spec.layers[i - 1].name; };

  auto x = convolve(a.store("shifted", input - shift));
  const auto head = x = a.store(name(), x);
  for (int block = 0; block < kEdsrBlocks; ++block) {
    auto inner = convolve(x);
    inner = a.store(name(), inner);
    auto sum = convolve(inner) + x;
    x = a.store(name() + "+add", sum);
  }
  x = convolve(x) + head;
  x = a.store(name() + "+add", x);
  x = convolve(x);
  x = torch::pixel_shuffle(a.store(name(), x), spec.scale);
  x = convolve(x) + shift;
  return picture_to_cells(a.store(output_name(spec), x), spec.scale);
}

torch::Tensor forward_srcnn(const NetSpec& spec, const Arithmetic& a, const torch::Tensor& input) {
  auto x = a.store("input", input);
  for (size_t i = 0; i < spec.layers.size(); ++i) x = a.store(spec.layers[i].name, a.convolve(i, x));
  return x;
}

}  // namespace

Result<NetSpec> net_spec(const std::string& net, int scale) {
  if (net == "abpn" && scale >= 2 && scale <= 4) return abpn(scale);
  if (net == "edsr-baseline" && scale == 2) return edsr_baseline(scale);
  if (net == "srcnn" && scale >= 2 && scale <= 4) return srcnn(scale);
  return usage_error(fmt::format("no network '{}' for scale {}", net, scale),
                     "there are abpn and srcnn for scale 2, 3 and 4, and edsr-baseline for scale 2");
}

Weights initial_weights(const NetSpec& spec, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  Weights weights;
  for (const auto& layer : spec.layers) {
    const int size = layer.kernel;
    const double sigma = layer.init_gain * std::sqrt((layer.relu ? 2.0 : 1.0) / (size * size * layer.in));
    auto kernel = torch::empty({layer.out, layer.in, size, size}).normal_(0, sigma, generator);
    if (layer.carry) {
      if (layer.relu) kernel[0].zero_();
      kernel[0][0][size / 2][size / 2] += 1;
    }
    weights.kernels.push_back(kernel);
    weights.biases.push_back(torch::zeros({layer.out}));
  }
  hold_carried(spec, weights);
  return weights;
}

void hold_carried(const NetSpec& spec, Weights& weights) {
  const torch::NoGradGuard no_gradients;
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    if (!spec.layers[i].carry) continue;
    auto over_luma = weights.kernels[i].select(1, 0);
    over_luma -= over_luma.mean({1, 2}, true);
    over_luma[0] += 1.0 / double(over_luma[0].numel());
  }
}

Weights copy_of(const Weights& weights) {
  Weights copy;
  for (const auto& t : weights.kernels)
    copy.kernels.push_back(t.detach().to(torch::kFloat32).clone().contiguous());
  for (const auto& t : weights.biases)
    copy.biases.push_back(t.detach().to(torch::kFloat32).clone().contiguous());
  return copy;
}

Arithmetic float_arithmetic(const NetSpec& spec, const Weights& weights) {
  Arithmetic a;
  a.convolve = [&spec, &weights](size_t i, const torch::Tensor& x) {
    const auto type = x.scalar_type();
    const auto kernel = weights.kernels[i].to(type).contiguous(torch::MemoryFormat::ChannelsLast);
    auto y = torch::conv2d(x, kernel, weights.biases[i].to(type), 1, spec.layers[i].kernel / 2);
    return spec.layers[i].relu ? y.relu_() : y;
  };
  a.store = [](const std::string&, const torch::Tensor& x) { return x; };
  return a;
}

std::string output_name(const NetSpec& spec) { return spec.layers.back().name + (spec.luma ? "" : "+add"); }

torch::Tensor forward(const NetSpec& spec, const Arithmetic& arithmetic, const torch::Tensor& x) {
  if (spec.luma) return forward_srcnn(spec, arithmetic, x);
  return spec.net == "abpn" ? forward_abpn(spec, arithmetic, x) : forward_edsr(spec, arithmetic, x);
}

torch::Tensor cells_to_picture(const torch::Tensor& cells, int scale) {
  const auto n = cells.size(0), h = cells.size(2), w = cells.size(3);
  return cells.reshape({n, scale, scale, 3, h, w})
      .permute({0, 3, 4, 1, 5, 2})
      .reshape({n, 3, h * scale, w * scale});
}

torch::Tensor picture_to_cells(const torch::Tensor& picture, int scale) {
  const auto n = picture.size(0), h = picture.size(2) / scale, w = picture.size(3) / scale;
  return picture.reshape({n, 3, h, scale, w, scale})
      .permute({0, 3, 5, 1, 2, 4})
      .reshape({n, 3 * scale * scale, h, w});
}

torch::Tensor luma_of(const torch::Tensor& pixels) {
  const auto weights = torch::tensor({65.481f, 128.553f, 24.966f}).div_(255).view({1, 3, 1, 1});
  return (pixels.to(torch::kFloat32) * weights).sum(1, true) + 16;
}

}  // namespace fye
