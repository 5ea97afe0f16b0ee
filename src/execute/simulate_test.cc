#include "execute/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "execute/plain.h"
#include "execute/testing_graphs.h"
#include "graph/units.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using testing::FloatMap;
using ::testing::HasSubstr;
using testing::TestPicture;

// One convolution 1 x 1 from one channel to one, weight 2 = 0.5 * 4, on two pixels.
struct OneConv {
  Graph graph;
  Calib calib;

  explicit OneConv(const Activation& act = {}) {
    graph.tensors = {{"in", {1, 1, -1, -1}}, {"out", {1, 1, -1, -1}}};
    graph.inputs = {0}, graph.outputs = {1};
    graph.constants = {{{1, 1, 1, 1}, {2}}, {{1}, {3}}};
    graph.nodes = {{"conv", {0}, 1, Conv{.weight = 0, .bias = 1, .act = act, .post = {}}}};
    calib.tensors = {{"in", {0.5f, 10}}, {"out", {1, 20}}};
    calib.weights["conv"] = {{0.5f}, {4}, {3}};
  }
  Result<std::vector<StoredTensor>> run(float a, float b) const {
    const Numbers numbers[] = {Numbers::int8};
    return simulate(graph, &calib, numbers, {Numbers::f32, {}, {{1, 1, 1, 2}, {a, b}}});
  }
};

// q_x = x / 0.5 + 10; acc = (q_x - 10) * 4 + 3 / 0.25; y = acc * 0.25 + 20 for multiples.
TEST(Simulate, ConvolutionByHand) {
  const auto tensors = OneConv().run(2, -1);
  ASSERT_TRUE(tensors);
  EXPECT_EQ((*tensors)[1].numbers, Numbers::int8);
  EXPECT_EQ((*tensors)[1].dense.values, (std::vector<float>{27, 21}));  // 2 * 2 + 3, 2 * -1 + 3, plus 20
}

TEST(Simulate, ReluAndSlopesByHand) {
  EXPECT_EQ((*OneConv({.kind = Activation::Kind::relu}).run(2, -4))[1].dense.values,
            (std::vector<float>{27, 20}));
  // 2 * -4 + 3 = -5, times 0.5 is -2.5, to even -2.
  EXPECT_EQ((*OneConv({.kind = Activation::Kind::leaky_relu, .slope = {0.5f}}).run(2, -4))[1].dense.values,
            (std::vector<float>{27, 18}));
  EXPECT_EQ(
      (*OneConv({.kind = Activation::Kind::clip, .slope = {}, .lo = -1, .hi = 5}).run(2, -4))[1].dense.values,
      (std::vector<float>{25, 19}));
}

TEST(Simulate, InputIsRoundedHalfToEvenAndSaturates) {
  const auto tensors = OneConv().run(0.25f, 1e9f);  // 0.5 steps -> 0; far beyond -> 255
  EXPECT_EQ((*tensors)[1].dense.values, (std::vector<float>{23, 255}));
}

TEST(Simulate, AddByHand) {
  Graph graph;
  graph.tensors = {{"in", {1, 1, -1, -1}}, {"twice", {1, 1, -1, -1}}};
  graph.inputs = {0}, graph.outputs = {1};
  graph.nodes = {{"add", {0, 0}, 1, Binary{}}};
  Calib calib;
  calib.tensors = {{"in", {1, 0}}, {"twice", {4, 5}}};
  const Numbers numbers[] = {Numbers::int8};
  const auto tensors = simulate(graph, &calib, numbers, {Numbers::int8, {1, 0}, {{1, 1, 1, 3}, {8, 1, 255}}});
  EXPECT_EQ((*tensors)[1].dense.values,
            (std::vector<float>{9, 5, 133}));  // 4, 0.5 -> 0, 127.5 -> 128, plus 5
}

TEST(Simulate, Refusals) {
  OneConv c;
  const Numbers bf16[] = {Numbers::bf16}, int8[] = {Numbers::int8};
  const StoredTensor input{Numbers::f32, {}, {{1, 1, 1, 1}, {0}}};
  EXPECT_THAT(simulate(c.graph, &c.calib, bf16, input).error().what, HasSubstr("conv"));
  EXPECT_THAT(simulate(c.graph, nullptr, int8, input).error().what, HasSubstr("\"in\""));
  EXPECT_FALSE(simulate(c.graph, &c.calib, {}, input));
  c.calib.weights.clear();
  EXPECT_THAT(simulate(c.graph, &c.calib, int8, input).error().what, HasSubstr("no weights"));
  c.calib.weights["conv"] = {{0.5f}, {4, 4}, {3}};
  EXPECT_THAT(simulate(c.graph, &c.calib, int8, input).error().what, HasSubstr("another shape"));
  const OneConv smooth({.kind = Activation::Kind::tanh});
  EXPECT_THAT(smooth.run(0, 0).error().what, HasSubstr("integer form"));
}

// A map as the stored tensor it is: levels where it is u8.
StoredTensor stored(const Map& map) {
  StoredTensor tensor{map.type == DType::u8 ? Numbers::int8 : Numbers::f32,
                      map.quant,
                      {{1, map.channels, map.region.h, map.region.w}, {}}};
  for (int c = 0; c < map.channels; ++c)
    for (int y = map.region.y; y < map.region.y + map.region.h; ++y)
      for (int x = map.region.x; x < map.region.x + map.region.w; ++x)
        tensor.dense.values.push_back(map.type == DType::u8 ? float(map.at<uint8_t>(y, x)[c])
                                                            : map.at<float>(y, x)[c]);
  return tensor;
}

// Every tensor that a run writes, and the input.
std::vector<StoredTensor> run(const Graph& graph, const Calib& calib, std::span<const Numbers> numbers,
                              TestPicture& picture, Isa max) {
  std::vector<const Processor*> placement;
  for (const Numbers n : numbers)
    placement.push_back(*find_processor(n == Numbers::int8 ? "cpu.int8" : "cpu.f32", max));
  auto executor = Executor::prepare(graph, &calib, placement,
                                    {.height = picture.height, .width = picture.width, .max = max});
  EXPECT_TRUE(executor) << (executor ? "" : executor.error().text());
  std::vector<StoredTensor> tensors(graph.tensors.size());
  tensors[size_t(graph.inputs[0])] = stored(picture.map());
  const Observer observer = [&](int node, const Map& out) {
    tensors[size_t(graph.nodes[size_t(node)].output)] = stored(out);
  };
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool threads(1);
  EXPECT_TRUE(executor->run(picture.map(), out.map(), threads, &observer));
  return tensors;
}

std::vector<Numbers> numbers_of(const Graph& graph, const std::vector<Unit>& units, unsigned mask) {
  std::vector<Numbers> numbers(graph.nodes.size(), Numbers::f32);
  for (size_t u = 0; u < units.size(); ++u)
    for (const int node : units[u].nodes)
      if (mask >> u & 1) numbers[size_t(node)] = Numbers::int8;
  return numbers;
}

struct Counts {
  size_t entered = 0, different = 0, far = 0;
};

// Levels of `real` and `simulated` under `quant`, compared.
void count(const StoredTensor& real, const StoredTensor& simulated, const Quant& quant, Counts& counts) {
  for (size_t i = 0; i < real.dense.values.size(); ++i) {
    const auto level = [&](float x) {
      return std::clamp(std::nearbyint(x / quant.scale) + float(quant.zero), 0.0f, 255.0f);
    };
    const float d = std::fabs(level(real.dense.values[i]) - level(simulated.dense.values[i]));
    ++counts.entered;
    counts.different += d > 0;
    counts.far += d > 1;
  }
}

// Over all 2^units placements.
void expect_contract(const Graph& graph, const Calib& calib, TestPicture picture) {
  const std::vector<Unit> units = units_of(graph);
  Counts counts;
  for (unsigned mask = 0; mask < 1u << units.size(); ++mask) {
    const auto numbers = numbers_of(graph, units, mask);
    const auto expected = simulate(graph, &calib, numbers, stored(picture.map()));
    ASSERT_TRUE(expected) << expected.error().text();

    // Reference kernels: the whole plan, bit for bit.
    const auto reference = run(graph, calib, numbers, picture, Isa::scalar);
    for (const Node& node : graph.nodes) {
      const size_t t = size_t(node.output);
      ASSERT_EQ(reference[t].numbers, (*expected)[t].numbers) << node.name;
      ASSERT_EQ(reference[t].dense.shape, (*expected)[t].dense.shape) << node.name;
      ASSERT_EQ(reference[t].dense.values, (*expected)[t].dense.values)
          << node.name << " in placement " << mask;
    }

    // Fast kernels: each int8 node exactly, from what the runtime gave it; what enters int8 within a level.
    const auto fast = run(graph, calib, numbers, picture, active_isa());
    double largest = 1e-9, worst = 0;
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const Node& node = graph.nodes[n];
      const size_t t = size_t(node.output);
      if (numbers[n] == Numbers::int8) {
        const auto alone = simulate_node(graph, &calib, int(n), numbers[n], fast);
        ASSERT_TRUE(alone);
        ASSERT_EQ(fast[t].dense.values, alone->dense.values) << node.name << " in placement " << mask;
        for (const TensorId in : node.inputs)
          if (fast[size_t(in)].numbers == Numbers::f32)
            count(fast[size_t(in)], *simulate_node(graph, &calib, graph.producer(in), Numbers::f32, fast),
                  calib.tensors.at(graph.tensors[size_t(in)].name), counts);
      } else if (mask == 0) {
        for (size_t i = 0; i < fast[t].dense.values.size(); ++i) {
          largest = std::max(largest, double(std::fabs((*expected)[t].dense.values[i])));
          worst =
              std::max(worst, double(std::fabs(fast[t].dense.values[i] - (*expected)[t].dense.values[i])));
        }
      }
    }
    EXPECT_LE(worst, 1e-4 * largest);
  }
  EXPECT_GT(counts.entered, 0u);
  EXPECT_EQ(counts.far, 0u);
  EXPECT_LE(double(counts.different), 0.001 * double(counts.entered) + 1);
}

TEST(Simulate, AllPlacementsOfAbpn) {
  const Graph graph = fuse(abpn(3, random_weights(1)));
  ASSERT_EQ(units_of(graph).size(), 7u);
  expect_contract(graph, testing::made_up_calib(graph), TestPicture(4, 5, 3));
}

TEST(Simulate, AllPlacementsOfABranchedNet) {
  const Graph graph = testing::branched();
  expect_contract(graph, testing::made_up_calib(graph), TestPicture(7, 6, 3));
}

TEST(Simulate, AllPlacementsOfSrvgg) {
  const Graph graph = fuse(srvgg(2, 8, 2, random_weights(2)));
  Calib calib = testing::made_up_calib(graph);
  for (auto& [name, quant] : calib.tensors) quant.scale /= 255;  // the net works on 0..1
  TestPicture picture(6, 7, 3);
  expect_contract(graph, calib, picture);
}

}  // namespace
}  // namespace fye
