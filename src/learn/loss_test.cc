#include "learn/loss.h"

#include <gtest/gtest.h>

#include "learn/net.h"

namespace fye {
namespace {

torch::Tensor random_pixels(int cells) {
  return torch::randint(0, 256, {2, 3 * cells, 10, 10}).to(torch::kFloat32) / kUnit;
}

class LossKinds : public ::testing::TestWithParam<LossKind> {};

TEST_P(LossKinds, LeastAtTheTruth) {
  torch::manual_seed(2);
  const auto truth = random_pixels(4);
  for (const double luma : {0.0, 0.5, 1.0}) {
    const double best = training_loss(GetParam(), truth, truth, luma, 1).item<double>();
    const auto off = truth + 0.02 * torch::randn_like(truth);
    EXPECT_GT(training_loss(GetParam(), off, truth, luma, 1).item<double>(), best);
  }
}

TEST_P(LossKinds, MarginIsLeftOut) {
  torch::manual_seed(3);
  const auto truth = random_pixels(4);
  auto off = truth.clone();
  off.slice(2, 0, 2).fill_(0);
  EXPECT_DOUBLE_EQ(training_loss(GetParam(), off, truth, 0.5, 2).item<double>(),
                   training_loss(GetParam(), truth, truth, 0.5, 2).item<double>());
}

TEST_P(LossKinds, ClippingIsFree) {
  const auto white = torch::full({1, 12, 6, 6}, 255 / kUnit);
  EXPECT_DOUBLE_EQ(training_loss(GetParam(), white * 2, white, 0.3, 0).item<double>(),
                   training_loss(GetParam(), white, white, 0.3, 0).item<double>());
}

INSTANTIATE_TEST_SUITE_P(All, LossKinds, ::testing::Values(LossKind::l1, LossKind::mse, LossKind::psnr));

TEST(Luma, WeighsGreenMost) {
  const auto truth = torch::full({1, 12, 6, 6}, 0.5f);
  const auto loss_of = [&](int channel) {
    auto off = truth.clone();
    for (int cell = 0; cell < 4; ++cell) off.select(1, 3 * cell + channel) += 0.1f;
    return training_loss(LossKind::l1, off, truth, 1, 0).item<double>();
  };
  EXPECT_NEAR(loss_of(0), 0.0299, 1e-5);
  EXPECT_NEAR(loss_of(1), 0.0587, 1e-5);
  EXPECT_NEAR(loss_of(2), 0.0114, 1e-5);
}

TEST(LossName, UnknownIsRefused) {
  EXPECT_TRUE(loss_kind("psnr").ok());
  EXPECT_FALSE(loss_kind("huber").ok());
}

}  // namespace
}  // namespace fye
