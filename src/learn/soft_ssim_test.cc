#include "learn/soft_ssim.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "image/colour.h"
#include "learn/data.h"
#include "learn/testing_gradients.h"
#include "quality/ssim.h"

namespace fye {
namespace {

Picture random_picture(int width, int height, int channels, uint64_t seed) {
  Picture picture(width, height, channels);
  Random random{seed};
  for (size_t i = 0; i < picture.bytes.size(); ++i)
    picture.bytes[i] = uint8_t(std::min(255, int(i / 7 % 200) + random.below(56)));
  return picture;
}

Plane plane_of(const Picture& picture) {
  Plane plane(picture.width, picture.height);
  std::copy(picture.bytes.begin(), picture.bytes.end(), plane.values.begin());
  return plane;
}

TEST(SoftSsim, EqualsTheScoreOfLuma) {
  const Picture a = random_picture(33, 20, 3, 1), b = random_picture(33, 20, 3, 2);
  const auto score = ssim_y(a, b, 0);
  ASSERT_TRUE(score.ok());
  const auto soft = soft_ssim(soft_luma(testing::doubles_of(a)), soft_luma(testing::doubles_of(b)));
  EXPECT_NEAR(soft.item<double>(), score->value, 1e-9);
}

RC_GTEST_PROP(SoftSsim, EqualsTheScoreOfPlanesOfAnySize, ()) {
  const int width = *rc::gen::inRange(11, 30), height = *rc::gen::inRange(11, 30);
  const auto seed = *rc::gen::inRange<uint64_t>(1, 1000);
  Picture a(width, height, 1), b(width, height, 1);
  Random random{seed};
  for (size_t i = 0; i < a.bytes.size(); ++i) {
    a.bytes[i] = uint8_t(random.below(256));
    b.bytes[i] = uint8_t(std::clamp(a.bytes[i] + random.below(61) - 30, 0, 255));
  }
  const auto x = torch::from_blob(a.u8(), {1, 1, height, width}, torch::kUInt8).to(torch::kFloat64);
  const auto y = torch::from_blob(b.u8(), {1, 1, height, width}, torch::kUInt8).to(torch::kFloat64);
  RC_ASSERT(std::abs(soft_ssim(x, y).item<double>() - mean_ssim(plane_of(a), plane_of(b)).ssim) < 1e-9);
}

TEST(SoftSsim, GoesOverChannelsAndKeepsPicturesApart) {
  auto generator = at::detail::createCPUGenerator(3);
  const auto a = torch::empty({2, 3, 14, 17}, torch::kFloat64).uniform_(0, 255, generator);
  const auto b = torch::empty({2, 3, 14, 17}, torch::kFloat64).uniform_(0, 255, generator);
  const auto whole = soft_ssim(a, b);
  ASSERT_EQ(whole.sizes(), torch::IntArrayRef({2}));
  double sum = 0;
  for (int c = 0; c < 3; ++c)
    sum += soft_ssim(a.slice(0, 1, 2).slice(1, c, c + 1), b.slice(0, 1, 2).slice(1, c, c + 1)).item<double>();
  EXPECT_NEAR(whole[1].item<double>(), sum / 3, 1e-12);
  EXPECT_NEAR(soft_ssim(a, a)[0].item<double>(), 1, 1e-12);
}

TEST(SoftSsim, GradientsOfBothPicturesAgreeWithFiniteDifferences) {
  auto generator = at::detail::createCPUGenerator(4);
  const auto a = torch::empty({2, 3, 15, 13}, torch::kFloat64).uniform_(0, 255, generator);
  const auto b = (a + torch::empty_like(a).normal_(0, 10, generator)).clamp(0, 255);
  testing::expect_gradient([&](const torch::Tensor& x) { return soft_ssim(x, b); }, a);
  testing::expect_gradient([&](const torch::Tensor& x) { return soft_ssim(soft_luma(a), soft_luma(x)); }, b);
}

TEST(SoftSsim, FlatPicturesHaveFiniteGradients) {
  const auto a = torch::full({1, 1, 12, 12}, 7.0, torch::kFloat64).set_requires_grad(true);
  soft_ssim(a, torch::full_like(a, 9.0)).sum().backward();
  EXPECT_TRUE(a.grad().isfinite().all().item<bool>());
}

}  // namespace
}  // namespace fye
