#include "execute/bias_correction.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

#include "kernels/reference/dense.h"
#include "kernels/reference/dense_map.h"
#include "quant/ranges.h"

namespace fye {
namespace {

struct Case {
  Graph graph;
  Calib calib;
};

// One convolution of any geometry with weights quantised coarsely enough that the error is large.
Case random_conv(std::mt19937& random) {
  const auto pick = [&](int lo, int hi) { return lo + int(random() % unsigned(hi - lo + 1)); };
  std::normal_distribution<float> normal(0.3f, 1);
  Case c;
  Conv conv{.kernel_h = pick(1, 3), .kernel_w = pick(1, 4), .stride_h = pick(1, 2), .stride_w = pick(1, 3)};
  conv.dilation_h = pick(1, 2), conv.dilation_w = pick(1, 2);
  conv.pad_top = pick(0, 2), conv.pad_left = pick(0, 2), conv.pad_bottom = pick(0, 2),
  conv.pad_right = pick(0, 2);
  conv.group = pick(1, 2);
  const int in = 2 * pick(1, 2), out = 2 * pick(1, 2);
  c.graph.tensors = {{"in", {1, in, -1, -1}}, {"out", {1, out, -1, -1}}};
  c.graph.inputs = {0}, c.graph.outputs = {1};
  Constant weight{{out, in / conv.group, conv.kernel_h, conv.kernel_w}, {}}, bias{{out}, {}};
  for (int64_t i = 0; i < element_count(weight.shape); ++i) weight.values.push_back(normal(random));
  for (int i = 0; i < out; ++i) bias.values.push_back(normal(random));
  conv.weight = 0, conv.bias = 1;
  conv.act = {.kind = Activation::Kind::relu};
  c.calib.tensors = {{"in", {0.4f, 3}}, {"out", {1, 0}}};
  WeightQuant& q = c.calib.weights["conv"];
  q.bias = bias.values;
  for (int i = 0; i < out; ++i) q.scale.push_back(0.25f);
  for (const float w : weight.values) q.values.push_back(int8_t(std::floor(w / 0.25f)));
  c.graph.constants = {weight, bias};
  c.graph.nodes = {{"conv", {0}, 1, conv}};
  return c;
}

Dense random_dense(std::mt19937& random, int channels, int h, int w) {
  std::normal_distribution<float> normal(2, 3);
  Dense dense{{1, channels, h, w}, {}};
  for (int i = 0; i < channels * h * w; ++i) dense.values.push_back(normal(random));
  return dense;
}

// Sum over positions of the convolution's output before its activation, per channel.
std::vector<double> sums(Graph graph, const std::vector<float>& weight, const Dense& in, double& positions) {
  graph.nodes[0].as<Conv>()->act = {};
  graph.constants[0].values = weight;
  const Dense out = *reference_node(graph, graph.nodes[0], std::span(&in, 1));
  const int64_t plane = out.shape[2] * out.shape[3];
  std::vector<double> sum(size_t(out.shape[1]));
  for (size_t i = 0; i < out.values.size(); ++i) sum[i / size_t(plane)] += out.values[i];
  positions += double(plane);
  return sum;
}

RC_GTEST_PROP(BiasCorrection, EqualsTheMeanOfTheTwoConvolutions, ()) {
  std::mt19937 random(unsigned(*rc::gen::arbitrary<int>()));
  const Case c = random_conv(random);
  const Quant grid = c.calib.tensors.at("in");
  const WeightQuant& quantised = c.calib.weights.at("conv");
  BiasCorrection correction(c.graph, c.calib);
  std::vector<double> error(quantised.scale.size());
  double positions = 0, unused = 0;
  for (int picture = 0; picture < 2; ++picture) {
    const int channels = int(c.graph.tensors[0].shape[1]);
    const Dense in = random_dense(random, channels, 7 + int(random() % 4), 8 + int(random() % 4));
    const OwnedMap map =
        make_map(DType::f32, {}, channels, {0, 0, int(in.shape[2]), int(in.shape[3])}, 1, channels + 1);
    put(in, 0, map.map);
    correction.see(0, map.map);

    Dense rounded = in;
    for (float& x : rounded.values) {
      const float q = std::clamp(std::nearbyint(x / grid.scale) + float(grid.zero), 0.0f, 255.0f);
      x = grid.scale * (q - float(grid.zero));
    }
    std::vector<float> weight;
    for (const int8_t q : quantised.values) weight.push_back(0.25f * q);
    const auto exact = sums(c.graph, c.graph.constants[0].values, in, positions);
    const auto coarse = sums(c.graph, weight, rounded, unused);
    for (size_t i = 0; i < error.size(); ++i) error[i] += exact[i] - coarse[i];
  }
  const WeightQuant corrected = correction.corrected().at("conv");
  for (size_t i = 0; i < error.size(); ++i)
    RC_ASSERT(std::fabs(corrected.bias[i] - quantised.bias[i] - error[i] / positions) < 1e-4);
  RC_ASSERT(corrected.values == quantised.values);
  RC_ASSERT(corrected.scale == quantised.scale);
}

TEST(BiasCorrection, NothingSeenNothingChanged) {
  std::mt19937 random(1);
  const Case c = random_conv(random);
  const BiasCorrection correction(c.graph, c.calib);
  EXPECT_EQ(correction.corrected().at("conv").bias, c.calib.weights.at("conv").bias);
}

TEST(BiasCorrection, ExactIntegersNeedNone) {
  std::mt19937 random(2);
  Case c = random_conv(random);
  c.calib.tensors["in"] = {1, 0};
  WeightQuant& q = c.calib.weights.at("conv");
  for (size_t i = 0; i < q.values.size(); ++i) c.graph.constants[0].values[i] = 0.25f * q.values[i];
  const int channels = int(c.graph.tensors[0].shape[1]);
  Dense in = random_dense(random, channels, 9, 9);
  for (float& x : in.values) x = std::clamp(std::nearbyint(x * 20), 0.0f, 255.0f);
  const OwnedMap map = make_map(DType::f32, {}, channels, {0, 0, 9, 9});
  put(in, 0, map.map);
  BiasCorrection correction(c.graph, c.calib);
  correction.see(0, map.map);
  EXPECT_EQ(correction.corrected().at("conv").bias, q.bias);
}

TEST(BiasCorrection, AResidualInputIsNoTap) {
  Graph graph;
  graph.tensors = {{"in", {1, 1, -1, -1}}, {"a", {1, 1, -1, -1}}, {"b", {1, 1, -1, -1}}};
  graph.inputs = {0}, graph.outputs = {2};
  graph.constants = {{{1, 1, 1, 1}, {1.3f}}};
  graph.nodes = {{"first", {0}, 1, Conv{.weight = 0, .act = {}, .post = {}}},
                 {"second", {1, 0}, 2, Conv{.weight = 0, .act = {}, .post = {}}}};
  Calib calib;
  calib.tensors = {{"in", {1, 0}}, {"a", {1, 0}}, {"b", {1, 0}}};
  calib.weights = {{"first", {{1}, {1}, {0}}}, {"second", {{1}, {1}, {0}}}};
  BiasCorrection correction(graph, calib);
  const OwnedMap map = make_map(DType::f32, {}, 1, {0, 0, 1, 1});
  *map.map.at<float>(0, 0) = 10;
  correction.see(0, map.map);
  EXPECT_FLOAT_EQ(correction.corrected().at("first").bias[0], 3);
  EXPECT_EQ(correction.corrected().at("second").bias[0], 0);
}

}  // namespace
}  // namespace fye
