#include "kernels/element/element.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "kernels/reference/check_node.h"

namespace fye {
namespace {

using Kind = Activation::Kind;

const std::vector<DType> kTypes = {DType::f32, DType::bf16, DType::u8};

Shape random_shape() {
  return {1, *rc::gen::inRange(1, 20), *rc::gen::inRange(1, 9), *rc::gen::inRange(1, 24)};
}

Activation random_activation(int channels) {
  Activation act;
  act.kind = *rc::gen::element(Kind::none, Kind::relu, Kind::leaky_relu, Kind::prelu, Kind::clip, Kind::tanh,
                               Kind::sigmoid);
  if (act.kind == Kind::leaky_relu) act.slope = {0.2f};
  if (act.kind == Kind::prelu)
    for (int c = 0; c < channels; ++c) act.slope.push_back(0.1f * float(c - 3));
  if (act.kind == Kind::clip) {
    act.lo = -0.5f;
    act.hi = 1.25f;
  }
  return act;
}

RC_GTEST_PROP(Elementwise, EqualsTheReference, ()) {
  const Shape shape = random_shape();
  NodeCase c = node_case(Elementwise{random_activation(int(shape[1]))}, {shape}, *rc::gen::elementOf(kTypes),
                         *rc::gen::arbitrary<unsigned>());
  c.extra_pitch = *rc::gen::inRange(0, 3);
  check_node(c, usual_tolerance(c));
}

RC_GTEST_PROP(Affine, EqualsTheReference, ()) {
  const Shape shape = random_shape();
  Affine op;
  for (int i = 0; i < shape[1]; ++i) {
    op.scale.push_back(0.25f * float(i % 7) - 0.6f);
    op.shift.push_back(0.3f * float(i % 5) - 0.5f);
  }
  NodeCase c = node_case(op, {shape}, *rc::gen::elementOf(kTypes), *rc::gen::arbitrary<unsigned>());
  c.extra_pitch = *rc::gen::inRange(0, 3);
  check_node(c, usual_tolerance(c));
}

RC_GTEST_PROP(Binary, OfTwoMapsEqualsTheReference, ()) {
  const Shape shape = random_shape();
  const auto kind =
      *rc::gen::element(Binary::Kind::add, Binary::Kind::sub, Binary::Kind::mul, Binary::Kind::div);
  NodeCase c =
      node_case(Binary{kind}, {shape, shape}, *rc::gen::elementOf(kTypes), *rc::gen::arbitrary<unsigned>());
  c.extra_pitch = *rc::gen::inRange(0, 3);
  if (kind == Binary::Kind::div) {
    const auto relative = [](float v) { return std::fabs(v) / 100; };
    const auto usual = usual_tolerance(c);
    check_node(c, [=](float v) { return std::max(usual(v), relative(v)); });
  } else {
    check_node(c, usual_tolerance(c, 64));
  }
}

RC_GTEST_PROP(Binary, WithAConstantEqualsTheReference, ()) {
  const Shape shape = random_shape();
  const int64_t ch = shape[1], h = shape[2], w = shape[3];
  Binary op{*rc::gen::element(Binary::Kind::add, Binary::Kind::sub, Binary::Kind::mul, Binary::Kind::div)};
  op.constant_first = *rc::gen::arbitrary<bool>();
  if (op.kind == Binary::Kind::div) op.constant_first = false;
  const Shape constant = *rc::gen::elementOf(std::vector<Shape>{
      {}, {1}, {ch, 1, 1}, {1, ch, 1, 1}, {1, ch, h, w}, {w}, {h, 1}, {1, 1, h, w}, {ch, 1, w}});
  NodeCase c = node_case(op, {shape}, *rc::gen::elementOf(kTypes), *rc::gen::arbitrary<unsigned>());
  c.graph.nodes[0].as<Binary>()->constant = add_constant(c, constant, c.seed);
  c.extra_pitch = *rc::gen::inRange(0, 3);
  const auto usual = usual_tolerance(c, 32);
  check_node(c, [=](float v) { return std::max(usual(v), std::fabs(v) / 100); });
}

// design.md, section 4, written out once more in double: the products are exact there and rounded to float
// where it says.
int naive_sum(int a, Quant qa, int b, Quant qb, Quant q, int sign) {
  const float ra = qa.scale / q.scale, rb = qb.scale / q.scale;
  const float pa = float(double(ra) * (a - qa.zero)), pb = float(double(rb) * (b - qb.zero));
  const float sum = float(double(pa) + sign * double(pb));
  return int(std::clamp(std::nearbyint(double(sum)) + q.zero, 0.0, 255.0));
}

RC_GTEST_PROP(Binary, BytesOfSumsFollowTheFormula, ()) {
  const bool subtract = *rc::gen::arbitrary<bool>();
  NodeCase c = node_case(Binary{subtract ? Binary::Kind::sub : Binary::Kind::add},
                         {{1, 5, 3, 31}, {1, 5, 3, 31}}, DType::u8, *rc::gen::arbitrary<unsigned>());
  if (*rc::gen::arbitrary<bool>())
    c.in_quant[0].scale = c.in_quant[1].scale = c.out_quant.scale / 2;  // many exact ties
  NodeRun run;
  check_node(c, usual_tolerance(c), &run);
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 31; ++x)
      for (int k = 0; k < 5; ++k)
        RC_ASSERT(int(run.out.map.at<uint8_t>(y, x)[k]) ==
                  naive_sum(run.in[0].map.at<uint8_t>(y, x)[k], c.in_quant[0],
                            run.in[1].map.at<uint8_t>(y, x)[k], c.in_quant[1], c.out_quant,
                            subtract ? -1 : 1));
}

TEST(Binary, BytesOfProductsAndQuotients) {
  for (const auto kind : {Binary::Kind::mul, Binary::Kind::div}) {
    NodeCase c = node_case(Binary{kind}, {{1, 1, 16, 16}, {1, 1, 16, 16}}, DType::u8, 11);
    c.in_quant = {{0.5f, 120}, {0.25f, 7}};
    c.out_quant = {0.75f, 33};
    for (int q = 0; q < 256; ++q) {
      c.in[0].values[size_t(q)] = 0.5f * float(q - 120);
      c.in[1].values[size_t(q)] = 0.25f * float(q * 7 % 256 - 7);  // hits zero: infinities saturate
    }
    const std::vector<Format> formats = {{DType::u8, c.in_quant[0], 1}, {DType::u8, c.in_quant[1], 1}};
    const auto kernel = prepare_node(c.graph, c.node(), formats, {DType::u8, c.out_quant, 1}, Isa::scalar);
    ASSERT_TRUE(kernel) << kernel.error().text();
    OwnedMap a = make_map(DType::u8, c.in_quant[0], 1, {0, 0, 16, 16}),
             b = make_map(DType::u8, c.in_quant[1], 1, {0, 0, 16, 16});
    const OwnedMap out = make_map(DType::u8, c.out_quant, 1, {0, 0, 16, 16});
    put(c.in[0], 0, a.map);
    put(c.in[1], 0, b.map);
    const Map maps[] = {a.map, b.map};
    (*kernel)->rows(maps, out.map, 0, 16);
    for (int q = 0; q < 256; ++q) {
      const float x = c.in[0].values[size_t(q)], y = c.in[1].values[size_t(q)];
      const double v = double((kind == Binary::Kind::mul ? x * y : x / y) / 0.75f);
      const double want = std::isnan(v) ? 33 : std::clamp(std::nearbyint(v) + 33, 0.0, 255.0);
      EXPECT_EQ(*out.map.at<uint8_t>(q / 16, q % 16), want) << x << ", " << y;
    }
  }
}

// A [1, 3, 4] tensor is a map of one pixel and 12 channels; constants broadcast as over [3, 4].
TEST(Binary, ConstantsBroadcastOverFlattenedTensors) {
  for (const Shape& shape : {Shape{4}, Shape{3, 1}, Shape{3, 4}, Shape{1, 3, 4}, Shape{1, 1}}) {
    Graph graph;
    graph.tensors = {{"x", {1, 3, 4}}, {"y", {1, 3, 4}}};
    graph.inputs = {0};
    graph.outputs = {1};
    Constant constant{shape, std::vector<float>(size_t(element_count(shape)))};
    for (size_t i = 0; i < constant.values.size(); ++i) constant.values[i] = float(10 * i + 1);
    graph.constants = {constant};
    graph.nodes = {{"sum", {0}, 1, Binary{Binary::Kind::add, 0}}};
    Dense x{{1, 3, 4}, {}};
    for (int i = 0; i < 12; ++i) x.values.push_back(float(i) / 2);
    const auto expected = reference_node(graph, graph.nodes[0], {&x, 1});
    ASSERT_TRUE(expected) << expected.error().text();
    const Format format{DType::f32, {}, 12};
    const auto kernel = prepare_node(graph, graph.nodes[0], {&format, 1}, format, Isa::scalar);
    ASSERT_TRUE(kernel) << kernel.error().text();
    const OwnedMap in = make_map(DType::f32, {}, 12, {0, 0, 1, 1}),
                   out = make_map(DType::f32, {}, 12, {0, 0, 1, 1});
    put({{1, 12}, x.values}, 0, in.map);
    (*kernel)->rows({&in.map, 1}, out.map, 0, 1);
    EXPECT_EQ(get(out.map).values, expected->values);
  }
}

TEST(Elementwise, BytesAreTheFloatFunctionRounded) {
  const Activation leaky{Kind::leaky_relu, {0.25f}};
  NodeCase c = node_case(Elementwise{leaky}, {{1, 1, 16, 16}}, DType::u8, 7);
  c.in_quant[0] = {0.5f, 100};
  c.out_quant = {0.25f, 50};
  for (int q = 0; q < 256; ++q) c.in[0].values[size_t(q)] = 0.5f * float(q - 100);
  NodeRun run;
  check_node(c, usual_tolerance(c), &run);
  for (int q = 0; q < 256; ++q) {
    const double v = 0.5 * (q - 100), f = v < 0 ? v * 0.25 : v;
    EXPECT_EQ(run.out.map.at<uint8_t>(q / 16, q % 16)[0],
              std::clamp(std::nearbyint(f / 0.25) + 50, 0.0, 255.0))
        << q;
  }
}

TEST(Elementwise, NotANumberPassesThroughFloats) {
  for (const Kind kind : {Kind::none, Kind::relu, Kind::leaky_relu, Kind::clip, Kind::tanh, Kind::sigmoid}) {
    Activation act{kind, {0.5f}, -1, 1};
    NodeCase c = node_case(Elementwise{act}, {{1, 1, 1, 9}}, DType::f32, 3);
    c.in[0].values[4] = NAN;
    NodeRun run;
    check_node(c, usual_tolerance(c), &run);
    EXPECT_TRUE(std::isnan(get(run.out.map).values[4]));
  }
}

// Every pair of a few numbers of 16 bits, of both signs and at both ends.
TEST(Binary, SixteenBitSumsSaturate) {
  const int numbers[] = {-32768, -32767, -20000, -1, 0, 1, 12345, 32766, 32767};
  const Quant grid{0.01f, 0};
  for (const Binary::Kind kind : {Binary::Kind::add, Binary::Kind::sub}) {
    NodeCase c = node_case(Binary{kind}, {{1, 9, 9, 1}, {1, 9, 9, 1}}, DType::s16, 1);
    const Format wide{DType::s16, grid, 9}, formats[] = {wide, wide};
    const auto kernel = prepare_node(c.graph, c.node(), formats, wide, Isa::amx);
    ASSERT_TRUE(kernel) << kernel.error().text();
    const Region all{0, 0, 9, 1};
    const OwnedMap a = guarded_map(DType::s16, grid, 9, all, 9),
                   b = guarded_map(DType::s16, grid, 9, all, 11);
    OwnedMap out = guarded_map(DType::s16, grid, 9, all, 10);
    for (int i = 0; i < 9; ++i)
      for (int j = 0; j < 9; ++j) {
        a.map.at<int16_t>(i, 0)[j] = int16_t(numbers[i]);
        b.map.at<int16_t>(i, 0)[j] = int16_t(numbers[j]);
      }
    const Map in[] = {a.map, b.map};
    (*kernel)->rows(in, out.map, 0, 9);
    EXPECT_TRUE(surroundings_intact(out));
    for (int i = 0; i < 9; ++i)
      for (int j = 0; j < 9; ++j)
        EXPECT_EQ(out.map.at<int16_t>(i, 0)[j],
                  std::clamp(kind == Binary::Kind::add ? numbers[i] + numbers[j] : numbers[i] - numbers[j],
                             -32768, 32767));
  }
}

TEST(Binary, SixteenBitsOnlyForSumsOnOneGrid) {
  const Format wide{DType::s16, {0.01f, 0}, 4};
  const auto why = [&](const Attributes& op, const Format& other, const Format& out) {
    NodeCase c = node_case(op, {{1, 4, 2, 2}, {1, 4, 2, 2}}, DType::s16, 1);
    const Format formats[] = {wide, other};
    const auto kernel = prepare_node(c.graph, c.node(), formats, out, Isa::amx);
    return kernel ? std::string() : kernel.error().text();
  };
  EXPECT_EQ(why(Binary{}, wide, wide), "");
  EXPECT_NE(why(Binary{Binary::Kind::mul}, wide, wide).find("s16"), std::string::npos);
  EXPECT_NE(why(Concat{}, wide, wide).find("s16"), std::string::npos);
  EXPECT_NE(why(Binary{}, {DType::s16, {0.02f, 0}, 4}, wide).find("another grid"), std::string::npos);
  EXPECT_NE(why(Binary{}, {DType::u8, {0.01f, 0}, 4}, wide).find("converter"), std::string::npos);
  const Format off{DType::s16, {0.01f, 3}, 4};
  EXPECT_NE(why(Binary{}, off, off), "");
}

RC_GTEST_PROP(Softmax, EqualsTheReference, ()) {
  const Shape shape = *rc::gen::arbitrary<bool>() ? Shape{1, *rc::gen::inRange(1, 40)} : random_shape();
  NodeCase c = node_case(Softmax{*rc::gen::element(1, 1 - int(shape.size()))}, {shape},
                         *rc::gen::element(DType::f32, DType::bf16), *rc::gen::arbitrary<unsigned>());
  check_node(c, usual_tolerance(c, 1));
}

TEST(Softmax, LargeValuesDoNotOverflow) {
  NodeCase c = node_case(Softmax{1}, {{1, 3}}, DType::f32, 1);
  c.in[0].values = {1000, 1001, -5000};
  NodeRun run;
  check_node(c, usual_tolerance(c, 1), &run);
  EXPECT_NEAR(get(run.out.map).values[1], 0.731059f, 1e-5f);
}

}  // namespace
}  // namespace fye
