#include "graph/zoo.h"

#include <fmt/format.h>

#include <cmath>

#include "graph/builder.h"

namespace fye {
namespace {

using Kind = Activation::Kind;

// DIV2K's mean colour, which EDSR subtracts (Lim et al., 2017; times 255).
constexpr float kDiv2kMean[] = {0.4488f * 255, 0.4371f * 255, 0.4040f * 255};

// A GraphBuilder that asks a WeightSource for what its layers need.
class Net {
 public:
  explicit Net(const WeightSource& weights) : weights_(weights) {}

  GraphBuilder& graph() { return graph_; }

  // "same" padding of odd kernels.
  TensorId conv(const std::string& name, TensorId in, int out_channels, int kernel, int stride = 1,
                int group = 1) {
    const int64_t in_channels = graph_.shape(in)[1];
    Conv op{.kernel_h = kernel, .kernel_w = kernel, .stride_h = stride, .stride_w = stride, .group = group};
    op.pad_top = op.pad_left = op.pad_bottom = op.pad_right = kernel / 2;
    op.weight = weight(name + ".weight", {out_channels, in_channels / group, kernel, kernel});
    op.bias = weight(name + ".bias", {out_channels});
    return graph_.node(name, op, {in});
  }
  TensorId relu(const std::string& name, TensorId in) {
    return graph_.node(name, Elementwise{{.kind = Kind::relu}}, {in});
  }
  TensorId prelu(const std::string& name, TensorId in) {
    const Shape channels{graph_.shape(in)[1]};
    return graph_.node(name, Elementwise{{.kind = Kind::prelu, .slope = weights_(name + ".slope", channels)}},
                       {in});
  }
  TensorId add(const std::string& name, TensorId a, TensorId b) {
    return graph_.node(name, Binary{}, {a, b});
  }
  ConstantId weight(const std::string& name, const Shape& shape) {
    return graph_.constant(shape, weights_(name, shape));
  }

 private:
  GraphBuilder graph_;
  const WeightSource& weights_;
};

std::map<std::string, std::string> metadata(int scale, std::string range, std::string colour,
                                            std::string pre) {
  return {{"fye.scale", fmt::format("{}", scale)},
          {"fye.range", std::move(range)},
          {"fye.colour", std::move(colour)},
          {"fye.pre", std::move(pre)}};
}

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
uint64_t next(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// [0, 1)
double uniform(uint64_t& state) { return static_cast<double>(next(state) >> 11) * 0x1p-53; }

// Normal by the sum of twelve uniform numbers: no libm, so the same bits everywhere.
double normal(uint64_t& state) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += uniform(state);
  return sum;
}

}  // namespace

WeightSource random_weights(uint64_t seed) {
  return [state = seed](const std::string& name, const Shape& shape) mutable {
    std::vector<float> values(static_cast<size_t>(element_count(shape)));
    const double fan_in =
        shape.size() < 2 ? 1 : static_cast<double>(values.size()) / static_cast<double>(shape[0]);
    const double sigma = std::sqrt(2 / fan_in);
    for (float& value : values)
      value = static_cast<float>(name.ends_with(".weight")  ? sigma * normal(state)
                                 : name.ends_with(".slope") ? uniform(state) / 2
                                                            : 8 * uniform(state) - 4);
    return values;
  };
}

Graph abpn(int scale, const WeightSource& weights) {
  Net net(weights);
  GraphBuilder& g = net.graph();
  const int features = 28, cells = 3 * scale * scale;
  const TensorId in = g.input("input", {1, 3, -1, -1});
  TensorId x = in;
  for (int i = 1; i <= 6; ++i)
    x = net.relu(fmt::format("relu{}", i),
                 net.conv(fmt::format("conv{}", i), x, i < 6 ? features : cells, 3));
  x = net.conv("conv7", x, cells, 3);
  const TensorId anchor =
      g.node("anchor", Concat{}, std::vector<TensorId>(static_cast<size_t>(scale * scale), in));
  x = g.node("shuffle", DepthToSpace{.block = scale}, {net.add("add", x, anchor)});
  x = g.node("clip", Elementwise{{.kind = Kind::clip, .lo = 0, .hi = 255}}, {x}, "output");
  return g.finish({x}, metadata(scale, "0..255", "rgb", "none"));
}

Graph edsr_baseline_x2(const WeightSource& weights) {
  Net net(weights);
  GraphBuilder& g = net.graph();
  const int features = 64;
  Affine subtract{{1, 1, 1}, {}}, add{{1, 1, 1}, {}};
  for (const float mean : kDiv2kMean) subtract.shift.push_back(-mean), add.shift.push_back(mean);

  const TensorId centred = g.node("sub_mean", subtract, {g.input("input", {1, 3, -1, -1})});
  const TensorId head = net.conv("head", centred, features, 3);
  TensorId x = head;
  for (int i = 0; i < 16; ++i) {
    const std::string block = fmt::format("block{}.", i);
    const TensorId inner = net.relu(block + "relu", net.conv(block + "conv1", x, features, 3));
    x = net.add(block + "add", net.conv(block + "conv2", inner, features, 3), x);
  }
  x = net.add("skip", net.conv("body", x, features, 3), head);
  x = g.node("shuffle", DepthToSpace{.block = 2, .crd = true}, {net.conv("up", x, 4 * features, 3)});
  x = g.node("add_mean", add, {net.conv("tail", x, 3, 3)}, "output");
  return g.finish({x}, metadata(2, "0..255", "rgb", "none"));
}

Graph srcnn(int scale, const WeightSource& weights, int middle) {
  Net net(weights);
  GraphBuilder& g = net.graph();
  TensorId x = net.relu("relu1", net.conv("conv1", g.input("input", {1, 1, -1, -1}), 64, 9));
  x = net.relu("relu2", net.conv("conv2", x, 32, middle));
  x = net.conv("conv3", x, 1, 5);
  x = g.node("clip", Elementwise{{.kind = Kind::clip, .lo = 0, .hi = 1}}, {x}, "output");
  return g.finish({x}, metadata(scale, "0..1", "y", "bicubic"));
}

Graph srvgg(int scale, int features, int convs, const WeightSource& weights) {
  Net net(weights);
  GraphBuilder& g = net.graph();
  const TensorId in = g.input("input", {1, 3, -1, -1});
  TensorId x = in;
  for (int i = 0; i <= convs; ++i)
    x = net.prelu(fmt::format("prelu{}", i), net.conv(fmt::format("conv{}", i), x, features, 3));
  x = net.conv(fmt::format("conv{}", convs + 1), x, 3 * scale * scale, 3);
  x = g.node("shuffle", DepthToSpace{.block = scale, .crd = true}, {x});
  const TensorId skip = g.node("enlarge", Resize{.factor_h = scale, .factor_w = scale}, {in});
  x = g.node("add", Binary{}, {x, skip}, "output");
  return g.finish({x}, metadata(scale, "0..1", "rgb", "none"));
}

Graph small_classifier(int size, const WeightSource& weights) {
  Net net(weights);
  GraphBuilder& g = net.graph();
  const auto normalised = [&](const std::string& name, TensorId in) {
    const Shape channels{g.shape(in)[1]};
    Affine affine{weights(name + ".scale", channels), weights(name + ".shift", channels)};
    return g.node(name, affine, {in});
  };
  TensorId x = g.input("input", {1, 3, size, size});
  x = net.relu("relu1", normalised("norm1", net.conv("conv1", x, 16, 3, 2)));
  x = g.node("pool", Pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}, {x});
  x = net.relu("relu2", normalised("norm2", net.conv("conv2", x, 16, 3, 1, 16)));
  x = net.relu("relu3", net.conv("conv3", x, 32, 1));
  x = g.node("mean", GlobalAveragePool{}, {x});
  x = g.node("flatten", Reshape{}, {x});
  Gemm gemm{
      .weight = net.weight("fc.weight", {10, 32}), .bias = net.weight("fc.bias", {10}), .trans_b = true};
  x = g.node("fc", gemm, {x});
  x = g.node("softmax", Softmax{.axis = 1}, {x}, "output");
  return g.finish({x});
}

}  // namespace fye
