#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "quality/ms_ssim.h"
#include "quality/psnr.h"
#include "quality/ssim.h"
#include "quality/table.h"
#include "quality/testing_pictures.h"

namespace fye {
namespace {

using testing::disturbed;
using testing::filled;
using testing::noise;

Picture widened(const Picture& picture) {
  Picture wide(picture.width, picture.height, picture.channels, 16);
  for (size_t i = 0; i < picture.samples(); ++i)
    wide.u16()[i] = static_cast<uint16_t>(picture.bytes[i] * 257);
  return wide;
}

// Every sample one apart: MSE is 1, 10 log10(65025) = 48.1308 dB. On luma one level of grey is 219 / 255 of a
// unit.
TEST(Psnr, ByHand) {
  const auto rgb = psnr_rgb(filled(4, 3, 3, 100), filled(4, 3, 3, 101), 0);
  ASSERT_TRUE(rgb);
  EXPECT_NEAR(rgb->value, 48.13080, 1e-5);
  EXPECT_FALSE(rgb->identical);
  const auto y = psnr_y(filled(4, 3, 3, 100), filled(4, 3, 3, 101), 0);
  ASSERT_TRUE(y);
  EXPECT_NEAR(y->value, 48.13080 - 20 * std::log10(219.0 / 255), 1e-4);
}

TEST(Psnr, BlackAgainstWhite) {
  EXPECT_NEAR(psnr_rgb(filled(4, 4, 3, 0), filled(4, 4, 3, 255), 0)->value, 0, 1e-12);
  EXPECT_NEAR(psnr_y(filled(4, 4, 1, 0), filled(4, 4, 1, 255), 0)->value, 20 * std::log10(255.0 / 219), 1e-9);
}

TEST(Psnr, OneChannelOfThreeCountsAThird) {
  Picture a = filled(5, 5, 3, 100), b = a;
  for (size_t i = 0; i < b.samples(); i += 3) b.bytes[i] = 103;  // MSE 9 / 3
  EXPECT_NEAR(psnr_rgb(a, b, 0)->value, 10 * std::log10(65025.0 / 3), 1e-9);
}

TEST(Psnr, ShaveLeavesTheBorderOut) {
  const Picture a = filled(9, 8, 3, 50);
  Picture b = a;
  b.bytes[0] = 255;                // a corner
  b.bytes[(3 * 9 + 8) * 3] = 255;  // the right edge
  EXPECT_FALSE(psnr_rgb(a, b, 0)->identical);
  EXPECT_TRUE(psnr_rgb(a, b, 1)->identical);
  b.bytes[(1 * 9 + 1) * 3] = 255;  // the inner corner is in with 1, out with 2
  EXPECT_FALSE(psnr_rgb(a, b, 1)->identical);
  EXPECT_TRUE(psnr_rgb(a, b, 2)->identical);
}

// A window of one size of flat picture: mu are the levels, variances and covariance are 0.
TEST(Ssim, FlatPicturesByHand) {
  const double c1 = 6.5025, a = 100, b = 120;
  const auto grey = ssim_grey(filled(20, 20, 1, 100), filled(20, 20, 1, 120), 0);
  ASSERT_TRUE(grey);
  EXPECT_NEAR(grey->value, (2 * a * b + c1) / (a * a + b * b + c1), 1e-9);
}

// In the window's own arithmetic, done anew in the obvious way: one window, no tricks.
TEST(Ssim, OneWindowByDirectSums) {
  const Picture a = noise(11, 11, 1, 1), b = disturbed(a, 20, 2);
  double total = 0, ma = 0, mb = 0;
  double weight[11][11];
  for (int y = 0; y < 11; ++y) {
    for (int x = 0; x < 11; ++x) {
      total += weight[y][x] = std::exp(-((x - 5) * (x - 5) + (y - 5) * (y - 5)) / (2 * 1.5 * 1.5));
    }
  }
  const auto each = [&](auto visit) {
    for (int y = 0; y < 11; ++y) {
      for (int x = 0; x < 11; ++x)
        visit(weight[y][x] / total, double(a.bytes[y * 11 + x]), double(b.bytes[y * 11 + x]));
    }
  };
  each([&](double w, double p, double q) {
    ma += w * p;
    mb += w * q;
  });
  double va = 0, vb = 0, cov = 0;
  each([&](double w, double p, double q) {
    va += w * (p - ma) * (p - ma);
    vb += w * (q - mb) * (q - mb);
    cov += w * (p - ma) * (q - mb);
  });
  const double expected =
      (2 * ma * mb + 6.5025) * (2 * cov + 58.5225) / ((ma * ma + mb * mb + 6.5025) * (va + vb + 58.5225));
  EXPECT_NEAR(ssim_grey(a, b, 0)->value, expected, 1e-10);
}

TEST(Ssim, ShaveEqualsCroppedPictures) {
  const Picture a = noise(30, 26, 3, 1), b = disturbed(a, 9, 2);
  EXPECT_EQ(ssim_y(a, b, 4)->value, ssim_y(shaved(a, 4), shaved(b, 4), 0)->value);
}

TEST(Ssim, MeanOfTwoHalves) {
  // One row of windows: the mean over positions 0..w is the mean of the means over both parts.
  const Picture a = noise(30, 11, 1, 1), b = disturbed(a, 9, 2);
  const auto part = [](const Picture& picture, int from, int width) {
    Picture result(width, picture.height, 1);
    for (int y = 0; y < picture.height; ++y) {
      std::copy_n(&picture.bytes[y * picture.width + from], width, &result.bytes[y * width]);
    }
    return result;
  };
  const double left = ssim_grey(part(a, 0, 18), part(b, 0, 18), 0)->value;   // windows 0..7
  const double right = ssim_grey(part(a, 8, 22), part(b, 8, 22), 0)->value;  // windows 8..19
  EXPECT_NEAR(ssim_grey(a, b, 0)->value, (8 * left + 12 * right) / 20, 1e-12);
}

TEST(Table, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second);
    EXPECT_EQ(find_metric(metric.name), &metric);
  }
  for (const char* name :
       {"psnr_y", "psnr_rgb", "ssim_y", "ssim_grey", "ms_ssim", "piqe", "iqam_4", "iqam_8"})
    EXPECT_TRUE(find_metric(name)) << name;
  EXPECT_EQ(find_metric("psnr"), nullptr);
  EXPECT_EQ(find_metric(""), nullptr);
}

// What holds for every row of the table: for the quick ones as properties, for the others, some of which run
// a network, on a few pictures that none finds too small. A row whose network isn't installed has its own
// tests.
constexpr int kSmall = 24, kLarge = kMsSsimLeast;

std::vector<Metric> rows_with(bool quick) {
  std::vector<Metric> result;
  const Picture any = noise(kLarge, kLarge, 1, 0);
  for (const Metric& metric : metrics()) {
    const auto score = metric.score(any, any, 0);
    const bool missing = !score && is_not_installed(score.error());
    if (metric.quick == quick && !missing) result.push_back(metric);
  }
  return result;
}

const std::vector<Metric>& quick_rows() {
  static const auto rows = rows_with(true);
  return rows;
}

const std::vector<Metric>& slow_rows() {
  static const auto rows = rows_with(false);
  return rows;
}

double value(const Metric& metric, const Picture& a, const Picture& b, int shave = 0) {
  const auto score = metric.score(a, b, shave);
  return score ? score->value : std::numeric_limits<double>::quiet_NaN();
}

bool near(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance; }

// Equal pictures are identical and score best; where no original is looked at, none is.
bool knows_equal_pictures(const Metric& metric, int side, unsigned seed) {
  const Picture picture = noise(side, side + 1, 1 + int(seed % 4), seed);
  const auto score = metric.score(picture, picture, 0);
  if (metric.needs == Needs::nothing) {
    return score && !score->identical && value(metric, filled(1, 1, 1, 0), picture) == score->value &&
           value(metric, noise(side + 5, side, 3, seed), picture) == score->value;
  }
  const double best = metric.better == Better::lower ? 0 : 1;
  return score && score->identical &&
         (metric.unit == "dB" ? std::isinf(score->value) : near(score->value, best, 1e-12));
}

bool is_symmetric(const Metric& metric, int side, unsigned seed) {
  const Picture a = noise(side + 2, side + 3, 3, seed), b = noise(side + 2, side + 3, 3, seed + 1);
  return metric.needs == Needs::nothing || near(value(metric, a, b, 1), value(metric, b, a, 1), 1e-6);
}

bool finds_more_noise_worse(const Metric& metric, int side, unsigned seed) {
  Picture a = noise(side, side, 3, seed);
  for (uint8_t& byte : a.bytes) byte = static_cast<uint8_t>(64 + byte / 2);  // room for the noise
  const double little = value(metric, a, disturbed(a, 3, seed)),
               much = value(metric, a, disturbed(a, 12, seed));
  return metric.needs == Needs::nothing || (metric.better == Better::higher ? little > much : little < much);
}

bool ignores_alpha_and_depth(const Metric& metric, int side, unsigned seed) {
  const Picture a = noise(side, side, 4, seed), b = noise(side, side, 4, seed + 1);
  Picture clear = b;
  for (size_t i = 3; i < clear.samples(); i += 4) clear.bytes[i] ^= 0x55;
  const double expected = value(metric, a, b);
  return value(metric, a, clear) == expected && near(value(metric, widened(a), widened(b)), expected, 1e-6);
}

bool takes_grey_as_three_equal_channels(const Metric& metric, int side, unsigned seed) {
  const auto tripled = [](const Picture& grey) {
    Picture rgb(grey.width, grey.height, 3);
    for (size_t i = 0; i < rgb.samples(); ++i) rgb.bytes[i] = grey.bytes[i / 3];
    return rgb;
  };
  const Picture a = noise(side, side, 1, seed), b = noise(side, side, 1, seed + 1);
  return near(value(metric, a, b), value(metric, tripled(a), tripled(b)), 1e-6);
}

RC_GTEST_PROP(EveryMetric, KnowsEqualPictures, (unsigned seed)) {
  for (const Metric& metric : quick_rows()) RC_ASSERT(knows_equal_pictures(metric, kSmall, seed));
}
RC_GTEST_PROP(EveryMetric, IsSymmetric, (unsigned seed)) {
  for (const Metric& metric : quick_rows()) RC_ASSERT(is_symmetric(metric, kSmall, seed));
}
RC_GTEST_PROP(EveryMetric, FindsMoreNoiseWorse, (unsigned seed)) {
  for (const Metric& metric : quick_rows()) RC_ASSERT(finds_more_noise_worse(metric, kSmall, seed));
}
RC_GTEST_PROP(EveryMetric, IgnoresAlphaAndDepth, (unsigned seed)) {
  for (const Metric& metric : quick_rows()) RC_ASSERT(ignores_alpha_and_depth(metric, kSmall, seed));
}
RC_GTEST_PROP(EveryMetric, TakesGreyAsThreeEqualChannels, (unsigned seed)) {
  for (const Metric& metric : quick_rows())
    RC_ASSERT(takes_grey_as_three_equal_channels(metric, kSmall, seed));
}

TEST(EveryMetric, SlowOnesToo) {
  for (const Metric& metric : slow_rows()) {
    for (const unsigned seed : {1u, 6u}) {
      EXPECT_TRUE(knows_equal_pictures(metric, kLarge, seed)) << metric.name;
      EXPECT_TRUE(is_symmetric(metric, kLarge, seed)) << metric.name;
      EXPECT_TRUE(finds_more_noise_worse(metric, kLarge, seed)) << metric.name;
      EXPECT_TRUE(ignores_alpha_and_depth(metric, kLarge, seed)) << metric.name;
      EXPECT_TRUE(takes_grey_as_three_equal_channels(metric, kLarge, seed)) << metric.name;
    }
  }
}

TEST(EveryMetric, RefusesWhatCannotBeScored) {
  const Picture picture = filled(200, 190, 3, 1), wider = filled(201, 190, 3, 1);
  for (const auto* rows : {&quick_rows(), &slow_rows()}) {
    for (const Metric& metric : *rows) {
      const auto gone = metric.score(picture, picture, 95);
      ASSERT_FALSE(gone) << metric.name;
      EXPECT_EQ(gone.error().code, ErrorCode::bad_input);
      EXPECT_FALSE(metric.score(picture, picture, 2'000'000'000)) << metric.name;
      const auto negative = metric.score(picture, picture, -1);
      ASSERT_FALSE(negative) << metric.name;
      EXPECT_EQ(negative.error().code, ErrorCode::usage);
      if (metric.needs == Needs::nothing) continue;
      const auto sizes = metric.score(picture, wider, 0);
      ASSERT_FALSE(sizes) << metric.name;
      EXPECT_EQ(sizes.error().code, ErrorCode::bad_input);
      EXPECT_NE(sizes.error().what.find("200x190"), std::string::npos) << sizes.error().what;
      EXPECT_NE(sizes.error().what.find("201x190"), std::string::npos) << sizes.error().what;
    }
  }
}

TEST(Score, WhatIsNotInstalledIsToldApart) {
  const Error missing = not_installed("fye models install lpips");
  EXPECT_EQ(missing.what, "not installed: run fye models install lpips");
  EXPECT_TRUE(is_not_installed(missing));
  EXPECT_FALSE(is_not_installed(bad_input("too small")));
}

TEST(Ssim, NeedsAWholeWindow) {
  EXPECT_TRUE(ssim_y(filled(11, 11, 3, 1), filled(11, 11, 3, 2), 0));
  const auto small = ssim_y(filled(10, 40, 3, 1), filled(10, 40, 3, 2), 0);
  ASSERT_FALSE(small);
  EXPECT_NE(small.error().what.find("11x11"), std::string::npos) << small.error().what;
  EXPECT_FALSE(ssim_grey(filled(14, 14, 3, 1), filled(14, 14, 3, 2), 2));
  EXPECT_TRUE(psnr_y(filled(10, 40, 3, 1), filled(10, 40, 3, 2), 0));
}

}  // namespace
}  // namespace fye
