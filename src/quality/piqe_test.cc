#include "quality/piqe.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

#include "quality/testing_pictures.h"

namespace fye {
namespace {

using testing::drawn;
using testing::filled;
using testing::plane_of;

Piqe score_of(const Plane& grey) {
  ThreadPool one(1);
  return piqe(grey, one);
}

void expect(const Plane& grey, double score, int64_t active, int64_t impaired, int64_t noisy) {
  const Piqe found = score_of(grey);
  EXPECT_NEAR(found.score, score, 1e-3);
  EXPECT_EQ(found.active, active);
  EXPECT_EQ(found.impaired, impaired);
  EXPECT_EQ(found.noisy, noisy);
}

// The vectors of spec/metrics.md, section 4.
TEST(Piqe, Flat) { expect(plane_of(filled(128, 128, 1, 77)), 100, 0, 0, 0); }

Plane bowl() {
  return drawn(160, 120, [](int i, int j) { return (17 * i * i + 31 * j * j + 7 * i * j) % 256; });
}

TEST(Piqe, Bowl) { expect(bowl(), 80.229, 80, 0, 80); }

TEST(Piqe, Chequers) {
  expect(drawn(256, 256, [](int i, int j) { return (i + j) % 2 * 255; }), 98.839, 256, 0, 256);
}

TEST(Piqe, SlowWaves) {
  expect(drawn(256, 256,
               [](int i, int j) {
                 return std::nearbyint(127.5 + 127.5 * std::sin(j / 5.0) * std::sin(i / 7.0));
               }),
         100, 0, 0, 0);
}

// Waves and noise of many strengths side by side, the brightest at 230; blocks of every kind, some impaired
// and noisy.
Plane quilt(int width, int height) {
  return drawn(width, height, [](int i, int j) {
    const int fine = 1 + (i / 24 + j / 40) % 6, strength = (i / 32 + 2 * (j / 48)) % 4;
    const double wave = std::nearbyint(128 + 90 * std::sin(i * fine * 0.11) * std::cos(j * fine * 0.07));
    const int noise = int((int64_t{i} * 73856093 ^ int64_t{j} * 19349663) % 17) - 8;
    return std::clamp(wave + std::floor(noise * strength / 2.0), 0.0, 240.0);
  });
}

// The values of pypiqe 1.2.
TEST(Piqe, QuiltOfWholeBlocks) { expect(quilt(320, 256), 43.46060, 288, 146, 24); }
TEST(Piqe, QuiltWithPadding) { expect(quilt(200, 150), 47.41428, 116, 63, 13); }

TEST(Piqe, GaussianNoise) {
  for (const auto& [sigma, score] : {std::pair{5, 63}, {15, 72}, {25, 74}, {50, 77}}) {
    std::mt19937 random(sigma);
    std::normal_distribution<double> level(128, sigma);
    const Piqe found = score_of(
        drawn(256, 256, [&](int, int) { return std::clamp(std::nearbyint(level(random)), 0.0, 255.0); }));
    EXPECT_NEAR(found.score, score, 2) << sigma;
    EXPECT_EQ(found.active, 256);
    EXPECT_EQ(found.noisy, 256);
    EXPECT_LE(found.impaired, 2);
  }
}

TEST(Piqe, Mosaic) {
  std::mt19937 random(1);
  Plane tiles = drawn(32, 32, [&](int, int) { return double(random() % 256); });
  const Piqe found = score_of(drawn(256, 256, [&](int i, int j) { return tiles.at(i / 8, j / 8); }));
  EXPECT_NEAR(found.score, 81, 4);
  EXPECT_EQ(found.active, 256);
  EXPECT_EQ(found.impaired, 256);
  EXPECT_EQ(found.noisy, 0);
}

// pypiqe's own values (tests/oracle/piqe_oracle.py holds these sizes too): padding is longer than the
// picture.
TEST(Piqe, TinyPictures) {
  expect(plane_of(filled(1, 1, 1, 9)), 100, 0, 0, 0);
  expect(plane_of(filled(1, 1, 1, 0)), 100, 0, 0, 0);
  const Piqe narrow = score_of(drawn(15, 17, [](int i, int j) { return (i * 37 + j * 91) % 256; }));
  EXPECT_EQ(narrow.active, 2);
  EXPECT_TRUE(std::isfinite(narrow.score));
}

TEST(Piqe, BlackIsFlat) { expect(plane_of(filled(40, 40, 1, 0)), 100, 0, 0, 0); }

// A picture that is already made of whole blocks by mirroring, against the same one cut where the mirror
// stands.
TEST(Piqe, PaddingMirrorsWithTheEdgeRepeated) {
  const auto pattern = [](int i, int j) { return double((i * i * 13 + j * 57 + i * j * 3) % 251 + 5); };
  const Plane cut = drawn(40, 24, pattern);
  const Plane whole =
      drawn(48, 32, [&](int i, int j) { return pattern(i < 24 ? i : 47 - i, j < 40 ? j : 79 - j); });
  EXPECT_EQ(score_of(cut).score, score_of(whole).score);
}

TEST(Piqe, ScaleOfBrightnessDoesNotCount) {
  const Plane full = bowl();
  Plane dark = full;
  for (double& value : dark.values) value /= 255.0 / 64;
  EXPECT_EQ(score_of(dark).score, score_of(full).score);
}

TEST(Piqe, NoiseOnASmoothPictureLowersIt) {
  const Plane smooth = drawn(128, 128, [](int i, int j) { return 100 + i / 4 + j / 5; });
  std::mt19937 random(3);
  Plane noisy = smooth;
  for (double& value : noisy.values) value += int(random() % 7) - 3;
  EXPECT_LT(score_of(noisy).score, score_of(smooth).score - 10);
}

RC_GTEST_PROP(PiqeProperty, ThreadsDoNotMatter, (unsigned seed)) {
  const int width = *rc::gen::inRange(1, 70), height = *rc::gen::inRange(1, 70);
  const Plane grey = plane_of(testing::noise(width, height, 1, seed));
  ThreadPool one(1), three(3);
  const Piqe a = piqe(grey, one), b = piqe(grey, three);
  RC_ASSERT(a.score == b.score);
  RC_ASSERT(a.active == b.active);
}

RC_GTEST_PROP(PiqeProperty, CountsFitTheBlocks, (unsigned seed)) {
  const int width = *rc::gen::inRange(1, 50), height = *rc::gen::inRange(1, 50);
  const Piqe found = score_of(plane_of(testing::noise(width, height, 1, seed)));
  RC_ASSERT(found.active <= (width + 15) / 16 * ((height + 15) / 16));
  RC_ASSERT(std::max(found.impaired, found.noisy) <= found.active);
  RC_ASSERT(std::isfinite(found.score));
}

RC_GTEST_PROP(PiqeProperty, ShaveEqualsCropped, (unsigned seed)) {
  const Picture picture = testing::noise(50, 44, 3, seed);
  const int shave = *rc::gen::inRange(0, 21);
  RC_ASSERT(piqe(picture, shave)->value == piqe(shaved(picture, shave), 0)->value);
}

}  // namespace
}  // namespace fye
