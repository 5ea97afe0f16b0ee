#include "quality/ms_ssim.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quality/ssim.h"
#include "quality/testing_pictures.h"

namespace fye {
namespace {

using testing::disturbed;
using testing::filled;
using testing::noise;
using testing::plane_of;

// Flat pictures: contrast and structure are 1 on every scale, so the coarsest luminance alone is left.
TEST(MsSsim, FlatPicturesByHand) {
  const double luminance = (2 * 100 * 120 + 6.5025) / (100 * 100 + 120 * 120 + 6.5025);
  EXPECT_NEAR(ms_ssim(filled(200, 170, 1, 100), filled(200, 170, 1, 120), 0)->value,
              std::pow(luminance, 0.1333), 1e-9);
}

// By the definition, with each scale made from the full picture at once: a mean of 2 x 2 means is a mean.
TEST(MsSsim, ScalesAreMeansOfSquares) {
  const Plane a = plane_of(noise(192, 176, 1, 1)), b = plane_of(disturbed(noise(192, 176, 1, 1), 40, 2));
  const auto scaled = [](const Plane& plane, int side) {
    Plane result(plane.width / side, plane.height / side);
    for (int y = 0; y < result.height * side; ++y) {
      for (int x = 0; x < result.width * side; ++x)
        result.at(y / side, x / side) += plane.at(y, x) / (side * side);
    }
    return result;
  };
  double expected = 1;
  const double weights[] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
  for (int scale = 0; scale < 5; ++scale) {
    const SsimMeans means = mean_ssim(scaled(a, 1 << scale), scaled(b, 1 << scale));
    expected *= std::pow(scale < 4 ? means.structure : means.ssim, weights[scale]);
  }
  EXPECT_NEAR(ms_ssim(a, b), expected, 1e-12);
}

// A picture against its inverse: structure is near -1, and a negative mean counts as 0.
TEST(MsSsim, OppositeStructureScoresNothing) {
  const Picture a = noise(161, 161, 1, 5);
  Picture b = a;
  for (uint8_t& byte : b.bytes) byte = static_cast<uint8_t>(255 - byte);
  EXPECT_EQ(ms_ssim(a, b, 0)->value, 0);
}

// The last sample of an odd side is repeated: appending a copy of the last row and column changes nothing
// below the first scale, so only that scale's factor may differ.
TEST(MsSsim, OddSidesRepeatTheirLastSample) {
  const Plane odd_a = plane_of(noise(161, 161, 1, 1)),
              odd_b = plane_of(disturbed(noise(161, 161, 1, 1), 30, 2));
  const auto extended = [](const Plane& plane) {
    return testing::drawn(plane.width + 1, plane.height + 1, [&](int y, int x) {
      return plane.at(std::min(y, plane.height - 1), std::min(x, plane.width - 1));
    });
  };
  const Plane even_a = extended(odd_a), even_b = extended(odd_b);
  const double first_odd = std::pow(mean_ssim(odd_a, odd_b).structure, 0.0448);
  const double first_even = std::pow(mean_ssim(even_a, even_b).structure, 0.0448);
  EXPECT_NEAR(ms_ssim(odd_a, odd_b) / first_odd, ms_ssim(even_a, even_b) / first_even, 1e-12);
}

TEST(MsSsim, NeedsFiveScales) {
  EXPECT_TRUE(ms_ssim(filled(161, 161, 3, 1), filled(161, 161, 3, 2), 0));
  const auto small = ms_ssim(filled(160, 400, 3, 1), filled(160, 400, 3, 2), 0);
  ASSERT_FALSE(small);
  EXPECT_NE(small.error().what.find("161x161"), std::string::npos) << small.error().what;
  EXPECT_FALSE(ms_ssim(filled(163, 170, 3, 1), filled(163, 170, 3, 2), 2));
}

}  // namespace
}  // namespace fye
