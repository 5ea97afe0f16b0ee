#include "kernels/dense/dense.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "kernels/reference/check_node.h"

namespace fye {
namespace {

// bf16 rounds the weights too, which the reference does not: its sums may differ by 2^-8 of what is added up.
std::function<float(float)> tolerance(const NodeCase& c, int terms) {
  if (c.type == DType::f32) return [](float v) { return 1e-4f * (1 + std::fabs(v)); };
  return [=](float v) { return std::fabs(v) / 128 + 0.03f * std::sqrt(float(terms)); };
}

RC_GTEST_PROP(Gemm, EqualsTheReference, ()) {
  const int k = *rc::gen::inRange(1, 70), n = *rc::gen::inRange(1, 40);
  Gemm op;
  op.trans_b = *rc::gen::arbitrary<bool>();
  op.alpha = *rc::gen::element(1.0f, 0.5f);
  op.beta = *rc::gen::element(1.0f, -2.0f);
  NodeCase c =
      node_case(op, {{1, k}}, *rc::gen::element(DType::f32, DType::bf16), *rc::gen::arbitrary<unsigned>());
  Gemm& gemm = *c.graph.nodes[0].as<Gemm>();
  gemm.weight = add_constant(c, op.trans_b ? Shape{n, k} : Shape{k, n}, c.seed);
  if (*rc::gen::arbitrary<bool>()) gemm.bias = add_constant(c, {n}, c.seed + 1);
  check_node(c, tolerance(c, k));
}

RC_GTEST_PROP(ConvTranspose, EqualsTheReference, ()) {
  ConvTranspose op;
  op.kernel_h = *rc::gen::inRange(1, 5);
  op.kernel_w = *rc::gen::inRange(1, 5);
  op.stride_h = *rc::gen::inRange(1, 4);
  op.stride_w = *rc::gen::inRange(1, 4);
  op.dilation_h = *rc::gen::inRange(1, 3);
  op.pad_top = *rc::gen::inRange(0, op.kernel_h);
  op.pad_left = *rc::gen::inRange(0, op.kernel_w);
  op.output_pad_h = *rc::gen::inRange(0, op.stride_h);
  op.group = *rc::gen::inRange(1, 3);
  const int64_t in = op.group * *rc::gen::inRange(1, 4), out = *rc::gen::inRange(1, 4);
  const Shape shape{1, in, *rc::gen::inRange(2, 8), *rc::gen::inRange(2, 8)};
  NodeCase c =
      node_case(op, {shape}, *rc::gen::element(DType::f32, DType::bf16), *rc::gen::arbitrary<unsigned>());
  ConvTranspose& node = *c.graph.nodes[0].as<ConvTranspose>();
  node.weight = add_constant(c, {in, out, op.kernel_h, op.kernel_w}, c.seed);
  if (*rc::gen::arbitrary<bool>()) node.bias = add_constant(c, {out * op.group}, c.seed + 1);
  c.extra_pitch = *rc::gen::inRange(0, 3);
  check_node(c, tolerance(c, int(in) * op.kernel_h * op.kernel_w));
}

}  // namespace
}  // namespace fye
