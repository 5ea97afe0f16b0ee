// The choice from the table, what it refuses, and the requantisation factor.
#include <gtest/gtest.h>

#include <string>

#include "kernels/conv/conv.h"
#include "kernels/conv/requant.h"
#include "kernels/conv/sample.h"

namespace fye {
namespace {

using Kind = Activation::Kind;

// (s_x * s_w) / s_y, not s_x * (s_w / s_y): the two differ in the last bit, which shows in few results, so it
// is asked for here.
TEST(Requant, FactorInTheContractsOrder) {
  std::mt19937 random(9);
  std::uniform_real_distribution<float> scale(1e-4f, 0.1f);
  int other_order = 0;
  for (int i = 0; i < 1000; ++i) {
    ConvProblem p = square(1, 1, 1);
    fill_problem(p, 127, random);
    p.in.scale = scale(random);
    p.out.scale = scale(random);
    volatile float product = p.in.scale * p.weight_scale[0], quotient = p.weight_scale[0] / p.out.scale;
    volatile float expected = product / p.out.scale, other = p.in.scale * quotient;
    EXPECT_EQ(requant_of(p).positive[0], expected);
    other_order += expected != other;
  }
  EXPECT_GT(other_order, 100);
}

ConvProblem filled(ConvProblem p) {
  std::mt19937 random(5);
  fill_problem(p, 127, random);
  return p;
}

TEST(PrepareConv, TakesTheLastAllowedRow) {
  const ConvProblem p = filled(square(28, 28, 3));
  for (Numbers numbers : {Numbers::f32, Numbers::bf16, Numbers::int8})
    for (Isa max : kAllIsas) {
      auto kernel = prepare_conv(p, numbers, max);
      ASSERT_TRUE(kernel);
      std::string_view expected;
      for (const ConvVariant& v : conv_variants())
        if (v.numbers == numbers && v.position_independent && may_use(v.isa, max) && v.refuses(p).empty() &&
            (!v.winograd || winograd_allowed()) && (!v.needs_avx512_bf16 || machine_has_avx512_bf16()))
          expected = v.name;
      EXPECT_EQ((*kernel)->variant(), expected) << name(numbers) << " " << name(max);
    }
  EXPECT_EQ((*prepare_conv(p, Numbers::int8, Isa::scalar))->variant(), "scalar");
}

TEST(PrepareConv, RefusesWhatDoesNotFit) {
  const auto error = [](ConvProblem p, Numbers numbers) {
    auto kernel = prepare_conv(p, numbers, Isa::amx);
    return kernel ? std::string() : kernel.error().what;
  };
  const ConvProblem good = filled(square(4, 6, 3));
  EXPECT_EQ(error(good, Numbers::f32), "");
  const auto broken = [&](auto change) {
    ConvProblem p = good;
    change(p);
    return p;
  };
  EXPECT_NE(error(broken([](auto& p) { p.weight.pop_back(); }), Numbers::f32).find("weight has 215"),
            std::string::npos);
  EXPECT_NE(error(broken([](auto& p) { p.bias.clear(); }), Numbers::bf16).find("bias has 0"),
            std::string::npos);
  EXPECT_NE(error(broken([](auto& p) { p.group = 4; }), Numbers::f32).find("4 groups"), std::string::npos);
  EXPECT_NE(error(broken([](auto& p) { p.stride_w = 0; }), Numbers::f32), "");
  EXPECT_NE(error(broken([](auto& p) { p.in.zero = 256; }), Numbers::int8).find("256"), std::string::npos);
  EXPECT_NE(error(broken([](auto& p) { p.out.scale = 0; }), Numbers::int8).find("scale"), std::string::npos);
  EXPECT_NE(error(broken([](auto& p) { p.out.scale = 1e-45f; }), Numbers::int8).find("finite"),
            std::string::npos);
  EXPECT_NE(error(broken([](auto& p) { p.weight_scale.pop_back(); }), Numbers::int8).find("weight scale"),
            std::string::npos);
  EXPECT_NE(error(broken([](auto& p) { p.act = {.kind = Kind::tanh}; }), Numbers::int8).find("tanh"),
            std::string::npos);
  EXPECT_NE(error(broken([](auto& p) {
                    p.act = {.kind = Kind::prelu, .slope = {1, 2}};
                  }),
                  Numbers::f32)
                .find("slope"),
            std::string::npos);
  EXPECT_NE(error(broken([](auto& p) {
                    p.residual = true;
                    p.residual_repeat = 4;
                  }),
                  Numbers::f32)
                .find("repeated 4"),
            std::string::npos);
  const ConvProblem wide = broken([](auto& p) { widen_problem(p); });
  EXPECT_EQ(error(wide, Numbers::int8), "");
  for (const auto& change : {+[](ConvProblem& p) { p.out.zero = 1; }, +[](ConvProblem& p) { p.res.zero = 1; },
                             +[](ConvProblem& p) { p.res.scale *= 2; }}) {
    ConvProblem p = wide;
    p.residual = true;
    EXPECT_EQ(error(p, Numbers::int8), "");
    change(p);
    EXPECT_NE(error(p, Numbers::int8).find("same scale"), std::string::npos);
  }
  ConvProblem repeated = wide;
  repeated.residual = true;
  repeated.residual_repeat = 2;
  EXPECT_NE(error(repeated, Numbers::int8).find("repeated"), std::string::npos);
  EXPECT_NE(error(broken([](auto& p) {
                    p.residual = true;
                    p.act = {.kind = Kind::relu};
                  }),
                  Numbers::int8)
                .find("between"),
            std::string::npos);
}

}  // namespace
}  // namespace fye
