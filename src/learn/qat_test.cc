#include "learn/qat.h"

#include <gtest/gtest.h>

#include "learn/score.h"

namespace fye {
namespace {

PicturePair photograph_like(int scale) {
  Picture picture(40 * scale, 32 * scale, 3);
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width * 3; ++x)
      picture.bytes[size_t(y) * picture.width * 3 + x] =
          uint8_t(128 + 100 * std::sin(0.11 * x) * std::cos(0.07 * y));
  return *make_pair("waves", picture, scale);
}

TEST(QuantisedKernel, LiesOnItsGridsAndLetsGradientsThrough) {
  torch::manual_seed(1);
  auto kernel =
      torch::randn({5, 4, 3, 3}).mul_(torch::tensor({1e-3f, 1.f, 7.f, 0.f, 30.f}).view({5, 1, 1, 1}));
  kernel.set_requires_grad(true);
  const auto made = quantised_kernel(kernel);
  for (int c = 0; c < 5; ++c) {
    const float scale = kernel[c].abs().max().item<float>() / 127;
    if (scale == 0) {
      EXPECT_EQ(made[c].abs().max().item<float>(), 0);
      continue;
    }
    const auto q = made[c] / scale;
    EXPECT_LT((q - q.round()).abs().max().item<float>(), 1e-3f);
    EXPECT_LE((made[c] - kernel[c]).abs().max().item<float>(), 0.501f * scale);
  }
  made.sum().backward();
  EXPECT_TRUE(kernel.grad().allclose(torch::ones_like(kernel)));
}

class QuantisedNets : public ::testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(QuantisedNets, StoredTensorsLieOnTheirGrids) {
  const auto spec = *net_spec(GetParam().first, GetParam().second);
  const auto weights = initial_weights(spec, 2);
  const auto pair = photograph_like(spec.scale);
  const auto grids = observe_grids(spec, weights, {pair});
  ASSERT_TRUE(grids.ok());
  EXPECT_EQ(grids->at(output_name(spec)), (Quant{1, 0}));
  auto arithmetic = quantised_arithmetic(spec, weights, *grids);
  const auto store = arithmetic.store;
  size_t stored = 0;
  arithmetic.store = [&](const std::string& name, const torch::Tensor& x) {
    const auto y = store(name, x);
    const auto& quant = grids->at(name);
    const auto q = y * kUnit / quant.scale + quant.zero;
    EXPECT_LT((q - q.round()).abs().max().item<float>(), 1e-2f) << name;
    EXPECT_GE(q.min().item<float>(), -1e-2f) << name;
    EXPECT_LE(q.max().item<float>(), 255.01f) << name;
    ++stored;
    return y;
  };
  forward(spec, arithmetic, tensor_of(pair.low).to(torch::kFloat32) / kUnit);
  EXPECT_EQ(stored, grids->size());
}

TEST_P(QuantisedNets, EightBitsStayNearFloat) {
  const auto spec = *net_spec(GetParam().first, GetParam().second);
  const auto weights = initial_weights(spec, 2);
  const auto pair = photograph_like(spec.scale);
  const auto grids = observe_grids(spec, weights, {pair});
  ASSERT_TRUE(grids.ok());
  const auto exact = enlarge(spec, arithmetic_for(spec, weights, {}), pair.low);
  const auto rounded = enlarge(spec, arithmetic_for(spec, weights, *grids), pair.low);
  double sum = 0;
  for (size_t i = 0; i < exact.bytes.size(); ++i)
    sum += std::abs(int(exact.bytes[i]) - int(rounded.bytes[i]));
  EXPECT_LT(sum / double(exact.bytes.size()), 1.5);
}

INSTANTIATE_TEST_SUITE_P(All, QuantisedNets,
                         ::testing::Values(std::pair("abpn", 3), std::pair("abpn", 2),
                                           std::pair("edsr-baseline", 2)));

TEST(Gradients, StopOutsideTheGrid) {
  const auto spec = *net_spec("abpn", 2);
  const auto weights = initial_weights(spec, 1);
  const Grids grids{{"t", {1, 10}}};  // real values -10..245
  const auto arithmetic = quantised_arithmetic(spec, weights, grids);
  auto x = (torch::tensor({-20.f, -9.4f, 3.6f, 300.f}) / kUnit).set_requires_grad(true);
  const auto y = arithmetic.store("t", x);
  EXPECT_TRUE((y * kUnit).allclose(torch::tensor({-10.f, -9.f, 4.f, 245.f})));
  y.sum().backward();
  EXPECT_TRUE(x.grad().allclose(torch::tensor({0.f, 1.f, 1.f, 0.f})));
}

TEST(ObserveGrids, NoPicturesAndNanAreErrors) {
  const auto spec = *net_spec("abpn", 2);
  auto weights = initial_weights(spec, 1);
  EXPECT_FALSE(observe_grids(spec, weights, {}).ok());
  weights.biases[2].fill_(NAN);
  EXPECT_FALSE(observe_grids(spec, weights, {photograph_like(2)}).ok());
}

}  // namespace
}  // namespace fye
