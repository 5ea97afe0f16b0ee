#include "learn/optimiser.h"

#include <gtest/gtest.h>

namespace fye {
namespace {

class NewtonSchulz : public ::testing::TestWithParam<std::pair<int, int>> {};

TEST_P(NewtonSchulz, SingularValuesComeNearOne) {
  torch::manual_seed(3);
  const auto [rows, columns] = GetParam();
  const auto matrix = torch::randn({rows, columns}) * 1e-3;
  const auto made = newton_schulz(matrix);
  ASSERT_EQ(made.sizes(), matrix.sizes());
  const auto values = torch::linalg_svdvals(made);
  EXPECT_GT(values.min().item<float>(), 0.6f);
  EXPECT_LT(values.max().item<float>(), 1.25f);
}

TEST_P(NewtonSchulz, SingularVectorsStay) {
  torch::manual_seed(4);
  const auto [rows, columns] = GetParam();
  const auto matrix = torch::randn({rows, columns});
  const auto [u, s, v] = torch::linalg_svd(matrix, false, c10::nullopt);
  const auto turned = torch::mm(torch::mm(u.t(), newton_schulz(matrix)), v.t());
  EXPECT_LT((turned - turned.diag().diag()).abs().max().item<float>(), 1e-3f);
}

INSTANTIATE_TEST_SUITE_P(Shapes, NewtonSchulz,
                         ::testing::Values(std::pair(28, 252), std::pair(28, 27), std::pair(40, 9),
                                           std::pair(3, 27)));

class Kinds : public ::testing::TestWithParam<OptimiserKind> {};

// |K * x - target|^2 with a badly scaled x: every kind must get far below where it began.
double train_small(Optimiser& optimiser, torch::Tensor kernel, torch::Tensor bias, int steps) {
  torch::manual_seed(5);
  const auto x = torch::randn({4, 3, 8, 8}) * torch::tensor({5.0f, 1.0f, 0.2f}).view({1, 3, 1, 1});
  const auto target = torch::conv2d(x, torch::randn({6, 3, 3, 3}), torch::randn({6}), 1, 1);
  double last = 0;
  for (int i = 0; i < steps; ++i) {
    for (auto& p : {kernel, bias}) p.mutable_grad().reset();
    const auto loss = (torch::conv2d(x, kernel, bias, 1, 1) - target).square().mean();
    loss.backward();
    last = loss.item<double>();
    optimiser.step(0.1 * (1 - double(i) / steps));
  }
  return last;
}

TEST_P(Kinds, ReduceTheLoss) {
  auto kernel = torch::zeros({6, 3, 3, 3}).set_requires_grad(true),
       bias = torch::zeros({6}).set_requires_grad(true);
  Optimiser first(GetParam(), {kernel, bias});
  const double before = train_small(first, kernel, bias, 1), after = train_small(first, kernel, bias, 300);
  EXPECT_LT(after, 0.02 * before);
}

TEST_P(Kinds, RestoredStateGoesOnAlike) {
  auto kernel = torch::zeros({6, 3, 3, 3}).set_requires_grad(true),
       bias = torch::zeros({6}).set_requires_grad(true);
  Optimiser one(GetParam(), {kernel, bias});
  train_small(one, kernel, bias, 25);

  auto kernel2 = kernel.detach().clone().set_requires_grad(true),
       bias2 = bias.detach().clone().set_requires_grad(true);
  std::vector<torch::Tensor> saved;
  for (const auto& t : one.state()) saved.push_back(t.clone());
  Optimiser two(GetParam(), {kernel2, bias2});
  ASSERT_TRUE(two.restore(saved).ok());
  train_small(one, kernel, bias, 12);
  train_small(two, kernel2, bias2, 12);
  EXPECT_TRUE(kernel.equal(kernel2));
  EXPECT_TRUE(bias.equal(bias2));
}

TEST_P(Kinds, StateOfAnotherNetIsRefused) {
  auto small = torch::zeros({2, 3, 3, 3}), large = torch::zeros({4, 3, 3, 3});
  Optimiser one(GetParam(), {small}), two(GetParam(), {large}), three(GetParam(), {large, large.clone()});
  EXPECT_FALSE(two.restore(one.state()).ok());
  EXPECT_FALSE(two.restore(three.state()).ok());
  EXPECT_FALSE(two.restore({}).ok());
}

INSTANTIATE_TEST_SUITE_P(All, Kinds,
                         ::testing::Values(OptimiserKind::adam, OptimiserKind::muon, OptimiserKind::soap));

TEST(OptimiserName, UnknownIsRefused) {
  EXPECT_TRUE(optimiser_kind("muon").ok());
  EXPECT_FALSE(optimiser_kind("Muon").ok());
  EXPECT_FALSE(optimiser_kind("").ok());
}

}  // namespace
}  // namespace fye
