#include "kernels/move/move.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>

#include "kernels/convert/number.h"
#include "kernels/move/requantise.h"
#include "kernels/reference/check_node.h"

namespace fye {
namespace {

const std::vector<DType> kTypes = {DType::f32, DType::bf16, DType::u8};

float exact(float) { return 0; }

RC_GTEST_PROP(DepthToSpace, EqualsTheReference, ()) {
  const int block = *rc::gen::inRange(1, 6), channels = *rc::gen::inRange(1, 6);
  const Shape shape{1, block * block * channels, *rc::gen::inRange(1, 6), *rc::gen::inRange(1, 40)};
  NodeCase c = node_case(DepthToSpace{block, *rc::gen::arbitrary<bool>()}, {shape},
                         *rc::gen::elementOf(kTypes), *rc::gen::arbitrary<unsigned>());
  c.out_quant = c.in_quant[0];
  c.extra_pitch = *rc::gen::inRange(0, 3);
  c.max = *rc::gen::element(Isa::scalar, Isa::avx2, Isa::amx);
  check_node(c, exact);
}

// The three shapes that ABPN x2, x3, x4 end in, in both orders, on either path.
TEST(DepthToSpace, LastLayersOfAbpn) {
  for (const int block : {2, 3, 4})
    for (const bool crd : {false, true})
      for (const DType type : kTypes)
        for (const Isa max : {Isa::scalar, Isa::avx2})
          for (unsigned seed = 1; seed <= 4; ++seed) {  // the harness picks the output's pitch by the seed
            NodeCase c = node_case(DepthToSpace{block, crd}, {{1, 3 * block * block, 5, 53}}, type, seed);
            c.out_quant = c.in_quant[0];
            c.max = max;
            check_node(c, exact);
          }
}

RC_GTEST_PROP(Nearest, EqualsTheReference, ()) {
  const Resize op{Resize::Kind::nearest, *rc::gen::inRange(1, 5), *rc::gen::inRange(1, 5)};
  const Shape shape{1, *rc::gen::inRange(1, 20), *rc::gen::inRange(1, 6), *rc::gen::inRange(1, 20)};
  NodeCase c = node_case(op, {shape}, *rc::gen::elementOf(kTypes), *rc::gen::arbitrary<unsigned>());
  c.out_quant = c.in_quant[0];
  c.extra_pitch = *rc::gen::inRange(0, 3);
  check_node(c, exact);
}

RC_GTEST_PROP(Concat, EqualsTheReference, ()) {
  const int h = *rc::gen::inRange(1, 5), w = *rc::gen::inRange(1, 20);
  std::vector<Shape> shapes;
  for (int i = *rc::gen::inRange(1, 10); i > 0; --i) shapes.push_back({1, *rc::gen::inRange(1, 20), h, w});
  NodeCase c = node_case(Concat{1}, shapes, *rc::gen::elementOf(kTypes), *rc::gen::arbitrary<unsigned>());
  c.extra_pitch = *rc::gen::inRange(0, 3);
  const bool same = *rc::gen::arbitrary<bool>();
  for (Quant& q : c.in_quant)
    if (same) q = c.out_quant;
  if (c.type == DType::u8 && !same)
    check_node(c, usual_tolerance(c));
  else
    check_node(c, exact);
}

// One channel a pixel, and as many as a piece of a row and a bit (concat.cc).
TEST(Concat, RequantisesBytesByTheFormula) {
  for (const Isa max : {Isa::scalar, Isa::avx2})
    for (const int channels : {1, 41, 4100}) {
      NodeCase c = node_case(Concat{1}, {{1, channels, 16, 16}, {1, channels, 16, 16}}, DType::u8, 5);
      c.max = max;
      c.in_quant = {{0.03f, 77}, {0.5f, 10}};
      c.out_quant = {0.06f, 131};  // the first ratio is about one half: ties
      for (size_t i = 0; i < 2; ++i)
        for (size_t k = 0; k < c.in[i].values.size(); ++k)
          c.in[i].values[k] = c.in_quant[i].scale * float(int(k % 256) - c.in_quant[i].zero);
      NodeRun run;
      check_node(c, usual_tolerance(c), &run);
      for (size_t i = 0; i < 2; ++i)
        for (int k = 0; k < channels * 256; ++k) {
          const float product =
              float(k % 256 - c.in_quant[i].zero) * (c.in_quant[i].scale / c.out_quant.scale);
          ASSERT_EQ(
              run.out.map.at<uint8_t>(k % 256 / 16, k % 16)[int(i) * channels + k / 256],
              std::clamp(std::nearbyint(double(product)) + 131, 0.0, 255.0));
        }
    }
}

#ifdef __x86_64__
TEST(Concat, EveryChangeOfScaleIsTheSameOnEveryInstructionSet) {
  if (!machine_has(Isa::avx2)) GTEST_SKIP() << "no AVX2";
  std::byte in[256 + 21], out[sizeof in];
  for (size_t q = 0; q < sizeof in; ++q) in[q] = std::byte(q % 256);
  for (const float ratio : {1e-30f, 0.01f, 0.25f, 0.5f, 1.0f, 1.5f, 7.0f, 1e30f})
    for (const int zero : {0, 3, 128, 255})
      for (const int out_zero : {0, 100, 255}) {
        const Quant from{ratio, zero}, to{1.0f, out_zero};
        for (const ptrdiff_t count : {ptrdiff_t(1), ptrdiff_t(31), ptrdiff_t(sizeof in)}) {
          std::memset(out, 0x5a, sizeof out);
          requantise_bytes_avx2(in, out, count, from, to);
          for (ptrdiff_t i = 0; i < ptrdiff_t(sizeof in); ++i)
            ASSERT_EQ(int(out[i]), i < count ? requantised<uint8_t>(int(in[i]), from, to) : 0x5a)
                << ratio << " " << zero << " " << out_zero << " level " << int(in[i]);
        }
      }
}
#endif

RC_GTEST_PROP(Reshape, PlanesFlattenInOnnxOrder, ()) {
  const Shape shape{1, *rc::gen::inRange(1, 9), *rc::gen::inRange(1, 6), *rc::gen::inRange(1, 6)};
  NodeCase c =
      node_case(Reshape{{}, 1}, {shape}, *rc::gen::elementOf(kTypes), *rc::gen::arbitrary<unsigned>());
  c.out_quant = c.in_quant[0];
  check_node(c, exact);
}

RC_GTEST_PROP(Reshape, PlanesBecomeOtherPlanes, ()) {
  const int a = *rc::gen::inRange(1, 5), b = *rc::gen::inRange(1, 5), d = *rc::gen::inRange(1, 5);
  NodeCase c = node_case(Reshape{{0, b, d, -1}}, {{1, a, b, d}}, *rc::gen::elementOf(kTypes),
                         *rc::gen::arbitrary<unsigned>());
  c.out_quant = c.in_quant[0];
  check_node(c, exact);
}

TEST(Move, RefusesAChangeOfScale) {
  for (const Attributes& op : {Attributes(DepthToSpace{2}), Attributes(Resize{}), Attributes(Reshape{{}, 1}),
                               Attributes(Pool{Pool::Kind::max, 2, 2})}) {
    NodeCase c = node_case(op, {{1, 4, 4, 4}}, DType::u8, 1);
    const int channels = std::holds_alternative<DepthToSpace>(op) ? 1
                         : std::holds_alternative<Reshape>(op)    ? 64
                                                                  : 4;
    const Format in{DType::u8, {0.5f, 3}, 4}, out{DType::u8, {0.5f, 4}, channels};
    const auto kernel = prepare_node(c.graph, c.node(), {&in, 1}, out, Isa::amx);
    ASSERT_FALSE(kernel);
    EXPECT_NE(kernel.error().what.find("\"sample\""), std::string::npos) << kernel.error().what;
    EXPECT_NE(kernel.error().what.find("zero point"), std::string::npos) << kernel.error().what;
  }
}

}  // namespace
}  // namespace fye
