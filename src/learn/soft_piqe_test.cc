#include "learn/soft_piqe.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "learn/data.h"
#include "learn/testing_gradients.h"
#include "quality/piqe.h"

namespace fye {
namespace {

constexpr SoftPiqeSlopes kSteep{1e7, 1e7, 1e7};

double hard(const torch::Tensor& x) {
  Plane plane(int(x.size(3)), int(x.size(2)));
  const auto values = x.to(torch::kFloat64).contiguous();
  std::copy_n(values.data_ptr<double>(), plane.values.size(), plane.values.begin());
  ThreadPool threads(1);
  return piqe(plane, threads).score;
}

// Whole numbers, 255 among them: waves of two scales with noise and a flat quarter.
torch::Tensor grey_scene(int height, int width, uint64_t seed, int noise) {
  auto x = torch::empty({1, 1, height, width}, torch::kFloat64);
  Random random{seed};
  const double fx = 0.1 + 0.02 * random.below(20), fy = 0.1 + 0.02 * random.below(20);
  auto at = x.accessor<double, 4>();
  for (int i = 0; i < height; ++i)
    for (int j = 0; j < width; ++j) {
      const bool flat = i < height / 2 && j < width / 2;
      const double wave =
          flat ? 0 : 70 * std::sin(fx * j) * std::cos(fy * i) + 20 * std::sin(fx * fy * 30 * j);
      at[0][0][i][j] = std::clamp(std::round(120 + wave + random.below(2 * noise + 1) - noise), 0.0, 255.0);
    }
  at[0][0][height - 1][width - 1] = 255;
  return x;
}

RC_GTEST_PROP(SoftPiqe, TendsToTheHardScore, ()) {
  const int height = *rc::gen::inRange(1, 70), width = *rc::gen::inRange(1, 70);
  const auto x = grey_scene(height, width, *rc::gen::inRange<uint64_t>(1, 100), *rc::gen::inRange(0, 12));
  RC_ASSERT(std::abs(soft_piqe(x, kSteep).item<double>() - hard(x)) < 1e-6);
}

TEST(SoftPiqe, ComesNearerAsSlopesGrow) {
  const auto x = grey_scene(96, 96, 5, 2);
  const double expected = hard(x);
  ASSERT_LT(expected, 99);
  double last = INFINITY;
  for (const double factor : {1.0, 10.0, 100.0, 1000.0, 10000.0}) {
    const double off =
        std::abs(soft_piqe(x, {50 * factor, 50 * factor, 10 * factor}).item<double>() - expected);
    EXPECT_LE(off, last + 1e-9) << factor;
    last = off;
  }
  EXPECT_LT(last, 0.01);
}

TEST(SoftPiqe, FlatAndBlackPicturesScore100) {
  for (const double value : {0.0, 77.0}) {
    const auto x = torch::full({1, 1, 40, 40}, value, torch::kFloat64).set_requires_grad(true);
    EXPECT_NEAR(soft_piqe(x, kSteep).item<double>(), 100, 1e-6);
    const auto score = soft_piqe(x);
    EXPECT_NEAR(score.item<double>(), 100, 5);
    score.backward();
    EXPECT_TRUE(x.grad().isfinite().all().item<bool>()) << value;
  }
}

TEST(SoftPiqe, BrightnessPlaysNoPart) {
  const auto x = grey_scene(48, 64, 3, 4);
  EXPECT_NEAR(soft_piqe(x * 0.4).item<double>(), soft_piqe(x).item<double>(), 1e-9);
}

TEST(SoftPiqe, PicturesOfABatchStayApartAndColourCountsAsGrey) {
  const auto a = grey_scene(32, 48, 1, 3), b = grey_scene(32, 48, 2, 9);
  const auto both = soft_piqe(torch::cat({a, b}));
  EXPECT_NEAR(both[0].item<double>(), soft_piqe(a).item<double>(), 1e-9);
  EXPECT_NEAR(both[1].item<double>(), soft_piqe(b).item<double>(), 1e-9);
  EXPECT_GT(std::abs(both[0].item<double>() - both[1].item<double>()), 0.1);
  // The weights sum to 0.9999; the stretch to 255 takes that out again.
  EXPECT_NEAR(soft_piqe(a.repeat({1, 3, 1, 1})).item<double>(), soft_piqe(a).item<double>(), 1e-9);
}

TEST(SoftPiqe, SingleFloatsComeNearDoubles) {
  const auto x = grey_scene(64, 64, 8, 5);
  EXPECT_NEAR(soft_piqe(x.to(torch::kFloat32)).item<double>(), soft_piqe(x).item<double>(), 0.05);
}

TEST(SoftPiqe, GradientsAgreeWithFiniteDifferences) {
  testing::expect_gradient([](const torch::Tensor& x) { return soft_piqe(x); }, grey_scene(37, 50, 11, 6));
  const auto colour =
      torch::cat({grey_scene(32, 32, 1, 5), grey_scene(32, 32, 2, 5), grey_scene(32, 32, 3, 5)}, 1);
  testing::expect_gradient([](const torch::Tensor& x) { return soft_piqe(x, {20, 30, 5}); }, colour);
}

}  // namespace
}  // namespace fye
