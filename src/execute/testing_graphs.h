// Small seeded networks with made-up calibrations, for tests of executors and of everything above them.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "graph/calib.h"
#include "graph/graph.h"
#include "graph/passes/passes.h"
#include "kernels/map.h"
#include "quant/ranges.h"

namespace fye::testing {

// Builds graphs node by node with seeded weights; `take()` gives the fused form.
class Builder {
 public:
  Builder(int channels, uint32_t seed) : random_(seed) {
    graph_.tensors.push_back({"input", {1, channels, -1, -1}});
    graph_.inputs = {0};
    channels_ = {channels};
  }

  TensorId conv(TensorId in, int out_channels, int kernel, int stride = 1) {
    Conv conv{.kernel_h = kernel, .kernel_w = kernel, .stride_h = stride, .stride_w = stride};
    conv.pad_top = conv.pad_left = conv.pad_bottom = conv.pad_right = kernel / 2;
    const int in_channels = channels_[size_t(in)];
    const float spread = 1.5f / std::sqrt(float(in_channels * kernel * kernel));
    conv.weight = constant({out_channels, in_channels, kernel, kernel}, spread);
    conv.bias = constant({out_channels}, 4.f);
    return node("conv", {in}, conv, out_channels);
  }
  TensorId relu(TensorId in) {
    return node("relu", {in}, Elementwise{{.kind = Activation::Kind::relu}}, channels_[size_t(in)]);
  }
  TensorId leaky(TensorId in, float slope) {
    return node("leaky", {in}, Elementwise{{.kind = Activation::Kind::leaky_relu, .slope = {slope}}}, channels_[size_t(in)]);
  }
  TensorId clip(TensorId in, float lo, float hi) {
    return node("clip", {in}, Elementwise{{.kind = Activation::Kind::clip, .slope = {}, .lo = lo, .hi = hi}}, channels_[size_t(in)]);
  }
  TensorId add(TensorId a, TensorId b) { return node("add", {a, b}, Binary{}, channels_[size_t(a)]); }
  TensorId repeat(TensorId in, int times) {
    return node("concat", std::vector<TensorId>(size_t(times), in), Concat{}, channels_[size_t(in)] * times);
  }
  TensorId concat(TensorId a, TensorId b) {
    return node("concat", {a, b}, Concat{}, channels_[size_t(a)] + channels_[size_t(b)]);
  }
  TensorId shuffle(TensorId in, int block, bool crd = false) {
    return node("shuffle", {in}, DepthToSpace{block, crd}, channels_[size_t(in)] / block / block);
  }
  TensorId nearest(TensorId in, int factor) {
    return node("nearest", {in}, Resize{.factor_h = factor, .factor_w = factor}, channels_[size_t(in)]);
  }
  TensorId global_average(TensorId in) { return node("gap", {in}, GlobalAveragePool{}, channels_[size_t(in)]); }

  Graph take(TensorId output) {
    graph_.outputs = {output};
    return fuse(std::move(graph_));
  }

 private:
  ConstantId constant(Shape shape, float spread) {
    std::normal_distribution<float> normal(0, spread);
    Constant constant{shape, std::vector<float>(size_t(element_count(shape)))};
    for (float& value : constant.values) value = normal(random_);
    graph_.constants.push_back(std::move(constant));
    return int(graph_.constants.size()) - 1;
  }
  TensorId node(const char* kind, std::vector<TensorId> inputs, Attributes op, int channels) {
    const TensorId out = int(graph_.tensors.size());
    const std::string name = kind + std::to_string(out);
    graph_.tensors.push_back({name + "_out", {1, channels, -1, -1}});
    graph_.nodes.push_back({name, std::move(inputs), out, std::move(op)});
    channels_.push_back(channels);
    return out;
  }

  Graph graph_;
  std::vector<int> channels_;
  std::mt19937 random_;
};

// ABPN in little: a chain, the repeated anchor, depth-to-space, clip.
inline Graph small_abpn(int scale = 3, int width = 10, uint32_t seed = 1) {
  Builder b(3, seed);
  TensorId x = 0;
  for (int i = 0; i < 3; ++i) x = b.relu(b.conv(x, width, 3));
  x = b.conv(b.relu(b.conv(x, 3 * scale * scale, 3)), 3 * scale * scale, 3);
  x = b.add(x, b.repeat(0, scale * scale));
  return b.take(b.clip(b.shuffle(x, scale), 0, 255));
}

// A graph with everything tiles and plans find hard: long and short skips, a concatenation, nearest and shuffled enlargement,
// two activations, kernels 1, 3 and 5.
inline Graph branched(uint32_t seed = 2) {
  Builder b(3, seed);
  const TensorId head = b.relu(b.conv(0, 8, 5));
  TensorId x = b.add(b.conv(b.leaky(b.conv(head, 8, 3), 0.2f), 8, 3), head);
  x = b.concat(x, b.conv(head, 5, 1));
  x = b.relu(b.conv(b.nearest(b.conv(x, 6, 1), 2), 12, 3));
  return b.take(b.clip(b.shuffle(b.conv(x, 12, 3), 2, true), -1000, 1000));
}

// Ranges wide enough to be used and narrow enough to saturate now and then; tensors that only move bytes share theirs.
inline Calib made_up_calib(const Graph& graph, uint32_t seed = 3) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> range(60, 300);
  Calib calib;
  calib.tensors[graph.tensors[size_t(graph.inputs[0])].name] = {1, 0};
  for (const Node& node : graph.nodes) {
    Quant quant = quant_for_range(-range(random) / 2, range(random));
    const bool moves = node.as<DepthToSpace>() || node.as<Resize>();
    if (moves) quant = calib.tensors.at(graph.tensors[size_t(node.inputs[0])].name);
    calib.tensors[graph.tensors[size_t(node.output)].name] = quant;
    if (const Conv* conv = node.as<Conv>()) {
      const Constant& weight = graph.constants[size_t(conv->weight)];
      SymmetricWeights q = quantise_weights(weight.values, int(weight.shape[0]), true);
      calib.weights[node.name] = {q.scale, q.values, graph.constants[size_t(conv->bias)].values};
    }
  }
  return calib;
}

// A packed u8 picture of noise over soft gradients, with the readable slack that maps ask for.
struct TestPicture {
  int height, width, channels;
  std::vector<uint8_t> bytes;
  TestPicture(int h, int w, int c, uint32_t seed = 5) : height(h), width(w), channels(c), bytes(size_t(h) * w * c + 256) {
    std::mt19937 random(seed);
    for (int y = 0; y < h; ++y)
      for (int x = 0; x < w; ++x)
        for (int i = 0; i < c; ++i)
          bytes[size_t((y * w + x) * c + i)] = uint8_t((y * 3 + x * 5 + i * 40 + int(random() % 64)) % 256);
  }
  Map map() {
    Map m{.type = DType::u8, .quant = {1, 0}, .channels = channels, .pitch = channels};
    m.region = {0, 0, height, width};
    m.row_bytes = ptrdiff_t(width) * channels;
    m.origin = reinterpret_cast<std::byte*>(bytes.data());
    return m;
  }
};

// A packed float map that owns its values.
struct FloatMap {
  int height, width, channels;
  std::vector<float> values;
  FloatMap(int h, int w, int c) : height(h), width(w), channels(c), values(size_t(h) * w * c + 64) {}
  Map map() {
    Map m{.type = DType::f32, .channels = channels, .pitch = channels};
    m.region = {0, 0, height, width};
    m.row_bytes = ptrdiff_t(width) * channels * 4;
    m.origin = reinterpret_cast<std::byte*>(values.data());
    return m;
  }
};

}  // namespace fye::testing
