#include "learn/torch_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "graph/builder.h"
#include "graph/random_graph.h"
#include "graph/shapes.h"
#include "graph/zoo.h"
#include "learn/testing_gradients.h"
#include "learn/testing_split.h"
#include "learn/torch_rounding.h"

namespace fye {
namespace {

using testing::dense_of;
using ::testing::HasSubstr;
using testing::noise_picture;
using testing::processors_named;
using testing::tensor_of_dense;

const Processor& on(const std::string& name) { return *processors_named({name})[0]; }

// max |a - b| as a share of max |b|.
double distance(const Dense& a, const Dense& b) {
  EXPECT_EQ(a.shape, b.shape);
  double worst = 0, largest = 1e-9;
  for (size_t i = 0; i < b.values.size() && i < a.values.size(); ++i) {
    worst = std::max(worst, std::fabs(double(a.values[i]) - b.values[i]));
    largest = std::max(largest, std::fabs(double(b.values[i])));
  }
  return worst / largest;
}

// Every node in float, from the reference's own tensors.
void expect_reference(const Graph& graph, const Dense& input) {
  std::vector<Dense> tensors(graph.tensors.size());
  tensors[size_t(graph.inputs[0])] = input;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    std::vector<Dense> dense;
    std::vector<at::Tensor> in;
    for (const TensorId id : node.inputs) {
      dense.push_back(tensors[size_t(id)]);
      in.push_back(tensor_of_dense(dense.back()));
    }
    const auto expected = reference_node(graph, node, dense);
    ASSERT_TRUE(expected) << expected.error().text();
    tensors[size_t(node.output)] = *expected;
    const auto function = torch_node(graph, nullptr, int(n), on("cpu.f32"));
    if (node.as<ConvTranspose>()) {
      EXPECT_FALSE(function);
      continue;
    }
    ASSERT_TRUE(function) << function.error().text();
    // design.md, section 4.
    EXPECT_LE(distance(dense_of((*function)(in)), *expected), 1e-4) << node.name << " " << op_name(node);
  }
}

TEST(TorchNode, IsTheReferenceOnRandomGraphs) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const Graph plain = random_graph(seed, {.nodes = 10});
    const auto input = noise_picture(plain.tensors[size_t(plain.inputs[0])].shape[1], 17, 20, seed);
    expect_reference(plain, dense_of(input));
    expect_reference(fuse(plain), dense_of(input));
    if (HasFailure()) FAIL() << "graph of seed " << seed;
  }
}

TEST(TorchNode, IsTheReferenceOnTheZoo) {
  expect_reference(fuse(abpn(3, random_weights(1))), dense_of(noise_picture(3, 9, 8, 1)));
  expect_reference(fuse(srvgg(2, 8, 2, random_weights(2))), dense_of(noise_picture(3, 9, 8, 2) / 255));
  expect_reference(testing::branched(), dense_of(noise_picture(3, 9, 8, 3)));
}

Graph one_node(const Attributes& op, int inputs = 1, int64_t channels = 4) {
  GraphBuilder b;
  std::vector<TensorId> in{b.input("input", {1, channels, -1, -1})};
  for (int i = 1; i < inputs; ++i) in.push_back(in[0]);
  return b.finish({b.node("it", op, in)});
}

TEST(TorchNode, EveryOpWithOddAttributes) {
  const auto check = [](const Attributes& op, int inputs = 1) {
    expect_reference(one_node(op, inputs), dense_of(noise_picture(4, 11, 13, 5) - 100));
  };
  check(DepthToSpace{2, false});
  check(DepthToSpace{2, true});
  check(Resize{Resize::Kind::nearest, 3, 2});
  check(Resize{Resize::Kind::bicubic, 2, 3, -0.75f});
  check(Resize{Resize::Kind::bicubic, 4, 2, -0.5f});
  for (const auto kind : {Pool::Kind::max, Pool::Kind::average})
    for (const bool include : {false, true}) {
      check(Pool{.kind = kind, .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .count_include_pad = include});
      check(Pool{.kind = kind,
                 .kernel_h = 3,
                 .kernel_w = 3,
                 .stride_h = 2,
                 .stride_w = 2,
                 .pad_top = 1,
                 .pad_left = 0,
                 .pad_bottom = 0,
                 .pad_right = 1,
                 .count_include_pad = include});
      check(Pool{.kind = kind,
                 .kernel_h = 3,
                 .kernel_w = 3,
                 .stride_h = 2,
                 .stride_w = 2,
                 .pad_top = 1,
                 .pad_left = 1,
                 .pad_bottom = 1,
                 .pad_right = 1,
                 .ceil_mode = true,
                 .count_include_pad = include});
      check(Pool{.kind = kind,
                 .kernel_h = 3,
                 .kernel_w = 2,
                 .stride_h = 3,
                 .stride_w = 4,
                 .pad_top = 0,
                 .pad_left = 1,
                 .pad_bottom = 2,
                 .pad_right = 0,
                 .ceil_mode = true,
                 .count_include_pad = include});
    }
  check(Pool{.kind = Pool::Kind::max, .kernel_h = 2, .kernel_w = 2, .dilation_h = 2, .dilation_w = 3});
  check(GlobalAveragePool{});
  check(Affine{{1, -2, 0.5f, 3}, {0, 1, -7, 100}});
  check(Concat{}, 3);
  check(Concat{2}, 2);
  for (const auto kind : {Binary::Kind::add, Binary::Kind::sub, Binary::Kind::mul}) check(Binary{kind}, 2);
  using Kind = Activation::Kind;
  for (const auto kind : {Kind::relu, Kind::leaky_relu, Kind::prelu, Kind::clip, Kind::tanh, Kind::sigmoid}) {
    Activation act{.kind = kind, .slope = {0.25f}, .lo = -3, .hi = INFINITY};
    if (kind == Kind::prelu) act.slope = {0.1f, 0.2f, 0.3f, -0.4f};
    check(Elementwise{act});
  }
}

TEST(TorchNode, NamesWhatItCannotCompute) {
  Graph graph = fuse(small_classifier(16, random_weights(1)));
  std::string refused;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (const auto function = torch_node(graph, nullptr, int(n), on("cpu.f32")); !function) {
      EXPECT_THAT(function.error().what, HasSubstr(graph.nodes[n].name));
      refused += std::string(op_name(graph.nodes[n])) + " ";
    }
  EXPECT_THAT(refused, HasSubstr("gemm"));
  EXPECT_THAT(refused, HasSubstr("softmax"));

  graph = testing::small_residual();
  Calib calib = testing::made_up_calib(graph);
  const auto no_calib = torch_node(graph, nullptr, 0, on("cpu.int8"));
  EXPECT_FALSE(no_calib);
  calib.weights.erase(graph.nodes[0].name);
  EXPECT_THAT(torch_node(graph, &calib, 0, on("cpu.int8")).error().what, HasSubstr(graph.nodes[0].name));
}

// Levels of real values that lie on a grid.
Dense levels_of(const at::Tensor& x, const Quant& quant) {
  return dense_of((x.to(torch::kFloat64) / double(quant.scale)).round() + double(quant.zero));
}

// Every node in int8 from what torch made of the nodes before it, against simulate_node: the same levels.
void expect_simulation(const Graph& graph, const Calib& calib, const at::Tensor& picture) {
  std::vector<at::Tensor> tensors(graph.tensors.size());
  std::vector<StoredTensor> stored(graph.tensors.size());
  tensors[size_t(graph.inputs[0])] = picture;
  stored[size_t(graph.inputs[0])] = {Numbers::f32, {}, dense_of(picture)};
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const auto function = torch_node(graph, &calib, int(n), on("cpu.int8"));
    ASSERT_TRUE(function) << function.error().text();
    std::vector<at::Tensor> in;
    for (const TensorId id : node.inputs) in.push_back(tensors[size_t(id)]);
    const auto expected = simulate_node(graph, &calib, int(n), Numbers::int8, stored);
    ASSERT_TRUE(expected) << expected.error().text();
    const size_t out = size_t(node.output);
    tensors[out] = (*function)(in);
    ASSERT_EQ(levels_of(tensors[out], expected->quant).values, expected->dense.values)
        << node.name << " " << op_name(node);
    stored[out] = *expected;
  }
}

TEST(TorchNode, GivesTheLevelsOfInt8BitForBit) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    for (const Graph& graph :
         {testing::small_abpn(3, 10, seed), testing::branched(seed), testing::small_residual(seed)})
      expect_simulation(graph, testing::made_up_calib(graph, seed), noise_picture(3, 12, 10, seed));
    const Graph slopes = fuse(srvgg(2, 8, 2, random_weights(seed)));
    expect_simulation(slopes, testing::made_up_calib(slopes, seed), noise_picture(3, 9, 7, seed));
  }
}

TEST(TorchNode, WideSumsAreExactToo) {
  // 64 channels of 5 x 5: sums beyond 2^24, where float32 would lose the last bits.
  testing::Builder b(64, 9);
  Graph graph = b.take(b.conv(0, 2, 5));
  Calib calib = testing::made_up_calib(graph);
  auto& weights = calib.weights.at(graph.nodes[0].name);
  for (int8_t& w : weights.values) w = int8_t(w < 0 ? -127 : 127);
  expect_simulation(graph, calib, noise_picture(64, 8, 8, 9));
}

// A trunk in 16 bits, node by node from the simulation's tensors. What an int8r16 convolution reads of it is
// one multiplication there and a division here: design.md's 0.1 % by one level is the bound.
TEST(TorchNode, GivesTheLevelsOfInt8r16) {
  size_t all = 0, different = 0, wide = 0;
  for (uint32_t seed = 1; seed <= 5; ++seed)
    for (const Graph& graph : {testing::small_residual(seed), testing::branched(seed)}) {
      const Calib calib = testing::made_up_calib(graph, seed);
      const auto picture = noise_picture(3, 12, 10, seed);
      const std::vector<Numbers> numbers(graph.nodes.size(), Numbers::int8r16);
      const auto stored = simulate(graph, &calib, numbers, {Numbers::f32, {}, dense_of(picture)});
      ASSERT_TRUE(stored) << stored.error().text();
      const auto real = [&](TensorId id) {
        const StoredTensor& tensor = (*stored)[size_t(id)];
        const auto x = tensor_of_dense(tensor.dense);
        if (tensor.numbers == Numbers::f32) return x;
        return (x - double(tensor.quant.zero)) * double(tensor.quant.scale);
      };
      for (size_t n = 0; n < graph.nodes.size(); ++n) {
        const Node& node = graph.nodes[n];
        const auto function = torch_node(graph, &calib, int(n), on("cpu.int8r16"));
        ASSERT_TRUE(function) << function.error().text();
        std::vector<at::Tensor> in;
        for (const TensorId id : node.inputs) in.push_back(real(id));
        const StoredTensor& expected = (*stored)[size_t(node.output)];
        const Dense given = levels_of((*function)(in), expected.quant);
        ASSERT_EQ(given.shape, expected.dense.shape);
        wide += expected.numbers == Numbers::int8r16;
        for (size_t i = 0; i < given.values.size(); ++i) {
          const float apart = std::fabs(given.values[i] - expected.dense.values[i]);
          ++all, different += apart > 0;
          // A level of the input more or less is up to a weight's worth of levels in 16 bits.
          if (expected.numbers == Numbers::int8) {
            EXPECT_LE(apart, 1) << node.name;
          }
        }
      }
    }
  EXPECT_GT(wide, 0u);
  EXPECT_LE(double(different), 1e-3 * double(all));
}

TEST(TorchNode, BfloatIsWithinItsContract) {
  const Graph graph = testing::small_abpn();
  const auto picture = noise_picture(3, 12, 12, 3);
  const auto bf16 = find_processor("cpu.bf16", active_isa());
  if (!bf16) GTEST_SKIP() << "this processor has no bf16";
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (graph.nodes[n].inputs[0] != graph.inputs[0]) continue;
    const auto narrow = torch_node(graph, nullptr, int(n), **bf16);
    const auto wide = torch_node(graph, nullptr, int(n), on("cpu.f32"));
    const std::vector<at::Tensor> in(graph.nodes[n].inputs.size(), picture);
    ASSERT_TRUE(narrow && wide);
    const auto y = (*narrow)(in);
    EXPECT_TRUE(y.equal(y.to(torch::kBFloat16).to(torch::kFloat32)));
    EXPECT_LE(distance(dense_of(y), dense_of((*wide)(in))), 0.02);
  }
}

TEST(Rounding, GradientsPassInsideTheRange) {
  const Stored grid{DType::u8, {0.5f, 10}};
  auto x = torch::tensor({-100.f, -5.f, 0.3f, 0.74f, 122.5f, 123.f, NAN}).set_requires_grad(true);
  const auto y = in_form(x, grid);
  EXPECT_TRUE(y.equal(torch::tensor({-5.f, -5.f, 0.5f, 0.5f, 122.5f, 122.5f, 0.f})));
  y.sum().backward();
  EXPECT_TRUE(x.grad().equal(torch::tensor({0.f, 1.f, 1.f, 1.f, 1.f, 0.f, 0.f})));
  const auto again = in_form(y.detach(), grid);
  EXPECT_TRUE(again.equal(y));
}

TEST(Rounding, EveryLevelSurvivesItsGrid) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> scales(1e-3f, 9);
  for (int i = 0; i < 200; ++i) {
    const Stored grid{DType::u8, {scales(random), int(random() % 256)}};
    const auto q = torch::arange(256, torch::kFloat32) - double(grid.quant.zero);
    const auto real = q * double(grid.quant.scale);
    EXPECT_TRUE(levels(real, grid).equal(q));
    EXPECT_TRUE(in_form(real, grid).equal(real));
  }
}

TEST(TorchNode, Int8GradientIsTheFloatNodesOnARoundedGrid) {
  // A convolution whose weights lie on their grid: the straight-through gradient is the float one.
  Graph graph = testing::small_abpn();
  const Calib calib = testing::made_up_calib(graph);
  Conv& conv = *graph.nodes[0].as<Conv>();
  const auto& w = calib.weights.at(graph.nodes[0].name);
  auto& values = graph.constants[size_t(conv.weight)].values;
  const size_t taps = values.size() / w.scale.size();
  for (size_t k = 0; k < values.size(); ++k) values[k] = w.scale[k / taps] * float(w.values[k]);
  conv.act = {};
  auto wide = calib;
  wide.tensors.at(graph.tensors[size_t(graph.nodes[0].output)].name) = {50, 128};
  const auto whole = torch_node(graph, &wide, 0, on("cpu.int8")),
             real = torch_node(graph, nullptr, 0, on("cpu.f32"));
  ASSERT_TRUE(whole && real);
  auto a = noise_picture(3, 8, 8, 2).set_requires_grad(true), b = a.detach().clone().set_requires_grad(true);
  (*whole)(std::vector{a}).square().sum().backward();
  const auto y = (*real)(std::vector{b});
  // The square's slope is taken where the rounding left the value.
  y.backward(2 * (*whole)(std::vector{a}).detach());
  EXPECT_TRUE(a.grad().allclose(b.grad(), 1e-3, 1e-2 * b.grad().abs().max().item<double>()));
}

}  // namespace
}  // namespace fye
