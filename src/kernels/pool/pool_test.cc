#include "kernels/pool/pool.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "kernels/reference/check_node.h"

namespace fye {
namespace {

const std::vector<DType> kTypes = {DType::f32, DType::bf16, DType::u8};

Pool random_pool(Pool::Kind kind) {
  Pool op{kind, *rc::gen::inRange(1, 4), *rc::gen::inRange(1, 4), *rc::gen::inRange(1, 4),
          *rc::gen::inRange(1, 4)};
  op.dilation_h = *rc::gen::inRange(1, 3);
  op.dilation_w = *rc::gen::inRange(1, 3);
  op.pad_top = *rc::gen::inRange(0, op.kernel_h);
  op.pad_bottom = *rc::gen::inRange(0, op.kernel_h);
  op.pad_left = *rc::gen::inRange(0, op.kernel_w);
  op.pad_right = *rc::gen::inRange(0, op.kernel_w);
  op.ceil_mode = *rc::gen::arbitrary<bool>();
  op.count_include_pad = *rc::gen::arbitrary<bool>();
  return op;
}

RC_GTEST_PROP(Pool, MaximumEqualsTheReference, ()) {
  const Shape shape{1, *rc::gen::inRange(1, 9), *rc::gen::inRange(6, 14), *rc::gen::inRange(6, 20)};
  NodeCase c = node_case(random_pool(Pool::Kind::max), {shape}, *rc::gen::elementOf(kTypes),
                         *rc::gen::arbitrary<unsigned>());
  c.out_quant = c.in_quant[0];
  c.extra_pitch = *rc::gen::inRange(0, 3);
  check_node(c, [](float) { return 0.0f; });
}

RC_GTEST_PROP(Pool, AverageEqualsTheReference, ()) {
  const Shape shape{1, *rc::gen::inRange(1, 9), *rc::gen::inRange(6, 14), *rc::gen::inRange(6, 20)};
  NodeCase c = node_case(random_pool(Pool::Kind::average), {shape}, *rc::gen::elementOf(kTypes),
                         *rc::gen::arbitrary<unsigned>());
  c.extra_pitch = *rc::gen::inRange(0, 3);
  check_node(c, usual_tolerance(c));
}

TEST(Pool, AverageOfBytesFollowsTheFormula) {
  Pool op{Pool::Kind::average, 2, 2, 2, 2};
  NodeCase c = node_case(op, {{1, 3, 8, 8}}, DType::u8, 9);
  NodeRun run;
  check_node(c, usual_tolerance(c), &run);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x)
      for (int k = 0; k < 3; ++k) {
        float sum = 0;
        for (int t = 0; t < 4; ++t)
          sum += c.in_quant[0].scale *
                 float(run.in[0].map.at<uint8_t>(2 * y + t / 2, 2 * x + t % 2)[k] - c.in_quant[0].zero);
        const double v = std::nearbyint(double(sum / 4.0f / c.out_quant.scale)) + c.out_quant.zero;
        EXPECT_EQ(run.out.map.at<uint8_t>(y, x)[k], std::clamp(v, 0.0, 255.0));
      }
}

RC_GTEST_PROP(GlobalAverage, EqualsTheReference, ()) {
  const Shape shape{1, *rc::gen::inRange(1, 20), *rc::gen::inRange(1, 14), *rc::gen::inRange(1, 20)};
  NodeCase c = node_case(GlobalAveragePool{}, {shape}, *rc::gen::element(DType::f32, DType::bf16),
                         *rc::gen::arbitrary<unsigned>());
  check_node(c, usual_tolerance(c));
}

}  // namespace
}  // namespace fye
