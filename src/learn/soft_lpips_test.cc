#include "learn/soft_lpips.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "image/file.h"
#include "learn/data.h"
#include "learn/testing_gradients.h"
#include "quality/lpips_network.h"
#include "quality/score.h"

namespace fye {
namespace {

// He normal kernels, small biases, linear weights in 0..1: seeded, so no score that anyone else has.
LpipsWeights random_lpips_weights() {
  std::mt19937 random(11);
  LpipsWeights weights;
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    const AlexConv& conv = kAlexConvs[i];
    const int fan = conv.in * conv.kernel * conv.kernel;
    std::normal_distribution<float> kernel(0, std::sqrt(2.f / float(fan))), bias(0, 0.01f);
    std::uniform_real_distribution<float> lin(0, 1);
    auto& layer = weights.layers[i];
    layer.weight.resize(size_t(conv.out) * fan);
    layer.bias.resize(conv.out);
    layer.lin.resize(conv.out);
    for (float& v : layer.weight) v = kernel(random);
    for (float& v : layer.bias) v = bias(random);
    for (float& v : layer.lin) v = lin(random);
  }
  return weights;
}

torch::Tensor colour_noise(int64_t count, int64_t height, int64_t width, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return torch::empty({count, 3, height, width}, torch::kFloat64).uniform_(0, 255, generator);
}

Picture scene(int width, int height, uint64_t seed) {
  Picture picture(width, height, 3);
  Random random{seed};
  for (size_t i = 0; i < picture.bytes.size(); ++i)
    picture.bytes[i] = uint8_t(100 + 60 * std::sin(double(i % size_t(3 * width)) / 20) + random.below(90));
  return picture;
}

TEST(SoftLpips, EqualsTheScoreWithRandomWeights) {
  const auto weights = random_lpips_weights();
  const auto tensors = lpips_tensors(weights, torch::kFloat64);
  LpipsNetwork network(weights, 1);
  for (const auto& [width, height] : {std::pair{64, 48}, {47, 33}}) {
    const Picture a = scene(width, height, 1), b = scene(width, height, 2);
    const auto score = network.distance(a, b, 0);
    ASSERT_TRUE(score.ok()) << score.error().text();
    EXPECT_GT(score->value, 0.001);
    EXPECT_NEAR(soft_lpips(testing::doubles_of(a), testing::doubles_of(b), tensors).item<double>(),
                score->value, 1e-5);
  }
}

TEST(SoftLpips, GivesTheAuthorsDistances) {
  const auto weights = installed_lpips_weights();
  if (!weights && is_not_installed(weights.error())) GTEST_SKIP() << weights.error().text();
  ASSERT_TRUE(weights.ok()) << weights.error().text();
  const char* data = std::getenv("FYE_DATA");
  const auto folder = data ? std::filesystem::path(data) / "test/lpips"
                           : std::filesystem::path(FYE_SOURCE_DIR) / "../shared/data/test/lpips";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no pictures at " << folder << "; set FYE_DATA";
  const auto tensors = lpips_tensors(*weights, torch::kFloat64);
  const auto original = read_picture(folder / "ex_ref.png");
  ASSERT_TRUE(original.ok()) << original.error().text();
  for (const auto& [name, expected] : {std::pair{"ex_p0.png", 0.7219}, {"ex_p1.png", 0.1376}}) {
    const auto other = read_picture(folder / name);
    ASSERT_TRUE(other.ok()) << other.error().text();
    EXPECT_NEAR(
        soft_lpips(testing::doubles_of(*original), testing::doubles_of(*other), tensors).item<double>(),
        expected, 1e-4)
        << name;
  }
}

TEST(SoftLpips, IsZeroForEqualPicturesAndGrowsWithTheDifference) {
  const auto weights = lpips_tensors(random_lpips_weights(), torch::kFloat64);
  const auto a = colour_noise(1, 40, 48, 1), d = colour_noise(1, 40, 48, 2) - 127.5;
  EXPECT_EQ(soft_lpips(a, a, weights).item<double>(), 0);
  double last = 0;
  for (const double amount : {0.05, 0.2, 0.6}) {
    const double score = soft_lpips(a, a + amount * d, weights).item<double>();
    EXPECT_GT(score, last);
    last = score;
  }
}

TEST(SoftLpips, IsSymmetricAndKeepsPicturesApart) {
  const auto weights = lpips_tensors(random_lpips_weights(), torch::kFloat64);
  const auto a = colour_noise(2, 33, 45, 3), b = colour_noise(2, 33, 45, 4);
  const auto both = soft_lpips(a, b, weights);
  ASSERT_EQ(both.sizes(), torch::IntArrayRef({2}));
  EXPECT_TRUE(torch::allclose(both, soft_lpips(b, a, weights), 1e-10));
  const auto second = soft_lpips(a.slice(0, 1), b.slice(0, 1), weights);
  EXPECT_NEAR(both[1].item<double>(), second.item<double>(), 1e-10);
}

TEST(SoftLpips, SmallestPictureHasAScore) {
  const auto weights = lpips_tensors(random_lpips_weights(), torch::kFloat64);
  const auto a = colour_noise(1, kLpipsLeast, kLpipsLeast, 5);
  EXPECT_GT(soft_lpips(a, 255 - a, weights).item<double>(), 0);
  const auto small = a.slice(2, 1);
  EXPECT_ANY_THROW(soft_lpips(small, small, weights));
}

TEST(SoftLpips, GradientsAgreeWithFiniteDifferences) {
  const auto weights = lpips_tensors(random_lpips_weights(), torch::kFloat64);
  const auto a = colour_noise(1, 39, 37, 6), b = colour_noise(1, 39, 37, 7);
  testing::expect_gradient([&](const torch::Tensor& x) { return soft_lpips(x, b, weights); }, a);
  testing::expect_gradient([&](const torch::Tensor& x) { return soft_lpips(a, x, weights); }, b);
}

TEST(SoftLpips, DeadChannelsHaveFiniteGradients) {
  auto weights = lpips_tensors(random_lpips_weights(), torch::kFloat32);
  for (auto& bias : weights.biases) bias = torch::full_like(bias, -1e6);
  const auto a = colour_noise(1, 32, 32, 8).to(torch::kFloat32).set_requires_grad(true);
  const auto score = soft_lpips(a, 255 - a.detach(), weights);
  EXPECT_EQ(score.item<float>(), 0);
  score.sum().backward();
  EXPECT_TRUE(a.grad().isfinite().all().item<bool>());
}

}  // namespace
}  // namespace fye
