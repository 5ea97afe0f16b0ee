#include "kernels/resize/bicubic.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "kernels/reference/check_node.h"

namespace fye {
namespace {

RC_GTEST_PROP(Bicubic, EqualsTheReference, ()) {
  const Resize op{Resize::Kind::bicubic, *rc::gen::inRange(1, 5), *rc::gen::inRange(1, 5),
                  *rc::gen::element(-0.75f, -0.5f)};
  const Shape shape{1, *rc::gen::inRange(1, 6), *rc::gen::inRange(1, 9), *rc::gen::inRange(1, 14)};
  NodeCase c = node_case(op, {shape}, *rc::gen::element(DType::f32, DType::bf16, DType::u8),
                         *rc::gen::arbitrary<unsigned>());
  c.extra_pitch = *rc::gen::inRange(0, 3);
  check_node(c, usual_tolerance(c));
}

TEST(Bicubic, KeepsAConstant) {
  NodeCase c = node_case(Resize{Resize::Kind::bicubic, 3, 3}, {{1, 1, 4, 4}}, DType::f32, 1);
  for (float& v : c.in[0].values) v = 17.0f;
  NodeRun run;
  check_node(c, usual_tolerance(c), &run);
  for (const float v : get(run.out.map).values) EXPECT_NEAR(v, 17.0f, 1e-4f);
}

}  // namespace
}  // namespace fye
